"""The same invoice again, performed: what becomes of a document whose number we hold already (DESIGN 4.3).

The table itself is `domain/again.py`. Recycling and completing at the platform are instructions, which this
version does not give: such a document is held, with the remedy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.domain.again import HeldAs, Outcome, again, held_as
from gateway.domain.finding import Definition, Finding, Layer, Severity, Text
from gateway.domain.states import DocumentState
from gateway.domain.statuses import status
from gateway.ledger.rows import DocumentRow

#: Of several documents with one number, the one that binds most decides.
_BINDING: Final = (
    HeldAs.UNDERWAY,
    HeldAs.REJECTED,
    HeldAs.TO_RECYCLE,
    HeldAs.TO_COMPLETE,
    HeldAs.WITH_STATE,
    HeldAs.HELD,
    HeldAs.NOT_ACCEPTED,
)

DUPLICATE: Final = Definition(
    "HISTORY-DUPLICATE",
    Layer.HISTORY,
    Severity.INFO,
    Text(
        "La facture {number} a déjà été reçue le {day}, avec le même contenu ; rien n'a été renvoyé.",
        "Invoice {number} was received on {day} already, with the same content; nothing was sent again.",
    ),
    Text("Rien à faire : suivez la première.", "Nothing to do: follow the first one."),
)
REPLACED: Final = Definition(
    "HISTORY-REPLACED",
    Layer.HISTORY,
    Severity.INFO,
    Text(
        "La facture {number} a été remplacée par celle que vous avez redéposée.",
        "Invoice {number} was replaced by the one that you dropped again.",
    ),
)
WAITS: Final = Definition(
    "HISTORY-WAITS",
    Layer.HISTORY,
    Severity.HOLD,
    Text(
        "Une facture {number} de contenu différent est en cours d'envoi ; celle-ci attend de savoir ce que devient "
        "la première.",
        "An invoice {number} with other content is on its way; this one waits until its fate is known.",
    ),
    Text(
        "Rien à faire pour l'instant : si la première est acceptée, celle-ci sera refusée ; sinon elle partira.",
        "Nothing to do for now: if the first is accepted this one will be refused, else it will go.",
    ),
)
NEW_NUMBER: Final = Definition(
    "HISTORY-REJECTED-NUMBER",
    Layer.HISTORY,
    Severity.FATAL,
    Text(
        "La facture {number} a été rejetée par son destinataire ; Chorus Pro ne l'acceptera plus sous ce numéro.",
        "Invoice {number} was rejected by its recipient; Chorus Pro will not take it again under this number.",
    ),
    Text(
        "Émettez une nouvelle facture corrigée, sous un nouveau numéro, et déposez-la.",
        "Issue a new, corrected invoice under a new number, and drop that one.",
    ),
)
ALREADY: Final = Definition(
    "HISTORY-ALREADY-WITH-STATE",
    Layer.HISTORY,
    Severity.FATAL,
    Text(
        "La facture {number} est déjà chez son destinataire (statut : {status_fr}) ; un autre contenu ne peut "
        "plus la remplacer.",
        "Invoice {number} is with its recipient already (status: {status_en}); other content cannot replace it now.",
    ),
    Text(
        "Pour la corriger, émettez un avoir puis une nouvelle facture sous un nouveau numéro.",
        "To correct it, issue a credit note, then a new invoice under a new number.",
    ),
)
AMENDABLE: Final = Definition(
    "HISTORY-AMEND",
    Layer.HISTORY,
    Severity.HOLD,
    Text(
        "La facture {number} attend une correction chez Chorus Pro (statut : {status_fr}) ; cette version de la "
        "passerelle ne la transmet pas encore elle-même.",
        "Invoice {number} waits for a correction at Chorus Pro (status: {status_en}); this version of the gateway "
        "does not pass it on itself yet.",
    ),
    Text(
        "Corrigez-la sur le portail Chorus Pro sous le même numéro (À recycler : SIRET, service ou engagement ; "
        "Suspendue : pièces jointes), sans la redéposer.",
        "Amend it on the Chorus Pro portal under the same number (to be recycled: SIRET, service or commitment; "
        "suspended: attachments), without dropping it again.",
    ),
)

_FAULTS: Final = {
    Outcome.DUPLICATE: DUPLICATE,
    Outcome.WAIT_UNTIL_SETTLED: WAITS,
    Outcome.RECYCLE_OR_REFUSE: AMENDABLE,
    Outcome.COMPLETE_OR_REFUSE: AMENDABLE,
    Outcome.REFUSE_NEW_NUMBER_NEEDED: NEW_NUMBER,
    Outcome.REFUSE_ALREADY_WITH_STATE: ALREADY,
}
_REFUSING: Final = frozenset({Outcome.REFUSE_NEW_NUMBER_NEEDED, Outcome.REFUSE_ALREADY_WITH_STATE})


@dataclass(frozen=True, slots=True)
class Repetition:
    """A newcomer against the document that binds most. No `finding`: only the newcomer's own faults count."""

    first: DocumentRow
    outcome: Outcome
    finding: Finding | None


def repetition(newcomer: DocumentRow, others: Sequence[DocumentRow]) -> Repetition | None:
    """What the table says of `newcomer`; None when nothing is held under its number."""
    if not others:
        return None
    first = min(others, key=lambda d: _rank(newcomer, d))
    outcome = again(held_as(first.state, first.native_status), first.content_sha256 == newcomer.content_sha256)
    waiting = [d for d in others if d.state is DocumentState.HELD and d.content_sha256 == newcomer.content_sha256]
    if waiting and outcome not in _REFUSING:
        first, outcome = waiting[0], Outcome.DUPLICATE
    fault = _FAULTS.get(outcome)
    if fault is None:
        return Repetition(first, outcome, None)
    told = status(first.native_status).label if first.native_status else Text(first.state, first.state)
    finding = fault.at(
        term="BT-1",
        number=newcomer.terms.number,
        day=first.opened_at.date().isoformat(),
        status_fr=told.fr,
        status_en=told.en,
    )
    return Repetition(first, outcome, finding)


def replaced_by(newcomer: DocumentRow, others: Sequence[DocumentRow]) -> list[DocumentRow]:
    """The held documents whose place a newcomer with other content takes: the sender's last word counts."""
    return [d for d in others if d.state is DocumentState.HELD and d.content_sha256 != newcomer.content_sha256]


def _rank(newcomer: DocumentRow, other: DocumentRow) -> tuple[int, bool, tuple[int, ...]]:
    """What binds most comes first; of equals, what is the same as the newcomer: the oldest of those is the first
    one, which a duplicate names; of different ones the newest counts."""
    same = other.content_sha256 == newcomer.content_sha256
    age = tuple(ord(c) if same else -ord(c) for c in other.id)
    return _BINDING.index(held_as(other.state, other.native_status)), not same, age
