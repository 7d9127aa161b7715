"""A partner's root on the disk, walked folder by folder with each held open, so that no link leads out.

Every step is relative to the folder before (`dir_fd`) and refuses links (`O_NOFOLLOW`): one that is swapped in at any
moment leads nowhere. What is neither a plain file nor a folder (a link, a pipe, a device) does not exist for clients.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from gateway.transports.sftp_server.faults import no_such_file
from gateway.transports.sftp_server.paths import Place, below_folder

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: Without O_NONBLOCK, a pipe under the name would stop the session.
_FILE: Final = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FILE_MODE: Final = 0o640
_FOLDER_MODE: Final = 0o750


@contextmanager
def held(root: Path, names: tuple[bytes, ...]) -> Iterator[int]:
    """The folder `root/names…`, open. Raises OSError when one of them is missing, a link or no folder."""
    # The root is named by the configuration; a link there is the operator's wish.
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in names:
            below = os.open(name, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = below
        yield folder
    finally:
        os.close(folder)


def folder_of(root: Path, place: Place) -> tuple[Path, tuple[bytes, ...]]:
    """What to hold for listing `place`, which is not the virtual root."""
    if place.folder is None:
        raise no_such_file()
    return root, (place.folder.name.encode(), *place.parts)


@contextmanager
def parent_of(root: Path, place: Place) -> Iterator[tuple[int, bytes]]:
    """The open folder that holds `place`, and its last name."""
    below_folder(place)
    root, names = folder_of(root, place)
    with held(root, names[:-1]) as folder:
        yield folder, names[-1]


def look(folder: int, name: bytes) -> os.stat_result | None:
    """A plain file or folder as it is; None for nothing and for everything else."""
    try:
        facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return facts if stat.S_ISREG(facts.st_mode) or stat.S_ISDIR(facts.st_mode) else None


def is_free(folder: int, name: bytes) -> bool:
    """Nothing at all stands under the name, not even what clients are not shown."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return True
    return False


def open_file(folder: int, name: bytes, flags: int) -> int:
    """A plain file, open. Raises OSError, and Refused when it is something else."""
    opened = os.open(name, flags | _FILE, _FILE_MODE, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise no_such_file()
    return opened


def make_folder(folder: int, name: bytes) -> None:
    os.mkdir(name, _FOLDER_MODE, dir_fd=folder)


def rename_new(source: int, old: bytes, target: int, new: bytes) -> None:
    """Rename a file to a name that must be free. Raises FileExistsError when it is not, FileNotFoundError when the
    file is gone by then.

    A link and then an unlink, because a rename would replace what came there meanwhile.
    """
    try:
        os.link(old, new, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:  # file systems without hard links
        if not is_free(target, new):
            raise FileExistsError(17, "exists") from None
        os.rename(old, new, src_dir_fd=source, dst_dir_fd=target)
        return
    try:
        os.unlink(old, dir_fd=source)
    except FileNotFoundError:
        # Taken between the two steps, and under its old name: under the new one it would be taken once more.
        with suppress(FileNotFoundError):
            os.unlink(new, dir_fd=target)
        raise
