"""Is a dropped file whole? The completeness ladder: an idea a file, each a small predicate (`docs/completeness.md`).

`Watch` looks at one drop folder and says what may be taken; `Ladder` says how the predicates become one answer.
"""

from gateway.transports.completeness.closed import Closed
from gateway.transports.completeness.in_hand import Batch, InHand, is_note
from gateway.transports.completeness.watch import Ready, Watch

__all__ = ["Batch", "Closed", "InHand", "Ready", "Watch", "is_note"]
