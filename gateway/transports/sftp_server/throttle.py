"""Failed logins slow the next ones down, by address and by name, with bounded memory.

Within the window some failures are allowed; then logins are refused for a while that doubles with each further
failure. IPv6 addresses count by their /64, which one household or server has to itself. By name only passwords are
refused: otherwise anyone who knows a partner's name could lock it out, and a key cannot be guessed. For the same
reason a name is refused for a minute at most, which is long for a guesser; and a password that was refused without a
look at it counts for nothing.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_REMEMBERED: Final = 10_000


@dataclass(slots=True)
class _Record:
    failures: int
    first_at: float
    refused_until: float = 0.0


class Throttle:
    """Remembers failures by key, and says whether the key has to wait. Times are of the monotonic clock."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        *,
        allowed: int,
        window_s: float,
        refusal_s: float,
        longest_s: float,
        remembered: int = _REMEMBERED,
    ) -> None:
        self._monotonic = monotonic
        self._allowed = allowed
        self._window_s = window_s
        self._refusal_s = refusal_s
        self._longest_s = longest_s
        self._remembered = remembered
        self._records: OrderedDict[str, _Record] = OrderedDict()
        self._lock = threading.Lock()

    def wait_s(self, key: str) -> float:
        """How long `key` is still refused; 0 when it may try."""
        with self._lock:
            record = self._records.get(key)
            return max(0.0, record.refused_until - self._monotonic()) if record else 0.0

    def failed(self, key: str) -> None:
        """One more failure of `key`."""
        now = self._monotonic()
        with self._lock:
            record = self._records.get(key)
            if record is None or now - max(record.first_at, record.refused_until) > self._window_s:
                record = _Record(0, now)
            record.failures += 1
            beyond = record.failures - self._allowed
            if beyond >= 0:
                record.refused_until = now + min(self._refusal_s * 2.0 ** min(beyond, 32), self._longest_s)
            self._records[key] = record
            self._records.move_to_end(key)
            while len(self._records) > self._remembered:
                self._records.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """`key` got in: what was before is forgotten."""
        with self._lock:
            self._records.pop(key, None)

    def __len__(self) -> int:
        return len(self._records)


@lru_cache(maxsize=4096)
def address_key(address: str) -> str:
    """What failures of an address are counted under."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
