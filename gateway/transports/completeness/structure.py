"""The rung `structure`: the content ends as its kind must end."""

from __future__ import annotations

from gateway.parsers.whole import looks_whole
from gateway.transports.completeness.sighting import Sighting


class StructurallyWhole:
    """The closing tag of the root, `%%EOF`, the directory of a ZIP. Weakness: says nothing of kinds it does not know,
    nor of damage in the middle, and a file cut where a shorter one would end looks whole.

    None of the neighbours asks this systematically; it is what catches the stalled upload that `quiet` lets pass.
    Asked once for each shape of a file: head and tail are read, never the whole.
    """

    def __call__(self, sighting: Sighting, now: float) -> bool:
        if sighting.look.size == 0:
            return True
        if sighting.structure is None:
            try:
                sighting.structure = looks_whole(sighting.path)
            except PermissionError:
                return True  # to be refused as unreadable: waiting makes it no better
            except OSError:
                return False
        return sighting.structure

    def settles(self, sighting: Sighting, now: float) -> bool:
        """It was not asked yet."""
        return sighting.structure is None and sighting.look.size > 0
