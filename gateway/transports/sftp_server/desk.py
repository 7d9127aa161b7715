"""What the operations of one session work with, and how a finished file is reported."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gateway.transports.sftp_server.audit import Trail, complain
from gateway.transports.sftp_server.faults import LimitReached, denied
from gateway.transports.sftp_server.partner import Partner
from gateway.transports.sftp_server.paths import Place, below_folder, locate
from gateway.transports.sftp_server.settings import Account, Completed, OnComplete, ServerSettings
from gateway.transports.sftp_server.uploads import Uploads


class HandleBudget:
    """How many files and folders may be open: in one session, or (as `above`) in all of them."""

    def __init__(self, most: int, above: HandleBudget | None = None) -> None:
        self._most = most
        self._above = above
        self._open = 0
        self._lock = threading.Lock()

    def take(self) -> None:
        """One more. Raises LimitReached."""
        with self._lock:
            if self._open >= self._most:
                raise LimitReached("Too many open files: close some first")
            self._open += 1
        if self._above is not None:
            try:
                self._above.take()
            except LimitReached:
                with self._lock:
                    self._open -= 1
                raise

    def give_back(self) -> None:
        with self._lock:
            self._open -= 1
        if self._above is not None:
            self._above.give_back()

    @property
    def open(self) -> int:
        return self._open


@dataclass(frozen=True, slots=True)
class Desk:
    """One logged-in session's view of everything."""

    session: int
    partner: Partner
    uploads: Uploads
    trail: Trail
    settings: ServerSettings
    budget: HandleBudget
    on_complete: OnComplete | None
    ended: threading.Event  #: the session is told to end: nothing more is done for it

    def spend(self, size_bytes: int) -> None:
        """So many bytes go over the line: wait until they are within the partner's rate."""
        self.partner.pace.spend(size_bytes, self.ended)

    @property
    def account(self) -> Account:
        return self.partner.account

    def place(self, path: bytes) -> Place:
        """Where a path of the client is. Raises Refused."""
        return locate(path, self.account.folders, self.settings.depth)

    def writable(self, path: bytes) -> Place:
        """The same, and something may be made or changed there. Raises Refused."""
        place = below_folder(self.place(path))
        if place.folder is None or not place.folder.write:
            raise denied("This folder is read-only")
        return place

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No other session of the account moves files from name to name meanwhile."""
        with self.uploads.lock_of(self.account.name):
            yield

    def settle(self, *folders: int) -> None:
        """What was made or renamed in these open folders is on the disk when this returns, if so configured: its
        sender may rely on the answer. Raises OSError."""
        if self.settings.fsync_on_close:
            for folder in folders:
                os.fsync(folder)

    def complete(self, place: Place, facts: os.stat_result) -> None:
        """The file is finished: remember and report it, unless its name says that it is not meant to be taken."""
        if place.is_temporary or place.folder is None:
            return
        self.partner.delivered.remember(place, facts)
        if self.on_complete is None:
            return
        report = Completed(self.account.name, place.folder.name, place.name, facts.st_size, facts.st_dev, facts.st_ino)
        try:
            self.on_complete(report)
        except Exception:
            # The file is there and the intake's rescan will find it; its sender must not be told otherwise.
            complain("on_complete_failed", account=self.account.name)
