"""What a source tells of one SIRET: a public body with all its services, or that there is none of that SIRET."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.domain.facts import Buyer, Service


class Told(Protocol):
    """One SIRET as a source has it. A route's own value with these three fits: floors beside each other need not
    import each other. `buyer.has_active_service` is ignored: it depends on the day that one asks."""

    @property
    def siret(self) -> str: ...

    @property
    def buyer(self) -> Buyer | None:
        """None: the source was asked, and knows no such body."""
        ...

    @property
    def services(self) -> Sequence[Service]: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """`Told`, as the importer makes it."""

    siret: str
    buyer: Buyer | None
    services: tuple[Service, ...] = ()


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did."""

    buyers: int
    services: int
    former: int  #: buyers in the snapshot that was replaced
    taken_at: datetime
