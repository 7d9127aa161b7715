"""The native states of a deposited flow (`etatCourantDepotFlux`) and what each means for us (domain facts 1.5).

The API publishes no list, so a state that is not here keeps the flow waiting, is told and is alerted. Reading
"received" or "passed on" as success is the error of others that this table exists for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.domain.finding import Text, printable


class FlowOutcome(StrEnum):
    """What became of a flow, in our words."""

    PENDING = "pending"
    INTEGRATED = "integrated"
    PARTIAL = "partial"
    REJECTED = "rejected"
    INCIDENT = "incident"
    UNKNOWN_STATE = "unknown-state"  #: a native state that we do not know: pending, but told and alerted

    @property
    def terminal(self) -> bool:
        """The platform has nothing more to say of this deposit."""
        return self not in (FlowOutcome.PENDING, FlowOutcome.UNKNOWN_STATE)


@dataclass(frozen=True, slots=True)
class NativeFlowState:
    """One native state."""

    code: str
    outcome: FlowOutcome
    label: Text
    alert: bool = False  #: nothing will move until a person looks
    known: bool = True


def _state(code: str, outcome: FlowOutcome, fr: str, en: str, *, alert: bool = False) -> NativeFlowState:
    return NativeFlowState(code, outcome, Text(fr, en), alert)


_O = FlowOutcome

_TABLE: Final = (
    _state("IN_RECU", _O.PENDING, "Flux reçu", "Flow received"),
    _state(
        "IN_DEPOT_PORTAIL_EN_ATTENTE_TRAITEMENT_SE_CPP",
        _O.PENDING,
        "Dépôt en attente de traitement",
        "Deposit waiting to be processed",
    ),
    _state(
        "IN_TRAITE_SE_CPP",
        _O.PENDING,
        "Traité par le système d'échange, pas encore intégré",
        "Through the exchange system, not yet integrated",
    ),
    _state("IN_EN_ATTENTE_TRAITEMENT_CPP", _O.PENDING, "En attente de traitement", "Waiting to be processed"),
    _state("IN_EN_COURS_TRAITEMENT_CPP", _O.PENDING, "En cours de traitement", "Being processed"),
    # It waits for a person at Chorus Pro: silence here lasts until somebody calls them.
    _state(
        "IN_EN_ATTENTE_RETRAITEMENT_CPP",
        _O.PENDING,
        "En attente d'une relance par Chorus Pro",
        "Waiting to be restarted by Chorus Pro",
        alert=True,
    ),
    _state("IN_A_RELANCER", _O.PENDING, "À relancer par Chorus Pro", "To be restarted by Chorus Pro", alert=True),
    _state("IN_ERREUR_INTERNE", _O.PENDING, "Erreur interne de Chorus Pro", "Internal error of Chorus Pro", alert=True),
    _state(
        "IN_INCIDENTE",
        _O.INCIDENT,
        "Incident : le flux entier est à renvoyer",
        "Incident: the whole flow must be sent again",
        alert=True,
    ),
    _state("IN_REJETE", _O.REJECTED, "Flux rejeté, rien n'est intégré", "Flow rejected, nothing is integrated"),
    _state(
        "IN_INTEGRE_PARTIEL",
        _O.PARTIAL,
        "Intégré en partie : les factures en erreur sont rejetées",
        "Integrated in part: the faulty invoices are rejected",
    ),
    _state("IN_INTEGRE", _O.INTEGRATED, "Flux intégré", "Flow integrated"),
    # Seen on the qualification portal only.
    _state("QP_IRRECEVABLE", _O.REJECTED, "Flux irrecevable", "Flow inadmissible"),
    _state(
        "QP_RECEVABLE_AVEC_ERREUR",
        _O.PARTIAL,
        "Recevable avec erreurs : une partie est rejetée",
        "Admissible with errors: a part is rejected",
    ),
)

FLOW_STATES: Final[Mapping[str, NativeFlowState]] = {state.code: state for state in _TABLE}


def flow_state(code: str) -> NativeFlowState:
    """What a native state means; an unknown one is never an end, and is alerted."""
    native = code.strip()
    found = FLOW_STATES.get(native)
    if found is not None:
        return found
    shown = printable(native, 60)
    return NativeFlowState(
        shown,
        FlowOutcome.UNKNOWN_STATE,
        Text(
            f"État de flux inconnu de la passerelle : {shown or '(vide)'}",
            f"Flow state unknown to the gateway: {shown or '(empty)'}",
        ),
        alert=True,
        known=False,
    )
