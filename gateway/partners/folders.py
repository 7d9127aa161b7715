"""The folders of a partner in a chroot: which owner, group and mode each must have, and giving it to them.

sshd demands that the root and every folder above it belong to root and that nobody else may write there. `in/`,
`out/` and `book/` belong to root as well, and are written through their group, which the gateway and the login
share: thus the partner can neither replace nor lock them. Nothing is followed: a link where a folder should be is
refused, for what is done here may be done by root.
"""

from __future__ import annotations

import grp
import os
import shlex
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.partners.front import Front
from gateway.partners.refused import Refused

SHARED: Final = ("in", "out", "book")
CLAIMED: Final = ".claimed"
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder as it must be. It belongs to root; `group` is a name."""

    path: Path
    group: str
    mode: int

    @property
    def command(self) -> str:
        """What root types to get it so, whatever it was before."""
        return shlex.join(["install", "-d", "-o", "root", "-g", self.group, "-m", f"{self.mode:04o}", str(self.path)])


def wanted_folders(front: Front) -> list[Folder]:
    """All that the partner needs, outermost first; folders above its root only where they are missing."""
    above = [Folder(path, "root", 0o755) for path in reversed(front.root.parents) if not path.exists()]
    shared = [Folder(front.root / name, front.group, 0o770) for name in SHARED]
    ours = Folder(front.root / CLAIMED, front.gateway.group, 0o770)
    return [*above, Folder(front.root, "root", 0o755), *shared, ours]


def check_root(root: Path) -> None:
    """sshd could chroot there, and it is a folder of its own. Raises `Refused`."""
    if root.resolve() != root:
        raise Refused(f"--root {root}: expected a path without links, such as {root.resolve()}")
    for path in (parent for parent in root.parents if parent.exists()):
        status = path.stat()
        if status.st_uid != 0 or status.st_mode & _OTHERS_WRITE:
            raise Refused(
                f"--root {root}: sshd takes no chroot below {path}, since others than root may write there; choose a "
                "folder below one of root's, such as /srv/drop"
            )
    try:
        others = sorted(set(os.listdir(root)) - {*SHARED, CLAIMED})  # noqa: PTH208
    except FileNotFoundError:
        return
    except OSError as error:
        raise Refused(f"--root {root}: expected a folder ({error.strerror})") from None
    if others:
        raise Refused(f"--root {root}: expected a new folder, or only in/, out/, book/ in it; it holds {others[0]!r}")


def as_wanted(folder: Folder) -> bool:
    """It is there with the right owner, group and mode. Raises `Refused` when something else stands there."""
    try:
        status = folder.path.lstat()
    except (FileNotFoundError, PermissionError):
        return False
    if not stat.S_ISDIR(status.st_mode):
        raise Refused(f"{folder.path}: expected a folder, found something else; look into it and take it away")
    return (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (0, gid_of(folder.group), folder.mode)


def make(folder: Folder) -> bool:
    """Make it so. False when that is for root, or its group is not there yet."""
    gid = gid_of(folder.group)
    if os.geteuid() != 0 or gid is None:
        return False
    folder.path.mkdir(mode=0o700, exist_ok=True)
    held = os.open(folder.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fchown(held, 0, gid)
        os.fchmod(held, folder.mode)
    finally:
        os.close(held)
    return True


def gid_of(group: str) -> int | None:
    """The number of a group; None when there is none of this name."""
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        return None


def key_path_commands(front: Front) -> Iterator[str]:
    """What hinders sshd from reading the keys (StrictModes; it reads them as the login), as commands that mend it."""
    for path in (front.keys, *front.keys.parents):
        try:
            status = path.stat()
        except OSError:
            continue
        if status.st_uid not in (0, front.gateway.uid):
            yield shlex.join(["chown", "root", str(path)])
        if status.st_mode & _OTHERS_WRITE:
            yield shlex.join(["chmod", "go-w", str(path)])
        wanted = stat.S_IXOTH if path.is_dir() else stat.S_IROTH
        if status.st_uid != front.gateway.uid and not status.st_mode & wanted:
            yield shlex.join(["chmod", "o+x" if path.is_dir() else "o+r", str(path)])
