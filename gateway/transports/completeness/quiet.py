"""The rung `quiet`, the commonest and the weakest: nothing has changed for a while."""

from __future__ import annotations

from typing import Final

from gateway.transports.completeness.sighting import Sighting

#: An empty file is often one that was just opened for writing: it gets this many quiet times before it counts
#: (OpenAS2 #475 hardened the pick-up of files of no length for the same reason).
EMPTY_PATIENCE: Final = 10


class QuietFor:
    """Size, mtime and inode unchanged between two looks `seconds` apart. Weakness: a stalled upload looks quiet, so
    does one whose server sets the full size first; and every file waits these seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self, sighting: Sighting, now: float) -> bool:
        patience = self.seconds if sighting.look.size else self.seconds * EMPTY_PATIENCE
        return now - sighting.unchanged_since >= patience

    def settles(self, sighting: Sighting, now: float) -> bool:
        """Time alone may change the answer."""
        return not self(sighting, now)
