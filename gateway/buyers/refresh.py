"""Feed the snapshot from a source: the whole directory, or single bodies laid over what is there.

A source is any iterable of `Told` (Chorus Pro's answers for each SIRET asked, a file); it is consumed as it comes,
never held whole. A whole refresh that shrinks the directory below 80 % of what it was is refused unless
forced: a source cut short would turn thousands of good invoices into unknown buyers.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from math import ceil
from pathlib import Path
from typing import Final

from gateway.buyers.entries import Refreshed, Told
from gateway.buyers.snapshot import count_at
from gateway.buyers.writing import write_snapshot

LEAST_SHARE: Final = 0.8


def replace_all(path: Path, told: Iterable[Told], taken_at: datetime, *, force: bool = False) -> Refreshed:
    """Put a whole new snapshot in place. On `TooFew`, `Busy`, or what the source raises, nothing changed."""
    least = 0 if force else max(1, ceil(count_at(path) * LEAST_SHARE))  # an empty source is no directory
    return write_snapshot(path, told, taken_at, least=least)


def lay_over(path: Path, told: Iterable[Told], seen_at: datetime) -> Refreshed:
    """Replace what is known of some SIRETs, and leave the others and the date of the whole as they are. When the
    source fails on the way, what it told before is kept and its error raised."""
    return write_snapshot(path, told, seen_at, whole=False)
