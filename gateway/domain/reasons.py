"""The State's 16 reasons for rejection: what each asks of the supplier, and how the gateway treats it.

Source: design/supplier-kit.md 3.5 (what the State expects next), domain facts 3.4 and 5.4 (codes), order-book.md
4.3 (what can be foreseen). The reason is recognised from free text in `domain/reason_text.py`; whether the same
number may go again is told by the status, never by the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.domain.ack import Action
from gateway.domain.finding import NO_TEXT, Text
from gateway.domain.statuses import Amendment, ChorusStatus


class Reason(StrEnum):
    """Our codes, as acks carry them: they never change."""

    SE_EJ_INCORRECT = "SE_EJ_INCORRECT"
    CREANCIER_INCONNU = "CREANCIER_INCONNU"
    MARCHE_TERMINE = "MARCHE_TERMINE"
    ST_CT_NON_DECLARE = "ST_CT_NON_DECLARE"
    COMPENSATION_AVOIRS = "COMPENSATION_AVOIRS"
    JUSTIFICATIF_ABSENT = "JUSTIFICATIF_ABSENT"
    MONTANT_ERRONE = "MONTANT_ERRONE"
    TVA_ERRONEE = "TVA_ERRONEE"
    RETRAITEMENT_MANUEL = "RETRAITEMENT_MANUEL"
    PAIEMENT_REGIE = "PAIEMENT_REGIE"
    RIB_ERRONE = "RIB_ERRONE"
    LIVRAISON_INCOMPLETE = "LIVRAISON_INCOMPLETE"
    NON_CONFORME = "NON_CONFORME"
    DOUBLE_FACTURATION = "DOUBLE_FACTURATION"
    CONTACTER_ACHETEUR = "CONTACTER_ACHETEUR"
    SUPPRESSION_MASSE = "SUPPRESSION_MASSE"


class Treatment(StrEnum):
    """What the gateway does about a reason before it happens."""

    PREVENTED = "prevented"  #: seen without an order book
    PREDICTED = "predicted"  #: seen where the partner gives an order book
    REPORTED = "reported"  #: only told once it has happened


@dataclass(frozen=True, slots=True)
class ReasonEntry:
    """One reason. `action` and `remedy` hold once the invoice is rejected; where Chorus Pro still lets the supplier
    amend it, the status says how (`remedy_for`)."""

    reason: Reason
    codes: tuple[str, ...]  #: reform codes; the first is the one told
    label: Text
    action: Action
    treatment: Treatment
    remedy: Text
    retransmittable: bool = False  #: the State's own list says "retransmission possible"


_R, _T, _A = Reason, Treatment, Action

_TABLE: Final = (
    ReasonEntry(
        _R.SE_EJ_INCORRECT,
        ("SE_ERR", "CMD_EJ_ERR", "CODE_ROUTAGE_ERR"),
        Text("Service exécutant ou engagement juridique incorrect", "Service code or commitment number incorrect"),
        _A.REISSUE,
        _T.PREVENTED,
        Text(
            "Reprenez sur le bon de commande le SIRET du destinataire, le code service (BT-10) et le numéro"
            " d'engagement juridique (BT-13).",
            "Take the recipient's SIRET, the service code (BT-10) and the commitment number (BT-13) from the"
            " purchase order.",
        ),
        retransmittable=True,
    ),
    ReasonEntry(
        _R.CREANCIER_INCONNU,
        ("CREANCIER_ERR", "EMMET_INC"),
        Text("Créancier inconnu ou différent de l'engagement", "Creditor unknown, or not that of the commitment"),
        _A.REISSUE,
        _T.PREVENTED,
        Text(
            "Facturez avec le SIRET de l'établissement titulaire de la commande, ou faites corriger l'engagement"
            " par l'acheteur.",
            "Invoice with the SIRET of the establishment that holds the order, or have the buyer correct the"
            " commitment.",
        ),
    ),
    ReasonEntry(
        _R.MARCHE_TERMINE,
        ("CONTRAT_TERM", "MARCHE_TERM"),
        Text("Marché terminé", "Contract ended"),
        _A.CONTACT,
        _T.PREDICTED,
        Text(
            "Convenez avec l'acheteur du marché ou de la commande à citer (BT-12, BT-13) avant de facturer de nouveau.",
            "Agree with the buyer which contract or order to name (BT-12, BT-13) before you invoice again.",
        ),
    ),
    ReasonEntry(
        _R.ST_CT_NON_DECLARE,
        ("ST_CT_NON_DECLAR", "ERR_VALIDEUR", "AUT_MOTIF_ERR_VALIDEUR"),
        Text("Sous-traitant ou cotraitant non déclaré", "Subcontractor or co-contractor not declared"),
        _A.CONTACT,
        _T.PREDICTED,
        Text(
            "Faites d'abord déclarer le sous-traitant (DC4) auprès de l'acheteur ; facturez ensuite.",
            "Have the subcontractor declared to the buyer first (form DC4); then invoice.",
        ),
    ),
    ReasonEntry(
        _R.COMPENSATION_AVOIRS,
        ("SUPPR_COMP_AVOIR",),
        Text("Suppression pour compensation d'avoirs", "Deleted to set off credit notes"),
        _A.NONE,
        _T.REPORTED,
        Text(
            "Rien à renvoyer : la facture et l'avoir se compensent. Soldez-les l'un contre l'autre.",
            "Nothing to send again: invoice and credit note set each other off. Clear one against the other.",
        ),
    ),
    ReasonEntry(
        _R.JUSTIFICATIF_ABSENT,
        ("JUSTIF_ABS",),
        Text("Justificatif absent ou insuffisant", "Supporting document absent or insufficient"),
        _A.REISSUE,
        _T.PREDICTED,
        Text(
            "Joignez la pièce demandée (bon de livraison, procès-verbal, attestation ; voir le commentaire).",
            "Attach the document asked for (delivery note, acceptance report, certificate; see the comment).",
        ),
    ),
    ReasonEntry(
        _R.MONTANT_ERRONE,
        ("MONTANTTOTAL_ERR", "CALCUL_ERR", "MONTANT_ERR"),
        Text("Montant erroné", "Amount incorrect"),
        _A.REISSUE,
        _T.PREVENTED,
        Text(
            "Comparez les montants (BT-109, BT-110, BT-112) avec la commande et corrigez-les.",
            "Compare the amounts (BT-109, BT-110, BT-112) with the order and correct them.",
        ),
    ),
    ReasonEntry(
        _R.TVA_ERRONEE,
        ("TX_TVA_ERR",),
        Text("Taux de TVA erroné", "VAT rate incorrect"),
        _A.REISSUE,
        _T.PREDICTED,
        Text(
            "Corrigez le taux de TVA (BT-119, BT-152) et le montant de TVA qui en découle (BT-110).",
            "Correct the VAT rate (BT-119, BT-152) and the VAT amount that follows from it (BT-110).",
        ),
    ),
    ReasonEntry(
        _R.RETRAITEMENT_MANUEL,
        ("RETRAIT_MAN_SERV",),
        Text("Retraitement manuel par les services", "Processed by hand by the services"),
        _A.NONE,
        _T.REPORTED,
        Text(
            "Rien à renvoyer : les services traitent la facture à la main. Surveillez le paiement.",
            "Nothing to send again: the services process the invoice by hand. Watch for the payment.",
        ),
    ),
    ReasonEntry(
        _R.PAIEMENT_REGIE,
        ("TRANSF_PMNT_REGIE",),
        Text("Transfert pour paiement en régie", "Passed on for payment by an imprest office"),
        _A.NONE,
        _T.PREDICTED,
        Text(
            "Rien à renvoyer : une régie paie la facture. Rapprochez le virement reçu.",
            "Nothing to send again: an imprest office pays the invoice. Match the transfer when it arrives.",
        ),
    ),
    ReasonEntry(
        _R.RIB_ERRONE,
        ("COORD_BANC_ERR",),
        Text("Coordonnées bancaires erronées", "Bank details incorrect"),
        _A.REISSUE,
        _T.PREVENTED,
        Text(
            "Indiquez l'IBAN connu de l'acheteur (BT-84), ou transmettez-lui d'abord votre nouveau RIB.",
            "Give the IBAN that the buyer knows (BT-84), or send it your new bank details first.",
        ),
    ),
    ReasonEntry(
        _R.LIVRAISON_INCOMPLETE,
        ("LIVR_INCOMP",),
        Text("Livraison incomplète ou non effectuée", "Delivery incomplete or not made"),
        _A.REISSUE,
        _T.PREDICTED,
        Text(
            "Facturez seulement ce qui est livré et accepté, ou attendez la fin de la livraison.",
            "Invoice only what has been delivered and accepted, or wait until delivery is complete.",
        ),
    ),
    ReasonEntry(
        _R.NON_CONFORME,
        ("NON_CONFORME", "CMD_ERR", "FACT_NON_CONFORME", "PU_ERR", "QTE_ERR", "ART_ERR", "REM_ERR"),
        Text("Facture non conforme à la commande", "Invoice not in line with the order"),
        _A.REISSUE,
        _T.PREDICTED,
        Text(
            "Comparez articles, quantités et prix avec la commande et corrigez les lignes.",
            "Compare items, quantities and prices with the order and correct the lines.",
        ),
    ),
    ReasonEntry(
        _R.DOUBLE_FACTURATION,
        ("DOUBLE_FACT", "DOUBLON"),
        Text("Double facturation", "Invoiced twice"),
        _A.NONE,
        _T.PREVENTED,
        Text(
            "Rien à renvoyer si la prestation est déjà facturée : annulez cette facture chez vous. Sinon, expliquez"
            " à l'acheteur en quoi elle diffère.",
            "Nothing to send again if the service is already invoiced: cancel this invoice in your books. Otherwise"
            " explain to the buyer how it differs.",
        ),
    ),
    ReasonEntry(
        _R.CONTACTER_ACHETEUR,
        ("CONTACT_ACHTR",),
        Text("Contacter votre acheteur", "Contact your buyer"),
        _A.CONTACT,
        _T.REPORTED,
        Text(
            "Appelez l'acheteur : lui seul connaît le motif. Ne renvoyez rien avant sa réponse.",
            "Call the buyer: nobody else knows the reason. Send nothing again before the answer.",
        ),
    ),
    ReasonEntry(
        _R.SUPPRESSION_MASSE,
        ("SUPPR_MASSE",),
        Text("Suppression en masse", "Deleted in bulk"),
        _A.CONTACT,
        _T.REPORTED,
        Text(
            "L'acheteur a supprimé un lot de factures : demandez-lui lesquelles il attend encore.",
            "The buyer deleted a batch of invoices: ask which of them it still expects.",
        ),
    ),
)

CATALOGUE: Final[Mapping[Reason, ReasonEntry]] = {entry.reason: entry for entry in _TABLE}

_UNRECOGNISED: Final = Text(
    "Lisez le commentaire de l'acheteur ; s'il ne suffit pas, appelez-le avant de refacturer.",
    "Read the buyer's comment; if it does not suffice, call the buyer before you invoice again.",
)

_RECYCLE: Final = Text(
    "Puis redéposez la facture sous le même numéro : seuls le SIRET, le service et l'EJ peuvent changer.",
    "Then drop the invoice again under the same number: only SIRET, service and EJ may change.",
)
_COMPLETE: Final = Text(
    "Puis redéposez la facture sous le même numéro : seules les pièces jointes et le commentaire peuvent changer.",
    "Then drop the invoice again under the same number: only attachments and comment may change.",
)
_REISSUE: Final = Text(
    "Puis émettez une nouvelle facture sous un nouveau numéro : l'ancien reste pris chez Chorus Pro.",
    "Then issue a new invoice under a new number: the old one stays taken at Chorus Pro.",
)


def action_for(reason: Reason | None, status: ChorusStatus) -> Action:
    """What the partner is to do: as the status says while Chorus Pro waits for the supplier to amend; once the
    invoice is rejected, as the reason says."""
    if status.action is not Action.REISSUE or reason is None:
        return status.action
    return CATALOGUE[reason].action


def remedy_for(reason: Reason | None, status: ChorusStatus) -> Text:
    """What to mend, and how to send it again under `status`; empty where nothing is asked of the supplier."""
    action = action_for(reason, status)
    if reason is None and action is Action.NONE:
        return NO_TEXT
    what = CATALOGUE[reason].remedy if reason else _UNRECOGNISED
    if status.amendment is Amendment.RECYCLE:
        return _joined(what, _RECYCLE)
    if status.amendment is Amendment.COMPLETE:
        return _joined(what, _COMPLETE)
    return _joined(what, _REISSUE) if action is Action.REISSUE else what


def _joined(what: Text, how: Text) -> Text:
    return Text(f"{what.fr} {how.fr}", f"{what.en} {how.en}")
