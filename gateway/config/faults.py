"""What is wrong with a configuration, in words: file, line, key, what was expected, what was found.

No text here ever holds a secret: who makes a fault has seen to it (`translate.py`, `cross.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong. `fatal` ones keep the gateway from starting; the others are told."""

    file: Path
    key: str  #: dotted path, "" for the file as a whole
    expected: str
    found: str
    line: int | None = None
    column: int | None = None
    suggestion: str = ""
    fatal: bool = True

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        key = f" {self.key}:" if self.key else ""
        kind = "" if self.fatal else " warning:"
        return f"{place}:{kind}{key} expected {self.expected}; found {self.found}.{self.suggestion}"


class ConfigurationFaults(Exception):
    """Everything that is wrong with a configuration, at once."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))
