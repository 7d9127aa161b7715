"""Opening a file for a client: for reading, or as an upload under its hidden name (see `uploads.py`)."""

from __future__ import annotations

import os
import stat

from gateway.transports.sftp_server.desk import Desk
from gateway.transports.sftp_server.faults import denied, failure, no_such_file
from gateway.transports.sftp_server.handles import Handle, ReadHandle
from gateway.transports.sftp_server.paths import LONGEST_NAME, PARTIAL_PREFIX, Place, below_folder, partial_name
from gateway.transports.sftp_server.root import look, open_file, parent_of, rename_new
from gateway.transports.sftp_server.uploads import Upload
from gateway.transports.sftp_server.wire import (
    FLAG_APPEND,
    FLAG_CREATE,
    FLAG_EXCLUSIVE,
    FLAG_READ,
    FLAG_TRUNCATE,
    FLAG_WRITE,
)
from gateway.transports.sftp_server.writing import WriteHandle


def seen(folder: int, place: Place) -> tuple[bytes, os.stat_result] | None:
    """What a client sees under the name of `place`: the name on the disk and its facts. An upload hides the complete
    file of the same name."""
    name = place.parts[-1]
    if place.folder is not None and place.folder.write and len(name) + len(PARTIAL_PREFIX) <= LONGEST_NAME:
        facts = look(folder, PARTIAL_PREFIX + name)
        if facts is not None and stat.S_ISREG(facts.st_mode):
            return PARTIAL_PREFIX + name, facts
    facts = look(folder, name)
    return None if facts is None else (name, facts)


def open_for(desk: Desk, path: bytes, flags: int) -> Handle:
    """The file at `path` as the SFTP `flags` ask. Raises Refused and OSError."""
    if not flags & FLAG_WRITE:
        if flags & (FLAG_CREATE | FLAG_TRUNCATE | FLAG_APPEND):
            raise denied("Making or changing a file needs it open for writing")
        return _open_to_read(desk, path)
    place = desk.writable(path)
    assert place.folder is not None
    if flags & FLAG_READ and not place.folder.read:
        raise denied("Files in this folder may be written and not read")
    return _open_to_write(desk, place, flags)


def _open_to_read(desk: Desk, path: bytes) -> Handle:
    place = below_folder(desk.place(path))
    assert place.folder is not None
    if not place.folder.read:
        raise denied("Files in this folder may be written and not read")
    with parent_of(desk.account.root, place) as (folder, _):
        found = seen(folder, place)
        if found is None:
            raise no_such_file()
        if not stat.S_ISREG(found[1].st_mode):
            raise failure("That is a folder")
        return ReadHandle(desk, place, open_file(folder, found[0], os.O_RDONLY))


def _open_to_write(desk: Desk, place: Place, flags: int) -> Handle:
    name = place.parts[-1]
    partial = partial_name(name)
    with desk.alone(), parent_of(desk.account.root, place) as (folder, _):
        found = seen(folder, place)
        if found is not None and not stat.S_ISREG(found[1].st_mode):
            raise failure("That is a folder")
        if found is None:
            if not flags & FLAG_CREATE:
                raise no_such_file()
            _nothing_hidden(folder, name)
            desk.partner.usage.room_for(files=1)
        elif flags & FLAG_CREATE and flags & FLAG_EXCLUSIVE:
            raise failure("A file of that name is there already")
        before = desk.uploads.take_over(desk.account.name, place)
        fresh = found is None or bool(flags & FLAG_TRUNCATE)
        # All that may be wanting is had before a name is touched: an open that fails changes nothing.
        parent = os.dup(folder)
        try:
            fd = _open_partial(desk, folder, name, partial, found, before, fresh=fresh)
        except BaseException:
            os.close(parent)
            raise
        upload = Upload(desk.account.name, desk.session, place, parent, partial, fd, os.fstat(fd).st_size)
        upload.untouched = not fresh and found is not None and (found[0] == name or _is_untouched(before))
        # What a failed sync may have lost is not sent again by whoever goes on at the end.
        upload.unsound = upload.failed = not fresh and before is not None and before.unsound
        desk.uploads.begin(upload)
        desk.partner.delivered.forget(place)
    return WriteHandle(desk, upload, append=bool(flags & FLAG_APPEND), readable=bool(flags & FLAG_READ))


def _open_partial(
    desk: Desk,
    folder: int,
    name: bytes,
    partial: bytes,
    found: tuple[bytes, os.stat_result] | None,
    before: Upload | None,
    *,
    fresh: bool,
) -> int:
    """The hidden file: a new one, the one of an upload that was cut off, or a complete file taken back."""
    if fresh:
        if found is not None and found[0] == partial and _is_untouched(before):
            rename_new(folder, partial, folder, name)  # the complete file stays until its replacement is complete, too
        elif found is not None and found[0] == partial:
            # A new inode: what a connection that was taken over still writes goes nowhere.
            os.unlink(partial, dir_fd=folder)
            if before is not None:
                before.give_space_back()
            desk.partner.usage.gone(found[1])
        fd = open_file(folder, partial, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        desk.partner.usage.changed(files=1)
        return fd
    if found is None or found[0] == partial:
        return open_file(folder, partial, os.O_RDWR)
    fd = open_file(folder, name, os.O_RDWR)
    try:
        # To change a complete file is to make it incomplete; when the intake was faster, there is none any more.
        os.rename(name, partial, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _is_untouched(upload: Upload | None) -> bool:
    return upload is not None and upload.untouched


def _nothing_hidden(folder: int, name: bytes) -> None:
    """A link or pipe that clients are not shown is not replaced by an upload."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    raise failure("That name is taken")
