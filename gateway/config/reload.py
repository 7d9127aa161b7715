"""Keeps the settings in force, and takes new ones while the gateway runs; an invalid change is told, not taken.

What the running process is built upon (state, ledger, environment) is not changed under it: that needs a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.config.faults import ConfigurationFaults, Fault
from gateway.config.load import load
from gateway.config.locate import locate
from gateway.config.read import fingerprint
from gateway.config.settings import Settings

#: Keys that hold from start to end of a process.
FIXED: Final[Mapping[str, Callable[[Settings], object]]] = {
    "gateway.state_dir": lambda settings: settings.gateway.state_dir,
    "gateway.environment": lambda settings: settings.gateway.environment,
    "ledger.url": lambda settings: settings.ledger.url,
    "directory.snapshot": lambda settings: settings.directory.snapshot,
    "workers.processes": lambda settings: settings.workers.processes,
    "workers.memory_mb": lambda settings: settings.workers.memory_mb,
}


@dataclass(frozen=True, slots=True)
class Reload:
    """What one look at the files found. With faults, the settings before it stay in force."""

    changed: bool
    faults: tuple[Fault, ...] = ()


class Configuration:
    """The settings in force. `reload` is cheap while nothing changed, and tells each change once."""

    def __init__(self, path: Path, environ: Mapping[str, str]) -> None:
        self._path = path
        self._environ = environ
        self.settings = load(path, environ)
        self._looked_at = self.settings.fingerprint

    def reload(self) -> Reload:
        """Look at the files, and put what they say in force if it is valid."""
        mark = fingerprint(self._path)
        if mark == self._looked_at:
            return Reload(changed=False)
        self._looked_at = mark
        try:
            settings = load(self._path, self._environ)
        except ConfigurationFaults as wrong:
            return Reload(changed=False, faults=wrong.faults)
        faults = tuple(_needs_restart(self.settings, settings))
        if faults:
            return Reload(changed=False, faults=faults)
        self.settings = settings
        return Reload(changed=True, faults=settings.warnings)


def _needs_restart(old: Settings, new: Settings) -> Iterator[Fault]:
    for key, value in FIXED.items():
        if value(old) != value(new):
            line = locate(_text(new.source), key.split("."))
            found = "another one: restart the gateway to change it"
            yield Fault(new.source, key, "the value with which the gateway was started", found, line=line)


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
