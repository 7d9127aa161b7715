"""The rung `close-event`: a transport of our own says that it closed the file; and the registry where it says so."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gateway.transports.completeness.sighting import Sighting
from gateway.transports.local import Look

#: Names remembered of one folder; the oldest are dropped first, and then `quiet` decides on them.
_LIMIT: Final = 200_000


class Closed:
    """Files that our SFTP server or client closed, by drop folder, as they were then. For any thread.

    The transport calls `note` when the last handle that could write was closed in good order (not when a connection
    was cut), after a rename to the final name, and again after it changed the times of such a file; and `withdraw`
    when the file is opened for writing again.
    """

    def __init__(self, limit: int = _LIMIT) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._folders: dict[Path, dict[bytes, Look]] = {}

    def note(self, folder: Path, look: Look) -> None:
        """The file stands under `look.name` (relative to the drop folder `folder`) and is finished as `look` says."""
        with self._lock:
            names = self._folders.setdefault(folder, {})
            names.pop(look.name, None)
            names[look.name] = look
            if len(names) > self._limit:
                del names[next(iter(names))]

    def withdraw(self, folder: Path, name: bytes) -> None:
        """The name is being written again, or was taken."""
        with self._lock:
            self._folders.get(folder, {}).pop(name, None)

    def noted(self, folder: Path) -> Mapping[bytes, Look]:
        """All of one folder, as it is now."""
        with self._lock:
            return dict(self._folders.get(folder, {}))

    def drop(self, folder: Path, stale: Mapping[bytes, Look]) -> None:
        """Forget what is no longer so; a note that came meanwhile stays."""
        with self._lock:
            names = self._folders.get(folder, {})
            for name, look in stale.items():
                if names.get(name) == look:
                    del names[name]


class SinceClosed:
    """Noted as closed, and unchanged since. Weakness: a client that is interrupted may close what it had (OpenSSH's
    sftp does on Ctrl-C), some open and close a file several times, and the notes are lost on a restart: name another
    rung beside it. An empty file is not finished by this: many clients create first and write later.

    Local events of the kernel are no such proof: they overflow, and are not told on network file systems.
    """

    def __init__(self) -> None:
        self.noted: Mapping[bytes, Look] = {}  #: of this look

    def __call__(self, sighting: Sighting, now: float) -> bool:
        return sighting.look.size > 0 and self.noted.get(sighting.look.name) == sighting.look
