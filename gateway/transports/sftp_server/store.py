"""What a session can do with files and folders by their paths: look, list, rename, remove, make, set times."""

from __future__ import annotations

import os
import stat

from gateway.transports.local import is_temporary
from gateway.transports.sftp_server.audit import Outcome
from gateway.transports.sftp_server.desk import Desk
from gateway.transports.sftp_server.faults import denied, failure, no_such_file
from gateway.transports.sftp_server.handles import FolderHandle, Handle, RootHandle
from gateway.transports.sftp_server.opening import seen
from gateway.transports.sftp_server.paths import PARTIAL_PREFIX, Place, below_folder, normal, partial_name
from gateway.transports.sftp_server.root import (
    folder_of,
    held,
    is_free,
    look,
    make_folder,
    parent_of,
    rename_new,
)
from gateway.transports.sftp_server.wire import Wishes


def canonical(path: bytes) -> bytes:
    """The absolute form of a path; says nothing of whether anything is there. Raises Refused."""
    return b"/" + b"/".join(normal(path))


def facts_of(desk: Desk, path: bytes) -> os.stat_result:
    """Size, mode and times of what stands at `path`. Raises Refused."""
    place = desk.place(path)
    if place.folder is None:
        return desk.account.root.stat()
    if not place.parts:
        with held(desk.account.root, (place.folder.name.encode(),)) as folder:
            return os.fstat(folder)
    with parent_of(desk.account.root, place) as (folder, _):
        found = seen(folder, place)
    if found is not None:
        return found[1]
    taken = desk.partner.delivered.recall(place)
    if taken is None:
        raise no_such_file()
    return taken


def open_folder(desk: Desk, path: bytes) -> Handle:
    """A listing of the folder at `path`. Raises Refused and OSError."""
    place = desk.place(path)
    if place.folder is None:
        root = desk.account.root
        with held(root, ()) as folder:
            found = [(f.name.encode(), look(folder, f.name.encode())) for f in desk.account.folders]
            shown = [(name, facts) for name, facts in found if facts is not None and stat.S_ISDIR(facts.st_mode)]
            return RootHandle(os.fstat(folder), list(shown))
    root, names = folder_of(desk.account.root, place)
    with held(root, names) as folder:
        handle = FolderHandle(place, os.dup(folder))
    desk.trail.tell("list", Outcome.OK, place.path)
    return handle


def remove(desk: Desk, path: bytes) -> None:
    """Remove a file, and an upload of that name. Raises Refused and OSError."""
    place = below_folder(desk.place(path))
    with desk.alone(), parent_of(desk.account.root, place) as (folder, _):
        found = seen(folder, place)
        if found is None:
            raise no_such_file()
        upload = desk.uploads.take_over(desk.account.name, place)
        size = 0
        while found is not None:
            if not stat.S_ISREG(found[1].st_mode):
                raise failure("That is a folder")
            os.unlink(found[0], dir_fd=folder)
            if upload is not None:
                upload.give_space_back()
            size += found[1].st_size
            if place.folder is not None and place.folder.write:
                desk.partner.usage.gone(found[1])
            found = seen(folder, place)
        desk.partner.delivered.forget(place)
    desk.trail.tell("remove", Outcome.OK, place.path, size_bytes=size)


def make(desk: Desk, path: bytes) -> None:
    """Make a folder. Raises Refused and OSError."""
    place = desk.writable(path)
    if len(place.parts) > desk.settings.depth:
        raise failure("Too many folders within folders")
    with desk.alone(), parent_of(desk.account.root, place) as (folder, name):
        desk.partner.usage.room_for(files=1)
        if seen(folder, place) is not None:
            raise failure("A file or folder of that name is there already")
        make_folder(folder, name)
        desk.partner.usage.changed(files=1)
        desk.settle(folder)
    desk.trail.tell("mkdir", Outcome.OK, place.path)


def remove_folder(desk: Desk, path: bytes) -> None:
    """Remove an empty folder. Raises Refused and OSError."""
    place = desk.writable(path)
    with desk.alone(), parent_of(desk.account.root, place) as (folder, name):
        if look(folder, name) is None:
            raise no_such_file()
        os.rmdir(name, dir_fd=folder)
    desk.partner.usage.changed(files=-1)
    desk.trail.tell("rmdir", Outcome.OK, place.path)


def change(desk: Desk, path: bytes, wishes: Wishes) -> None:
    """Set times. Modes and owners are ours: that clients ask for them (`put -p`, lftp, WinSCP) is no fault."""
    place = desk.place(path)
    if not place.parts:
        return
    place = desk.writable(path)
    if wishes.size_bytes is not None:
        raise denied("The size of a file is changed by writing it")
    with desk.alone(), parent_of(desk.account.root, place) as (folder, _):
        found = seen(folder, place)
        delivered = desk.partner.delivered.recall(place)
        if found is None:
            if delivered is None:
                raise no_such_file()
            return
        if wishes.atime_s is not None and wishes.mtime_s is not None:
            os.utime(found[0], (wishes.atime_s, wishes.mtime_s), dir_fd=folder, follow_symlinks=False)
        now = look(folder, found[0])
    desk.trail.tell("setstat", Outcome.OK, place.path)
    if now is not None and delivered is not None and _same(delivered, found[1]) and _same(found[1], now, times=False):
        # Many clients set the times when all is sent: it is as complete as it was, and looks different.
        desk.complete(place, now)


