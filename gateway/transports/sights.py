"""What is remembered of the names in one remote folder from look to look: which are quiet, and which go on.

A partner's server tells size and time only, in whole seconds; that a file stayed as it was between two looks is all
there is to see from here. Its end is looked at once it was fetched: one whose end is missing waits until it changes,
or until it has waited long enough to be told so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from gateway.domain.partner import Completeness
from gateway.transports.sftp_client.results import RemoteLook


@dataclass(slots=True)
class _Sight:
    """Since when (monotonic, in seconds) a name is as it is, and whether its content was found to go on."""

    look: RemoteLook
    since: float
    goes_on: bool = False
    taken: bool = False  #: it was told to be ready


class Sights:
    """One remote folder."""

    def __init__(self) -> None:
        self._seen: dict[bytes, _Sight] = {}

    def hand_over(self, look: RemoteLook, to: Sights, name: bytes) -> None:
        """It was moved to another folder and name: if it is there as it was here, it need not be quiet once more."""
        sight = self._seen.get(look.name)
        if sight is not None and sight.look == look:
            to._seen[name] = _Sight(replace(look, name=name), sight.since)

    def ready(self, looks: Iterable[RemoteLook], wishes: Completeness, now: float) -> list[RemoteLook]:
        """The names to be dealt with now, in the order of the server."""
        seen: dict[bytes, _Sight] = {}
        ready: list[RemoteLook] = []
        for look in looks:
            sight = self._seen.get(look.name)
            if sight is None or sight.look != look:
                sight = _Sight(look, now)
            seen[look.name] = sight
            patience = wishes.give_up_s if sight.goes_on else wishes.quiet_s
            if now - sight.since >= patience:
                sight.taken = True
                ready.append(look)
        self._seen = seen
        return ready

    @property
    def settling(self) -> bool:
        """Is there anything that another look, soon, may find ready?"""
        return any(not sight.goes_on and not sight.taken for sight in self._seen.values())

    def must_wait(self, look: RemoteLook) -> bool:
        """The content that was fetched has no end: wait for it? Not again, when it has waited already."""
        sight = self._seen.get(look.name)
        if sight is None or sight.goes_on:
            return False
        sight.goes_on = True
        return True
