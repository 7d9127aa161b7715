"""Who has to give way when too many connections are not logged in: never somebody else than who crowds the door.

Counted by address (`throttle.address_key`), since anyone can connect. The oldest half-open connection of whoever has
most of them goes first, so that an address that connects without end drops its own connections and nobody's else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol, TypeVar

from gateway.transports.sftp_server.throttle import address_key


class Waiting(Protocol):
    """A connection that is not logged in."""

    address: str


W = TypeVar("W", bound=Waiting)


def first_to_go(waiting: Sequence[W], address: str, most: int, share: int) -> W | None:
    """Which of `waiting` (the oldest first) is dropped for one more from `address`; None when there is room.

    `most` may wait in all, and `share` of one address.
    """
    held = Counter(address_key(each.address) for each in waiting)
    newcomer = address_key(address)
    if held[newcomer] >= max(1, share):
        return next(each for each in waiting if address_key(each.address) == newcomer)
    return hindmost(waiting) if len(waiting) >= most else None


def hindmost(waiting: Sequence[W]) -> W | None:
    """The oldest of the address that has most of `waiting` (the oldest first)."""
    held = Counter(address_key(each.address) for each in waiting)
    largest = max(held.values(), default=0)
    return next((each for each in waiting if held[address_key(each.address)] == largest), None)