def _same(one: os.stat_result, other: os.stat_result, *, times: bool = True) -> bool:
    """The same file, of the same size, last written to at the same time."""
    if (one.st_dev, one.st_ino, one.st_size) != (other.st_dev, other.st_ino, other.st_size):
        return False
    return not times or one.st_mtime_ns == other.st_mtime_ns


def rename(desk: Desk, old_path: bytes, new_path: bytes, *, replace: bool) -> None:
    """Rename a file or folder within one folder of the account; `replace` as POSIX does. Raises Refused and OSError.

    A file that gets a name which is no temporary one is complete by that.
    """
    old, new = desk.writable(old_path), desk.writable(new_path)
    if old.folder != new.folder:
        raise denied("Files are renamed within one folder, not moved from one to another")
    finished: list[tuple[Place, os.stat_result]] = []
    root = desk.account.root
    with desk.alone(), parent_of(root, old) as (source, _), parent_of(root, new) as (target, _):
        found = seen(source, old)
        if found is None:
            raise no_such_file()
        if old.path == new.path:
            return
        if stat.S_ISDIR(found[1].st_mode):
            finished = _rename_folder(desk, old, new, source, target)
        elif found[0].startswith(PARTIAL_PREFIX):
            _rename_upload(desk, old, new, source, target, replace=replace)
        else:
            _rename_file(desk, old, new, source, target, replace=replace)
            facts = look(target, new.parts[-1])
            finished = [] if facts is None else [(new, facts)]
        desk.settle(target, *([] if os.path.samestat(os.fstat(source), os.fstat(target)) else [source]))
        desk.partner.delivered.forget(old)
    desk.trail.tell("rename", Outcome.OK, old.path, detail="to " + new.path.decode("utf-8", "replace"))
    for place, facts in finished:
        desk.complete(place, facts)


def _rename_file(desk: Desk, old: Place, new: Place, source: int, target: int, *, replace: bool) -> None:
    there = seen(target, new)
    if there is not None and stat.S_ISDIR(there[1].st_mode):
        raise failure("A folder of that name is there already")
    if there is not None and not replace:
        raise failure("A file of that name is there already")
    if there is None and not is_free(target, new.parts[-1]):
        raise failure("That name is taken")  # by something that clients are not shown
    if there is not None and there[0].startswith(PARTIAL_PREFIX):
        # The complete file comes in place of an upload that was cut off, or that is given up for it.
        upload = desk.uploads.take_over(desk.account.name, new)
        os.unlink(there[0], dir_fd=target)
        if upload is not None:
            upload.give_space_back()
        desk.partner.usage.gone(there[1])
    if replace:
        os.rename(old.parts[-1], new.parts[-1], src_dir_fd=source, dst_dir_fd=target)
    else:
        rename_new(source, old.parts[-1], target, new.parts[-1])


def _rename_upload(desk: Desk, old: Place, new: Place, source: int, target: int, *, replace: bool) -> None:
    """A file still being written moves with its upload; one that was cut off gets no other name."""
    upload = desk.uploads.find(desk.account.name, old)
    if upload is None or upload.session != desk.session:
        raise failure("Not complete: its upload was cut off. Resume it or send it again, then rename it")
    there = seen(target, new)
    if there is not None and (not replace or stat.S_ISDIR(there[1].st_mode)):
        raise failure("A file or folder of that name is there already")
    partial = partial_name(new.parts[-1])
    before = desk.uploads.take_over(desk.account.name, new)
    os.rename(upload.partial, partial, src_dir_fd=source, dst_dir_fd=target)
    if before is not None:
        before.give_space_back()
    if there is not None and there[0] == partial:
        desk.partner.usage.gone(there[1])
    desk.uploads.move(upload, new, os.dup(target), partial)


def _rename_folder(desk: Desk, old: Place, new: Place, source: int, target: int) -> list[tuple[Place, os.stat_result]]:
    """The files in it that are complete by the folder's new name."""
    if desk.uploads.any_below(desk.account.name, old):
        raise failure("Files in this folder are still being written")
    if len(new.parts) > len(old.parts):
        raise failure("A folder is not moved further down")
    if seen(target, new) is not None or not is_free(target, new.parts[-1]):
        raise failure("A file or folder of that name is there already")
    os.rename(old.parts[-1], new.parts[-1], src_dir_fd=source, dst_dir_fd=target)
    return _files_in(desk, new) if old.is_temporary and not new.is_temporary else []


def _files_in(desk: Desk, place: Place) -> list[tuple[Place, os.stat_result]]:
    """The first thousand files directly in the folder; the intake's rescan finds the others."""
    found = []
    root, names = folder_of(desk.account.root, place)
    with held(root, names) as folder, os.scandir(folder) as entries:
        for entry in entries:
            name = os.fsencode(entry.name)
            facts = None if is_temporary(name) else look(folder, name)
            if facts is not None and stat.S_ISREG(facts.st_mode):
                found.append((Place(place.folder, (*place.parts, name)), facts))
            if len(found) == 1000:
                break
    return found
