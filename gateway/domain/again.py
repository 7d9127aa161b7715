"""The same invoice again: what to do with a document whose identity we already hold (DESIGN 4.3), as one table.

What we hold is read from the document's state and, where the supplier may amend, from Chorus Pro's own status.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from gateway.domain.states import DocumentState
from gateway.domain.statuses import Amendment, status


class HeldAs(StrEnum):
    """What we hold under the same identity."""

    NOT_ACCEPTED = "not-accepted"  #: refused by us, bounced, or its flow rejected: no invoice anywhere
    HELD = "held"
    UNDERWAY = "underway"  #: being judged, to be sent, packed, sent or unknown: it may become an invoice
    TO_RECYCLE = "to-recycle"  #: at the platform, A_RECYCLER
    TO_COMPLETE = "to-complete"  #: at the platform, SUSPENDUE
    REJECTED = "rejected"  #: REJETEE
    WITH_STATE = "with-state"  #: at the platform otherwise, paid, ended, or adopted from the portal


class Outcome(StrEnum):
    """What becomes of the newcomer."""

    JUDGE_AGAIN = "judge-again"  #: the same decision again is told as a duplicate that names the first
    DUPLICATE = "duplicate"
    REPLACES = "replaces"
    WAIT_UNTIL_SETTLED = "wait-until-settled"
    RECYCLE_OR_REFUSE = "recycle-or-refuse"  #: only SIRET, service or EJ differ → recycle
    COMPLETE_OR_REFUSE = "complete-or-refuse"  #: only attachments or comment differ → complete
    REFUSE_NEW_NUMBER_NEEDED = "refuse-new-number-needed"
    REFUSE_ALREADY_WITH_STATE = "refuse-already-with-state"


class _Row(NamedTuple):
    same_bytes: Outcome
    other_bytes: Outcome


_O = Outcome

AGAIN: Final[Mapping[HeldAs, _Row]] = {
    HeldAs.NOT_ACCEPTED: _Row(_O.JUDGE_AGAIN, _O.REPLACES),
    HeldAs.HELD: _Row(_O.DUPLICATE, _O.REPLACES),
    HeldAs.UNDERWAY: _Row(_O.DUPLICATE, _O.WAIT_UNTIL_SETTLED),
    HeldAs.TO_RECYCLE: _Row(_O.DUPLICATE, _O.RECYCLE_OR_REFUSE),
    HeldAs.TO_COMPLETE: _Row(_O.DUPLICATE, _O.COMPLETE_OR_REFUSE),
    HeldAs.REJECTED: _Row(_O.REFUSE_NEW_NUMBER_NEEDED, _O.REFUSE_NEW_NUMBER_NEEDED),
    HeldAs.WITH_STATE: _Row(_O.DUPLICATE, _O.REFUSE_ALREADY_WITH_STATE),
}

_D = DocumentState

_HELD_AS: Final[Mapping[DocumentState, HeldAs]] = {
    _D.OPENED: HeldAs.UNDERWAY,
    _D.JUDGED: HeldAs.UNDERWAY,
    _D.READY: HeldAs.UNDERWAY,
    _D.HELD: HeldAs.HELD,
    _D.REFUSED: HeldAs.NOT_ACCEPTED,
    _D.PACKED: HeldAs.UNDERWAY,
    _D.SENT: HeldAs.UNDERWAY,
    _D.LIVE: HeldAs.WITH_STATE,
    _D.TO_AMEND: HeldAs.WITH_STATE,  # unless the status says how it may be amended
    _D.BOUNCED: HeldAs.NOT_ACCEPTED,
    _D.PAID: HeldAs.WITH_STATE,
    _D.REJECTED: HeldAs.REJECTED,
    _D.FINAL: HeldAs.WITH_STATE,
    _D.SILENT: HeldAs.WITH_STATE,
}

_AMENDABLE: Final[Mapping[Amendment, HeldAs]] = {
    Amendment.RECYCLE: HeldAs.TO_RECYCLE,
    Amendment.COMPLETE: HeldAs.TO_COMPLETE,
}


def held_as(state: DocumentState, native: str = "") -> HeldAs:
    """What a document in `state`, with Chorus Pro's last status `native`, counts as."""
    if state is DocumentState.TO_AMEND:
        return _AMENDABLE.get(status(native).amendment, _HELD_AS[state])
    return _HELD_AS[state]


def again(held: HeldAs, same_bytes: bool) -> Outcome:
    """What to do with the same invoice when we hold it as `held`."""
    row = AGAIN[held]
    return row.same_bytes if same_bytes else row.other_bytes
