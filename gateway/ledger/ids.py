"""Identifiers that sort by time of birth, in Crockford's base 32: 48 bits of milliseconds and 80 more, as a ULID.

The first ten of the 80 say which microsecond, the others are random: what is told or opened in one go keeps its order.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH: Final = 26
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def new_id(now: datetime) -> str:
    """A new identifier of 26 characters; later ones sort after earlier ones to the microsecond."""
    milliseconds, micro = divmod((now - _EPOCH) // timedelta(microseconds=1), 1000)
    value = (milliseconds << 80) | (micro << 70) | secrets.randbits(70)
    digits = []
    for _ in range(_LENGTH):
        value, digit = divmod(value, 32)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def new_ids(now: datetime, count: int) -> list[str]:
    """Several identifiers of one moment, in their order: what was first stays first in every list."""
    return sorted(new_id(now) for _ in range(count))
