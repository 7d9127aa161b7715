"""Chorus Pro's invoice statuses as data: what each is called, whose turn it is, and which state it leads to.

Native codes come first; the CPPStatut number and the reform code stand beside them (domain facts 3.1, 3.2, 5.2;
A_RECYCLER has no twin in the reform). The works circuit is listed without published labels: its rows carry the
plain reading of the code and `certain=False`. A code that is not in the table is kept, told and alerted: a product
that showed unknown statuses as pending once hid a rejection (domain facts 6, last rows).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.domain.ack import Action, Source
from gateway.domain.finding import Text, printable
from gateway.domain.states import DocumentState


class Turn(StrEnum):
    """Who has to act before the invoice moves on."""

    SUPPLIER = "supplier"
    BUYER = "buyer"
    VALIDATOR = "validator"  #: co-contractor, project manager (MOE) or contracting authority (MOA)
    PLATFORM = "platform"
    NOBODY = "nobody"  #: it has ended
    UNKNOWN = "unknown"


class Amendment(StrEnum):
    """What Chorus Pro lets the supplier change on an invoice that is already there."""

    NONE = ""
    RECYCLE = "recycle"  #: SIRET, service and EJ only, same number
    COMPLETE = "complete"  #: attachments and comment only, same number


@dataclass(frozen=True, slots=True)
class ChorusStatus:
    """One status. `state` is None where it moves no document: a draft is no invoice, an unknown code is no news."""

    code: str
    label: Text
    state: DocumentState | None
    turn: Turn
    action: Action = Action.NONE
    source: Source = Source.BUYER
    cpp: str = ""  #: CPPStatut IdStatut, "01"…"41"
    reform: str = ""  #: status code of the reform
    amendment: Amendment = Amendment.NONE
    certain: bool = True  #: label and meaning are documented, not read off the code
    alert: bool = False  #: somebody on our side should look
    known: bool = True

    @property
    def terminal(self) -> bool:
        """Nothing more is expected of the invoice."""
        return self.state in _TERMINAL

    @property
    def always_told(self) -> bool:
        """Told whatever the partner wishes: the ends, the supplier's turns, and what we do not understand."""
        return self.terminal or self.turn is Turn.SUPPLIER or self.alert

    @property
    def retransmittable(self) -> bool | None:
        """May the same number go again? None where nobody asks. It follows from the state, never from the reason's
        text (design/acknowledgements.md 5.2)."""
        if self.code == "A_RECYCLER":
            return True
        asked = self.state in (DocumentState.TO_AMEND, DocumentState.REJECTED, DocumentState.FINAL)
        return False if asked else None


_TERMINAL: Final = frozenset({DocumentState.PAID, DocumentState.REJECTED, DocumentState.FINAL})


def _live(code: str, fr: str, en: str, turn: Turn, *, cpp: str = "", reform: str = "") -> ChorusStatus:
    """A documented step of an invoice on its way (domain facts 3.2)."""
    source = Source.CHORUS if turn is Turn.PLATFORM or code == "COMPLETEE" else Source.BUYER
    return ChorusStatus(code, Text(fr, en), DocumentState.LIVE, turn, source=source, cpp=cpp, reform=reform)


def _circuit(code: str, fr: str, en: str, turn: Turn = Turn.VALIDATOR) -> ChorusStatus:
    """A step of the works or subcontracting circuit that asks nothing of the supplier."""
    source = Source.CHORUS if turn is Turn.PLATFORM else Source.BUYER
    return ChorusStatus(code, Text(fr, en), DocumentState.LIVE, turn, source=source, certain=False)


def _to_settle(code: str, fr: str, en: str) -> ChorusStatus:
    """The supplier's turn in a circuit that we do not perform: a person must settle it."""
    return ChorusStatus(code, Text(fr, en), DocumentState.TO_AMEND, Turn.SUPPLIER, action=Action.CONTACT, certain=False)


def _draft(code: str, fr: str, en: str) -> ChorusStatus:
    """On the portal, but not yet an invoice."""
    return ChorusStatus(
        code, Text(fr, en), None, Turn.SUPPLIER, action=Action.CONTACT, source=Source.CHORUS, certain=False
    )


def _refused(code: str, fr: str, en: str, *, cpp: str = "") -> ChorusStatus:
    """Refused by somebody of the circuit: the number is taken, so only a new invoice helps."""
    return ChorusStatus(
        code,
        Text(fr, en),
        DocumentState.REJECTED,
        Turn.SUPPLIER,
        action=Action.REISSUE,
        cpp=cpp,
        certain=False,
    )


def _withdrawn(code: str, fr: str, en: str, *, certain: bool = False) -> ChorusStatus:
    """Ended without payment."""
    return ChorusStatus(code, Text(fr, en), DocumentState.FINAL, Turn.NOBODY, certain=certain)


