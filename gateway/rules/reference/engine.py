"""One official sheet, run by the reference engine: what `--engine reference` and the comparisons ask."""

from __future__ import annotations

from pathlib import Path

from gateway.rules.reference.process import ReferenceAborted, ReferenceProcess
from gateway.rules.reference.svrl import read_svrl
from gateway.rules.rulebook.outcome import Abort, Outcome


class ReferenceRulebook:
    """One sheet. Several may share a process; `process` stays the caller's to close."""

    def __init__(self, sheet: Path, process: ReferenceProcess) -> None:
        self.sheet = sheet
        self._process = process

    def run(self, xml: bytes, *, fresh: bool = False) -> Outcome:
        """What the sheet says of a document. An error of the engine is an outcome with one abort: the engine stops as
        a whole, so that nothing is known of any rule.
        """
        try:
            return read_svrl(self._process.transform(self.sheet, xml, fresh=fresh))
        except ReferenceAborted as aborted:
            return Outcome((), (Abort("", "", None, str(aborted)),))
