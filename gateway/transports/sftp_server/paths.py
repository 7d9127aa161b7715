"""What a client's path means, worked out from its bytes alone; the disk is not asked.

Paths are bytes with `/` between names, as OpenSSH has them; names that are no UTF-8 stay as they are. Everything is
below one virtual root that holds the folders of the account and nothing else: any other name in it, ours included,
does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.transports.local import is_temporary
from gateway.transports.sftp_server.faults import denied, failure, no_such_file
from gateway.transports.sftp_server.settings import FolderRight

LONGEST_PATH: Final = 4096
LONGEST_NAME: Final = 255
#: How an upload is called until it is complete. Reserved: no client can name it, and no intake takes a dot-name.
PARTIAL_PREFIX: Final = b".part~"
_CONTROLS: Final = frozenset([*range(32), 127])


@dataclass(frozen=True, slots=True)
class Place:
    """A path that stays inside. `folder` is None for the virtual root; `parts` are the names below the folder."""

    folder: FolderRight | None
    parts: tuple[bytes, ...] = ()

    @property
    def path(self) -> bytes:
        """The path as the client sees it, absolute."""
        return b"/" if self.folder is None else b"/" + b"/".join((self.folder.name.encode(), *self.parts))

    @property
    def name(self) -> bytes:
        """Relative to the folder."""
        return b"/".join(self.parts)

    @property
    def is_temporary(self) -> bool:
        """It, or a folder that it is in, bears a name that is never taken."""
        return any(is_temporary(part) for part in self.parts)


def normal(path: bytes) -> tuple[bytes, ...]:
    """The names of a path without `.`, `..` and empty ones. Raises Refused for what leads above the root or is no
    path at all."""
    if len(path) > LONGEST_PATH:
        raise failure("The path is too long")
    if not _CONTROLS.isdisjoint(path):
        raise failure("The path holds control characters")
    parts: list[bytes] = []
    for part in path.split(b"/"):
        if part in (b"", b"."):
            continue
        if part == b"..":
            if not parts:
                raise no_such_file()
            parts.pop()
        elif len(part) > LONGEST_NAME:
            raise failure("The name is too long")
        else:
            parts.append(part)
    return tuple(parts)


def locate(path: bytes, folders: Sequence[FolderRight], depth: int) -> Place:
    """Where `path` is. Raises Refused for everything that is not inside one of `folders`."""
    parts = normal(path)
    if not parts:
        return Place(None)
    for folder in folders:
        if parts[0] == folder.name.encode():
            break
    else:
        raise no_such_file()
    below = parts[1:]
    if len(below) > depth + 1:
        raise failure("Too many folders within folders")
    if any(part.startswith(PARTIAL_PREFIX) for part in below):
        raise no_such_file()
    if not folder.write and any(is_temporary(part) for part in below):
        raise no_such_file()  # an acknowledgement that is still being written
    return Place(folder, below)


def partial_name(name: bytes) -> bytes:
    """What the upload of `name` is called until it is complete. Raises Refused when that is too long."""
    hidden = PARTIAL_PREFIX + name
    if len(hidden) > LONGEST_NAME:
        raise failure(f"The name is too long: {LONGEST_NAME - len(PARTIAL_PREFIX)} bytes at most for an upload")
    return hidden


def shown_name(name: bytes, folder: FolderRight) -> bytes | None:
    """What a name on the disk is called in a listing; None when it is not shown."""
    if name.startswith(PARTIAL_PREFIX):
        return name[len(PARTIAL_PREFIX) :] if folder.write else None
    return None if not folder.write and is_temporary(name) else name


def below_folder(place: Place) -> Place:
    """`place` itself when it is something within a folder; Refused when it is the root or a folder of the account."""
    if not place.parts:
        raise denied()
    return place
