"""The directory of public bodies while the gateway runs: facts from the snapshot, and what it lacks asked for.

The snapshot on disk is the only truth here; it is opened anew when it changes. A SIRET that it never heard of is
asked of Chorus Pro once, before its first invoice is judged; when Chorus Pro cannot be asked, the invoice is held
and judged again later (DESIGN 5: missing facts are no engine failure).
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Final

import structlog

from gateway.buyers.entries import Refreshed, Told
from gateway.buyers.freshness import Limits, day_in_paris
from gateway.buyers.gather import Defaults, Gatherer
from gateway.buyers.refresh import lay_over, replace_all
from gateway.buyers.snapshot import open_snapshot, stamp
from gateway.buyers.writing import Busy
from gateway.clock import Clock
from gateway.domain.facts import Directory, Facts
from gateway.domain.terms import KeyTerms
from gateway.routes.chorus_api import ChorusApi
from gateway.routes.protocol import RouteTrouble
from gateway.steps.house import Roster

_SIRET: Final = re.compile(r"[0-9]{14}")
#: How long a directory in trouble is left alone.
_PAUSE_S: Final = 60.0
#: Bodies that a nightly refresh asks for at most: four calls each, about an hour at four a second.
_NIGHT: Final = 3000
_WORTH_ASKING: Final = frozenset({Directory.MISSING, Directory.STALE})


class LiveBuyers:
    """See `steps.house.Buyers`. Each thread that asks has its own connection to the snapshot."""

    def __init__(
        self,
        roster: Roster,
        clock: Clock,
        chorus: ChorusApi,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._roster = roster
        self._clock = clock
        self._chorus = chorus
        self._monotonic = monotonic
        self._own = threading.local()
        self._leave_alone_until = 0.0
        self.night = _NIGHT
        self._log = structlog.get_logger("gateway.directory")

    def facts_for(self, terms: KeyTerms, partner: str) -> Facts:
        """What rules may know beside the document."""
        return self._gatherer().facts_for(terms, partner)

    def learn(self, documents: Sequence[tuple[KeyTerms, str]]) -> None:
        """Ask Chorus Pro for the buyers of (terms, partner) that the snapshot never heard of, or heard of too long ago.
        Never raises: what could not be asked stays as it is."""
        wanted: dict[str, str] = {}
        for terms, partner in documents:
            asked = _SIRET.fullmatch(terms.buyer) and terms.issuer in self._roster.settings.issuers
            if asked and self.facts_for(terms, partner).directory in _WORTH_ASKING:
                wanted.setdefault(terms.buyer, terms.issuer)
        if not wanted or self._monotonic() < self._leave_alone_until:
            return
        settings = self._roster.settings
        issuer = settings.issuers[next(iter(wanted.values()))]
        try:
            told = self._chorus.directory(issuer, list(wanted))
            learnt = lay_over(settings.snapshot, told, self._clock.now())
        except (RouteTrouble, Busy) as trouble:
            self._leave_alone_until = self._monotonic() + _PAUSE_S
            self._log.warning("directory_not_asked", bodies=len(wanted), reason=str(trouble))
            return
        self._log.info("directory_asked", bodies=learnt.buyers)

    def refresh(self, sirets: Sequence[str] = (), go_on: Callable[[], bool] = lambda: True) -> Refreshed | None:
        """Ask again for the bodies of the snapshot, or for those named, as long as we may `go_on`; None when there is
        nobody to ask about. Of a snapshot too large to be asked in one night (an imported directory) the ones heard of
        longest ago. Raises `RouteTrouble`, `TooFew` or `Busy`."""
        settings = self._roster.settings
        issuer = next(iter(settings.issuers.values()), None)
        wanted, whole = list(sirets), False
        if not wanted and (snapshot := open_snapshot(settings.snapshot)) is not None:
            wanted = list(islice(snapshot.sirets(), self.night + 1))
            snapshot.close()
            whole = len(wanted) <= self.night
        if issuer is None or not wanted:
            return None
        told = _while(go_on, self._chorus.directory(issuer, wanted[: self.night]))
        now: datetime = self._clock.now()
        return replace_all(settings.snapshot, told, now) if whole else lay_over(settings.snapshot, told, now)

    def _gatherer(self) -> Gatherer:
        settings = self._roster.settings
        today: date = day_in_paris(self._clock.now())
        mark = (today, settings.fingerprint, stamp(settings.snapshot))
        if getattr(self._own, "mark", None) != mark:
            if (before := getattr(self._own, "snapshot", None)) is not None:
                before.close()
            self._own.snapshot = open_snapshot(settings.snapshot)
            limits = Limits.of(settings.directory.aged_after, settings.directory.hold_after)
            defaults = Defaults(sandbox=settings.sandbox)
            self._own.gatherer = Gatherer(today, self._own.snapshot, settings.issuers, limits, defaults)
            self._own.mark = mark
        gatherer: Gatherer = self._own.gatherer
        return gatherer


def _while(go_on: Callable[[], bool], told: Iterable[Told]) -> Iterator[Told]:
    """Thousands of bodies take a while: a gateway that is told to stop does not wait for them."""
    for one in told:
        if not go_on():
            raise RouteTrouble("the gateway is being stopped")
        yield one
