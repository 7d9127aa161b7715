"""Did a proof come after the file that it vouches for? A marker that was there first may be there too early."""

from __future__ import annotations

from gateway.transports.completeness.quiet import QuietFor
from gateway.transports.completeness.sighting import Sighting
from gateway.transports.completeness.structure import StructurallyWhole


class CameAfter:
    """True at once for a proof that is younger than its file, by our sight and by mtime. One of the same instant (file
    systems count in ticks of some milliseconds) needs a structural end too; an older one also a quiet time.

    Parallel clients send the marker first (lftp mirror -P), and a marker may be left from the last file of the same
    name: "orphans both ways, order of arrival, who deletes it" is what done-files are known for.
    """

    def __init__(self, quiet_s: float) -> None:
        self._quiet = QuietFor(quiet_s)
        self._whole = StructurallyWhole()

    def __call__(self, proof: Sighting, file: Sighting, now: float) -> bool:
        seen_first = proof.unchanged_since < file.unchanged_since
        if not seen_first and proof.look.mtime_ns > file.look.mtime_ns:
            return True
        if not seen_first and proof.look.mtime_ns == file.look.mtime_ns:
            return self._whole(file, now)
        file.pending = not self._quiet(file, now)
        return self._quiet(file, now) and self._whole(file, now)
