"""Files that are being written, and how one becomes complete.

An upload of `NAME` is written under `.part~NAME` beside it and shown to the client as `NAME`. When the client closes
it, it is renamed to its own name in one step, and only then is it reported. Why not under its own name, as OpenSSH
does: then a connection that dies leaves a cut-off file that nothing tells from a whole one, neither the intake, nor we
after a restart. The hidden name is a function of the name, so a client that comes back (`reput`, `put -c`, `curl -C`)
finds its partial again, also after a restart; it is swept when nobody came back for a day. A write that failed (disk
full, quota) is never made complete by the close that follows it.

A complete file that is opened to be changed is incomplete from then on. When the connection ends before anything was
changed, it is put back under its name, for its close was answered once; so it is when it is replaced meanwhile.

There is one writer. A second open of the same name for writing takes it over: it is the client that came back while
its dead connection still looked alive. The first one's writes and close are refused from then on.

Weakness: a client that closes the file properly after its user broke off (OpenSSH `sftp` does at Ctrl-C) has told us
that it is complete. The structural look of the intake is there for that.

Durability: with `fsync_on_close` (as the gateway has it unless configured otherwise) file and folder are synced before
a close is answered, since a sender may delete its copy then; without it, as with OpenSSH, the promise is the receipt,
which is written after the archive was synced. `fsync@openssh.com` always syncs.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from dataclasses import dataclass, field

from gateway.transports.sftp_server.faults import failure
from gateway.transports.sftp_server.paths import Place


@dataclass(eq=False, slots=True)
class Upload:
    """One file being written. `parent` is its folder, held open: a folder renamed meanwhile changes nothing."""

    account: str
    session: int
    place: Place
    parent: int
    partial: bytes
    fd: int
    size_bytes: int
    failed: bool = False
    untouched: bool = False  #: a complete file that was opened for writing, and to which nothing was done yet
    unsound: bool = False  #: a sync failed: what was written before may be lost, so nothing is resumed from it
    taken_over: bool = False
    closed: bool = False  #: its descriptors are no longer its own
    lock: threading.Lock = field(default_factory=threading.Lock)

    def still_ours(self) -> None:
        """Raises Refused when another session writes the file now."""
        if self.taken_over:
            raise failure("Another connection writes this file now")

    def give_space_back(self) -> None:
        """After its last name went: a dead connection may hold the file open for long, and with it its space."""
        with self.lock:
            if not self.closed and os.fstat(self.fd).st_nlink == 0:
                os.ftruncate(self.fd, 0)


class Uploads:
    """All uploads in progress. The lock of an account guards every step from one name to another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[tuple[str, bytes], Upload] = {}
        self._locks: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)

    def lock_of(self, account: str) -> threading.RLock:
        with self._lock:
            return self._locks[account]

    def begin(self, upload: Upload) -> None:
        with self._lock:
            self._running[upload.account, upload.place.path] = upload

    def find(self, account: str, place: Place) -> Upload | None:
        with self._lock:
            return self._running.get((account, place.path))

    def any_below(self, account: str, place: Place) -> bool:
        """Is something below the folder `place` being written?"""
        prefix = place.path + b"/"
        with self._lock:
            return any(name == account and path.startswith(prefix) for name, path in self._running)

    def take_over(self, account: str, place: Place) -> Upload | None:
        """Whoever writes `place` does so no longer; returns what it wrote, after its last write."""
        upload = self.find(account, place)
        if upload is not None:
            with upload.lock:
                upload.taken_over = True
            self.end(upload)
        return upload

    def move(self, upload: Upload, place: Place, parent: int, partial: bytes) -> None:
        """The upload was renamed while it runs."""
        with self._lock:
            self._running.pop((upload.account, upload.place.path), None)
            os.close(upload.parent)
            upload.place, upload.parent, upload.partial = place, parent, partial
            self._running[upload.account, place.path] = upload

    def end(self, upload: Upload) -> None:
        with self._lock:
            key = (upload.account, upload.place.path)
            if self._running.get(key) is upload:
                del self._running[key]

    def __len__(self) -> int:
        return len(self._running)
