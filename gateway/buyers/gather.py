"""Gather the facts about one document before its rules run: its issuer, its buyer, the service it names, the day.

A `Gatherer` serves one run of one day: what it looked up it remembers, for a night's fifty thousand invoices go to
a few hundred buyers. Make a new one for each run, so that a new day or a new snapshot is seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from gateway.buyers.freshness import Limits, age_in_days, state_of
from gateway.buyers.snapshot import Snapshot
from gateway.domain.facts import Buyer, Directory, Facts, Service
from gateway.domain.issuer import Environment, Issuer, Route
from gateway.domain.terms import KeyTerms

_REMEMBERED: Final = 20_000


@dataclass(frozen=True, slots=True)
class Defaults:
    """What counts for a document whose seller is none of our issuers, or outside a configuration."""

    route: Route = Route.CHORUS_API
    sandbox: bool = False


class Gatherer:
    """Facts of documents judged on `today`. `issuers` None: not known here (`gateway validate` by itself)."""

    def __init__(
        self,
        today: date,
        snapshot: Snapshot | None,
        issuers: Mapping[str, Issuer] | None,
        limits: Limits | None = None,
        defaults: Defaults | None = None,
    ) -> None:
        self._today = today
        self._snapshot = snapshot
        self._issuers = issuers
        self._limits = limits or Limits()
        self._defaults = defaults or Defaults()
        self._buyer = lru_cache(_REMEMBERED)(self._look_up_buyer)
        self._service = lru_cache(_REMEMBERED)(self._look_up_service)

    def facts_for(self, terms: KeyTerms, partner: str = "", route: Route | None = None) -> Facts:
        """All that rules may ask. `route` overrides the issuer's own."""
        issuer = None if self._issuers is None else self._issuers.get(terms.issuer)
        siret = terms.buyer
        buyer, age = self._buyer(siret)
        code = terms.service_code
        return Facts(
            today=self._today,
            route=route or (issuer.route if issuer else self._defaults.route),
            partner=partner,
            issuer=issuer,
            issuers_known=self._issuers is not None,
            directory=state_of(age, self._limits),
            directory_age_days=age,
            buyer=buyer,
            service=self._service(siret, code) if buyer and code else None,
            sandbox=issuer.environment is Environment.TEST if issuer else self._defaults.sandbox,
        )

    def _look_up_buyer(self, siret: str) -> tuple[Buyer | None, int | None]:
        """The body, and the age of what we know of that SIRET; no age where nobody ever asked."""
        if self._snapshot is None:
            return None, None
        seen = self._snapshot.buyer(siret, self._today)
        return seen.buyer, None if seen.at is None else age_in_days(seen.at, self._today)

    def _look_up_service(self, siret: str, code: str) -> Service | None:
        return self._snapshot.service(siret, code) if self._snapshot else None

    @property
    def directory(self) -> Directory:
        """The state of the snapshot as a whole."""
        taken_at = self._snapshot.taken_at if self._snapshot else None
        return state_of(None if taken_at is None else age_in_days(taken_at, self._today), self._limits)
