"""Whose turn it is: partners are served in rotation, each with an equal share, so that nobody waits behind a bulk
sender (DESIGN 3: every claim statement is fair between partners)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

_Row = TypeVar("_Row")


class Rotation:
    """Remembers who was served first the last time."""

    def __init__(self) -> None:
        self._first = ""

    def order(self, partners: Iterable[str]) -> list[str]:
        """All partners, beginning after the one that began the last round."""
        names = sorted(partners)
        later = [name for name in names if name > self._first]
        order = later + [name for name in names if name <= self._first]
        if order:
            self._first = order[0]
        return order


def fair_share(order: Sequence[str], limit: int, fetch: Callable[[str, int], Sequence[_Row]]) -> list[_Row]:
    """Up to `limit` rows: first an equal share of each partner, then what is left to whoever has more.

    `fetch(partner, n)` gives the `n` oldest rows of a partner; asked again with a larger `n` it gives the same
    ones first.
    """
    if not order:
        return []
    share = max(1, limit // len(order))
    taken: dict[str, list[_Row]] = {}
    left = limit
    for name in order:
        if left <= 0:
            break
        taken[name] = list(fetch(name, min(share, left)))
        left -= len(taken[name])
    for name, rows in taken.items():
        if left <= 0:
            break
        if len(rows) == share:
            more = list(fetch(name, share + left))[len(rows) :]
            rows.extend(more)
            left -= len(more)
    return [row for rows in taken.values() for row in rows]
