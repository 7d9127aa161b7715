"""The states of interchange, document, flow, ack and remote file, and which moves are allowed: one table each.

From these tables come the ledger's checks, the SQL constraints, the diagram in docs and the property test. A new
state is one line here, and what must know it fails until it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeVar


class InterchangeState(StrEnum):
    SEEN = "seen"  #: whole in the drop folder, about to be claimed
    CLAIMED = "claimed"  #: renamed into our folder; nobody else can take it
    ARCHIVED = "archived"  #: its bytes are durable here
    OPENED = "opened"  #: its documents are rows
    DUPLICATE = "duplicate"  #: the same bytes were received before
    REFUSED = "refused"  #: nothing in it can be a document
    QUARANTINED = "quarantined"  #: it killed its worker twice


class DocumentState(StrEnum):
    OPENED = "opened"
    JUDGED = "judged"
    READY = "ready"  #: to be sent
    HELD = "held"  #: waits for its sender, or for another document to be settled
    REFUSED = "refused"
    PACKED = "packed"  #: in a flow, nothing called yet
    SENT = "sent"  #: at the platform, or perhaps there (its flow says which)
    LIVE = "live"  #: an invoice at the platform, with an id
    TO_AMEND = "to-amend"  #: the supplier's turn (A_RECYCLER, SUSPENDUE)
    BOUNCED = "bounced"  #: the platform refused it; it is no invoice there
    PAID = "paid"
    REJECTED = "rejected"  #: REJETEE: closed, a new number is needed
    FINAL = "final-without-payment"  #: the buyer never tells payment, or the invoice was withdrawn
    SILENT = "silent"  #: nothing heard for too long; told, and no longer waited for


class FlowState(StrEnum):
    PACKED = "packed"
    INTENDED = "intended"  #: committed before the call: it may or may not have been made
    UNKNOWN = "unknown"  #: the call was made or cut off; to be settled before anything is repeated
    SENT = "sent"
    INTEGRATED = "integrated"
    PARTIAL = "partial"
    REJECTED = "rejected"
    INCIDENT = "incident"  #: lost by the platform; the whole flow must be repeated


class AckState(StrEnum):
    OWED = "owed"
    WRITTEN = "written"
    PICKED_UP = "picked-up"


class RemoteFileState(StrEnum):
    FETCHED = "fetched"  #: its bytes are durable here, under a hidden name
    PLACED = "placed"  #: in the partner's drop folder here, or taken from it; still on the partner's server, or left
    SETTLED = "settled"  #: removed or archived there, or never to be taken


_I, _D, _F, _A, _R = InterchangeState, DocumentState, FlowState, AckState, RemoteFileState

INTERCHANGE_MOVES: Final[Mapping[InterchangeState, frozenset[InterchangeState]]] = {
    _I.SEEN: frozenset({_I.CLAIMED, _I.ARCHIVED, _I.REFUSED}),
    _I.CLAIMED: frozenset({_I.ARCHIVED, _I.REFUSED}),
    _I.ARCHIVED: frozenset({_I.OPENED, _I.DUPLICATE, _I.REFUSED, _I.QUARANTINED}),
    _I.OPENED: frozenset(),
    _I.DUPLICATE: frozenset(),
    _I.REFUSED: frozenset(),
    _I.QUARANTINED: frozenset(),
}

DOCUMENT_MOVES: Final[Mapping[DocumentState, frozenset[DocumentState]]] = {
    _D.OPENED: frozenset({_D.JUDGED}),
    _D.JUDGED: frozenset({_D.READY, _D.HELD, _D.REFUSED}),
    _D.READY: frozenset({_D.PACKED, _D.HELD}),
    _D.HELD: frozenset({_D.READY, _D.REFUSED, _D.OPENED}),
    _D.REFUSED: frozenset(),
    _D.PACKED: frozenset({_D.SENT}),
    _D.SENT: frozenset({_D.LIVE, _D.BOUNCED, _D.PACKED, _D.READY}),
    _D.LIVE: frozenset({_D.TO_AMEND, _D.PAID, _D.REJECTED, _D.FINAL, _D.SILENT}),
    _D.TO_AMEND: frozenset({_D.LIVE, _D.PAID, _D.REJECTED, _D.FINAL, _D.SILENT}),
    _D.BOUNCED: frozenset(),
    _D.PAID: frozenset(),
    _D.REJECTED: frozenset(),
    _D.FINAL: frozenset({_D.LIVE, _D.TO_AMEND, _D.PAID, _D.REJECTED}),
    _D.SILENT: frozenset({_D.LIVE, _D.TO_AMEND, _D.PAID, _D.REJECTED, _D.FINAL}),
}

FLOW_MOVES: Final[Mapping[FlowState, frozenset[FlowState]]] = {
    _F.PACKED: frozenset({_F.INTENDED}),
    _F.INTENDED: frozenset({_F.SENT, _F.UNKNOWN, _F.PACKED, _F.REJECTED}),
    _F.UNKNOWN: frozenset({_F.SENT, _F.PACKED, _F.REJECTED}),
    _F.SENT: frozenset({_F.INTEGRATED, _F.PARTIAL, _F.REJECTED, _F.INCIDENT}),
    _F.INTEGRATED: frozenset(),
    _F.PARTIAL: frozenset(),
    _F.REJECTED: frozenset(),
    _F.INCIDENT: frozenset({_F.PACKED}),
}

ACK_MOVES: Final[Mapping[AckState, frozenset[AckState]]] = {
    _A.OWED: frozenset({_A.WRITTEN}),
    _A.WRITTEN: frozenset({_A.PICKED_UP}),
    _A.PICKED_UP: frozenset(),
}

REMOTE_FILE_MOVES: Final[Mapping[RemoteFileState, frozenset[RemoteFileState]]] = {
    _R.FETCHED: frozenset({_R.PLACED}),
    _R.PLACED: frozenset({_R.SETTLED}),
    _R.SETTLED: frozenset(),
}

#: A document in one of these is an invoice at the platform, or may become one: its number is taken.
OCCUPYING: Final = frozenset(
    {
        _D.READY, _D.PACKED, _D.SENT, _D.LIVE, _D.TO_AMEND, _D.PAID, _D.REJECTED, _D.FINAL, _D.SILENT,
    }
)  # fmt: skip

#: Nothing is expected to happen to a document in one of these any more.
ENDED: Final = frozenset({_D.REFUSED, _D.BOUNCED, _D.PAID, _D.REJECTED, _D.FINAL, _D.SILENT})


class ForbiddenMove(Exception):
    """A move that the state table does not allow: a fault of ours, never of a partner."""

    def __init__(self, before: StrEnum, after: StrEnum) -> None:
        super().__init__(f"{type(before).__name__}: no move from {before} to {after}")


_S = TypeVar("_S", bound=StrEnum)


def check_move(moves: Mapping[_S, frozenset[_S]], before: _S, after: _S) -> None:
    """Raise `ForbiddenMove` unless the table allows the move."""
    if after not in moves[before]:
        raise ForbiddenMove(before, after)
