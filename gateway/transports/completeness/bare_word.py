"""A sender's word without a hash: a marker, or a list of bare names. Believed, but the end of the file is looked at."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.domain import intake
from gateway.domain.finding import Finding
from gateway.transports.completeness.quiet import QuietFor
from gateway.transports.completeness.sighting import Sighting
from gateway.transports.completeness.structure import StructurallyWhole
from gateway.transports.completeness.word import NOTHING, WHOLE, Says, Word
from gateway.transports.local import printable_name


class BareWord:
    """The file is whole when it ends as its kind must; and when the proof is the older of the two, by our sight or by
    mtime, after a quiet time only.

    "Orphans both ways, order of arrival, done-file must be last" is what markers are known for: a client with several
    connections (lftp mirror -P) sends the small marker while the large file still comes in, and the event that the
    marker causes makes us look at that very moment; and a marker may be left from the last file of the same name.
    """

    def __init__(self, quiet_s: float, minutes: str) -> None:
        self._quiet = QuietFor(quiet_s)
        self._whole = StructurallyWhole()
        self._minutes = minutes

    def about(self, file: Sighting, proof: Sighting, now: float) -> Word:
        """What the proof says of the file."""
        older = proof.unchanged_since < file.unchanged_since or proof.look.mtime_ns < file.look.mtime_ns
        if older and not self._quiet(file, now):
            file.pending = True
            return NOTHING
        if self._whole(file, now):
            return WHOLE
        since = max(file.unchanged_since, proof.unchanged_since)
        return Word(Says.NOT_WHOLE, since=since, tell=lambda: self._half(file))

    def _half(self, file: Sighting) -> Sequence[Finding]:
        return (intake.INCOMPLETE.at(name=printable_name(file.look.name), minutes=self._minutes),)
