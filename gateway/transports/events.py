"""File system events as a hint that a drop folder is worth a look now; the rescan stays the truth.

Events are lost on network file systems, on overflow, and while we are down, so nothing depends on them: they only
make the next look come sooner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import structlog
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer


class FolderEvents(FileSystemEventHandler):
    """Calls `hint` whenever something happens below one of the folders."""

    def __init__(self, hint: Callable[[], None]) -> None:
        self._hint = hint
        self._log = structlog.get_logger("gateway.events")
        self._observer: Any = Observer()

    def watch(self, folders: Iterable[Path]) -> None:
        """Start to listen to the folders that exist, as many as the system allows (Linux: 128 for a user)."""
        self._observer.start()
        for folder in folders:
            if folder.is_dir():
                try:
                    self._observer.schedule(self, str(folder), recursive=True)
                except OSError as error:
                    self._log.warning("folder_events_unavailable", folder=str(folder), error=str(error))
                    return

    def stop(self) -> None:
        """Stop listening."""
        if self._observer.is_alive():
            self._observer.stop()
            self._observer.join(timeout=5)

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type not in ("opened", "closed_no_write"):
            self._hint()