_TABLE: Final = (
    # The main path (domain facts 3.2), in the order of CPPStatut
    _live("DEPOSEE", "Déposée", "Deposited", Turn.PLATFORM, cpp="01", reform="200"),
    _live(
        "EN_COURS_ACHEMINEMENT",
        "En cours d'acheminement vers le destinataire",
        "On its way to the recipient",
        Turn.PLATFORM,
        cpp="02",
        reform="201",
    ),
    ChorusStatus(
        "MISE_A_DISPOSITION",
        Text("Mise à disposition du destinataire", "Made available to the recipient"),
        DocumentState.LIVE,
        Turn.BUYER,
        source=Source.CHORUS,
        cpp="03",
        reform="203",
    ),
    ChorusStatus(
        "A_RECYCLER",
        Text("À recycler : données d'acheminement refusées", "To be recycled: routing data refused"),
        DocumentState.TO_AMEND,
        Turn.SUPPLIER,
        action=Action.INSTRUCT,
        cpp="04",
        amendment=Amendment.RECYCLE,
    ),
    ChorusStatus(
        "REJETEE",
        Text("Rejetée par le destinataire", "Rejected by the recipient"),
        DocumentState.REJECTED,
        Turn.SUPPLIER,
        action=Action.REISSUE,
        cpp="05",
        reform="210",
    ),
    ChorusStatus(
        "SUSPENDUE",
        Text("Suspendue : pièces attendues", "Suspended: documents are awaited"),
        DocumentState.TO_AMEND,
        Turn.SUPPLIER,
        action=Action.INSTRUCT,
        cpp="06",
        reform="208",
        amendment=Amendment.COMPLETE,
    ),
    _live("SERVICE_FAIT", "Service fait", "Service certified as done", Turn.BUYER, cpp="07", reform="205"),
    _live("MANDATEE", "Mandatée", "Payment order validated", Turn.BUYER, cpp="08", reform="205"),
    _live(
        "MISE_A_DISPOSITION_COMPTABLE",
        "Mise à disposition du comptable",
        "Made available to the accountant",
        Turn.BUYER,
        cpp="09",
    ),
    _live("COMPTABILISEE", "Comptabilisée", "Entered in the accounts", Turn.BUYER, cpp="10"),
    ChorusStatus(
        "MISE_EN_PAIEMENT",
        Text("Mise en paiement", "In payment"),
        DocumentState.PAID,
        Turn.NOBODY,
        cpp="11",
        reform="211",
    ),
    _live("COMPLETEE", "Complétée", "Completed by the supplier", Turn.BUYER, cpp="12", reform="209"),
    # Seen in the API's list, same circuit
    ChorusStatus(
        "A_COMPLETER",
        Text("À compléter", "To be completed"),
        DocumentState.TO_AMEND,
        Turn.SUPPLIER,
        action=Action.INSTRUCT,
        reform="208",
        amendment=Amendment.COMPLETE,
        certain=False,
    ),
    ChorusStatus(
        "PRISE_EN_COMPTE_DESTINATAIRE",
        Text("Prise en compte par le destinataire", "Taken up by the recipient"),
        DocumentState.LIVE,
        Turn.BUYER,
        reform="204",
        certain=False,
    ),
    _refused("NON_CONFORME", "Non conforme, non intégrée", "Not compliant, not integrated", cpp="37"),
    _withdrawn("ABANDONNEE", "Abandonnée", "Abandoned"),
    _withdrawn("SUPPRIMEE", "Supprimée", "Deleted"),
    # Drafts
    _draft("BROUILLON", "Brouillon, pas encore déposée", "Draft, not yet deposited"),
    _draft("INTERPRETEE_OCR", "Lue par OCR, à vérifier sur le portail", "Read by OCR, to be checked on the portal"),
    # Subcontractors and co-contractors: validators 1 and 2
    _circuit("A_VALIDER_1", "À valider par le premier valideur", "To be validated by the first validator"),
    _to_settle(
        "ERREUR_FOURNISSEUR_SUR_VALIDEUR",
        "Erreur du fournisseur sur le valideur",
        "The supplier named the wrong validator",
    ),
    _refused("REFUSEE_1", "Refusée par le premier valideur", "Refused by the first validator"),
    _circuit("VALIDEE_1", "Validée par le premier valideur", "Validated by the first validator", Turn.PLATFORM),
    _circuit(
        "ABSENCE_VALIDATION_1_HORS_DELAI",
        "Premier valideur : pas de réponse dans le délai",
        "First validator: no answer in time",
        Turn.PLATFORM,
    ),
    _circuit("A_VALIDER_2", "À valider par le second valideur", "To be validated by the second validator"),
    _to_settle(
        "ERREUR_COTRAITANT_SUR_VALIDEUR",
        "Erreur du cotraitant sur le valideur",
        "The co-contractor named the wrong validator",
    ),
    _refused("REFUSEE_2", "Refusée par le second valideur", "Refused by the second validator"),
    _circuit("VALIDEE_2", "Validée par le second valideur", "Validated by the second validator", Turn.PLATFORM),
    _circuit(
        "ABSENCE_VALIDATION_2_HORS_DELAI",
        "Second valideur : pas de réponse dans le délai",
        "Second validator: no answer in time",
        Turn.PLATFORM,
    ),
    # Works: project manager (MOE), contracting authority (MOA)
    _circuit("ASSOCIEE", "Associée à un dossier de travaux", "Attached to a works file"),
    _to_settle(
        "EN_ATTENTE_RECYCLAGE_FOURNISSEUR",
        "En attente de recyclage par le fournisseur",
        "Waiting for the supplier to recycle it",
    ),
    _circuit("EN_COURS_TRAITEMENT_PIVOT_S", "En cours de traitement (pivot)", "Being processed (pivot)", Turn.PLATFORM),
    _to_settle("ERREUR_FOURNISSEUR_SUR_MOE", "Erreur du fournisseur sur la MOE", "The supplier named the wrong MOE"),
    _circuit("ERREUR_MOE_SUR_FOURNISSEUR", "Erreur de la MOE sur le fournisseur", "The MOE named the wrong supplier"),
    _circuit("ERREUR_MOA_SUR_FOURNISSEUR", "Erreur de la MOA sur le fournisseur", "The MOA named the wrong supplier"),
    _to_settle("ERREUR_FOURNISSEUR_SUR_MOA", "Erreur du fournisseur sur la MOA", "The supplier named the wrong MOA"),
    _circuit("ERREUR_MOE_SUR_MOA", "Erreur de la MOE sur la MOA", "The MOE named the wrong MOA"),
    _to_settle(
        "ERREUR_DESTINATAIRE_PD",
        "Erreur de destinataire (projet de décompte)",
        "Wrong recipient (draft statement of account)",
    ),
    _to_settle(
        "ERREUR_DESTINATAIRE_EA",
        "Erreur de destinataire (état d'acompte)",
        "Wrong recipient (instalment statement)",
    ),
    _circuit("ERREUR_DE_MOE", "Erreur de MOE", "Wrong MOE"),
    _circuit("ERREUR_DE_MOA", "Erreur de MOA", "Wrong MOA"),
    _circuit("A_VALIDER_MOE", "À valider par la MOE", "To be validated by the MOE"),
    _refused("REFUSEE_MOE", "Refusée par la MOE", "Refused by the MOE"),
    _refused("REFUSEE_MOA", "Refusée par la MOA", "Refused by the MOA"),
    _withdrawn("REFUSEE_FOURNISSEUR", "Refusée par le fournisseur", "Refused by the supplier"),
    _circuit("A_ASSOCIER_MOE", "À associer par la MOE", "To be attached by the MOE"),
    _circuit("A_ASSOCIER_MOA", "À associer par la MOA", "To be attached by the MOA"),
    _to_settle("A_ASSOCIER_FOURNISSEUR", "À associer par le fournisseur", "To be attached by the supplier"),
    _circuit("MISE_A_DISPOSITION_MOE", "Mise à disposition de la MOE", "Made available to the MOE"),
    _circuit("MISE_A_DISPOSITION_MOA", "Mise à disposition de la MOA", "Made available to the MOA"),
    _circuit("PRISE_EN_COMPTE_MOE", "Prise en compte par la MOE", "Taken up by the MOE"),
    _circuit("PRISE_EN_COMPTE_MOA", "Prise en compte par la MOA", "Taken up by the MOA"),
    _circuit("TRANSMISE_MOA", "Transmise à la MOA", "Passed on to the MOA"),
    _withdrawn("REMPLACEE_PAR_A22", "Remplacée par un document A22", "Replaced by an A22 document"),
    _withdrawn("DUPLIQUE_APRES_REFUS", "Dupliquée après refus", "Duplicated after a refusal"),
    ChorusStatus(
        "TECHNIQUE_INCONNU",
        Text("Statut technique inconnu de Chorus Pro", "Technical status unknown to Chorus Pro"),
        None,
        Turn.UNKNOWN,
        action=Action.CONTACT,
        source=Source.CHORUS,
        certain=False,
        alert=True,
    ),
)

#: Every status of the API's list (domain facts 3.1), by native code.
STATUSES: Final[Mapping[str, ChorusStatus]] = {status.code: status for status in _TABLE}


def status(code: str) -> ChorusStatus:
    """What we know of a native code; one that we do not know is kept as it came, told and alerted."""
    native = code.strip()
    found = STATUSES.get(native)
    if found is not None:
        return found
    shown = printable(" ".join(native.split()), 60)  # a code has no blanks of its own kind
    return ChorusStatus(
        shown,
        Text(
            f"Statut Chorus Pro inconnu de la passerelle : {shown or '(vide)'}",
            f"Chorus Pro status unknown to the gateway: {shown or '(empty)'}",
        ),
        state=None,
        turn=Turn.UNKNOWN,
        action=Action.CONTACT,
        source=Source.CHORUS,
        certain=False,
        alert=True,
        known=False,
    )
