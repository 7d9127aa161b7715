"""Is the buyer a public body that Chorus Pro knows? Its SIRET first, then its entry in the directory."""

from __future__ import annotations

from dataclasses import replace

from stdnum.fr import siret as siret_number

from gateway.domain import routing
from gateway.domain.document import Document
from gateway.domain.facts import Facts
from gateway.domain.finding import Severity
from gateway.domain.reasons import Reason
from gateway.rules.chorus.demands import named
from gateway.rules.rule import Faults, Need, at, rule
from gateway.rules.samples import FREE, sample

_UNKNOWN_SIRET = "21987654700023"


@rule(
    "CHORUS-BUYER-SIRET-MISSING",
    asks="Does the invoice name its buyer by an identifier?",
    terms=("BT-47", "BT-46"),
    foresees=Reason.SE_EJ_INCORRECT,
    source="chorus-pro.md 2.3",
    fr="La facture ne donne aucun identifiant du destinataire : Chorus Pro ne saurait à qui la remettre.",
    en="The invoice gives no identifier of its buyer: Chorus Pro would not know to whom to deliver it.",
    remedy_fr="Indiquez le SIRET (14 chiffres) de la structure publique en BT-47, puis redéposez la facture.",
    remedy_en="Put the public body's SIRET (14 digits) into BT-47 and drop the invoice again.",
    fires=sample(buyer_siret=None),
    passes=sample(),
)
def buyer_siret_missing(document: Document, facts: Facts) -> Faults:
    if not routing.buyer_siret(document) and not routing.buyer_identifier(document):
        yield at("BT-47")


@rule(
    "CHORUS-BUYER-SIRET-FORMAT",
    asks="Is the buyer's identifier a SIRET of 14 digits?",
    terms=("BT-47", "BT-46"),
    foresees=Reason.SE_EJ_INCORRECT,
    source="chorus-pro.md 2.3, 5.6 (INV: a SIRET cut to its SIREN is rejected)",
    fr="« {given} » n'est pas un SIRET : 14 chiffres sont attendus pour désigner le destinataire.",
    en='"{given}" is no SIRET: 14 digits are expected to name the buyer.',
    remedy_fr="Remplacez-le en {where} par le SIRET de l'établissement destinataire (le SIREN à 9 chiffres ne "
    "suffit pas), puis redéposez la facture.",
    remedy_en="Replace it in {where} by the SIRET of the receiving establishment (the 9-digit SIREN is not enough) "
    "and drop the invoice again.",
    fires=sample(buyer_siret="219876547"),
    passes=sample(),
)
def buyer_siret_format(document: Document, facts: Facts) -> Faults:
    given = routing.buyer_identifier(document)
    if given and not routing.buyer_siret(document):
        yield at(given.term, given=given.value)


@rule(
    "CHORUS-BUYER-SIRET-CHECK",
    asks="Are the check digits of the buyer's SIRET right (with La Poste's exception)?",
    terms=("BT-47", "BT-46"),
    foresees=Reason.SE_EJ_INCORRECT,
    source="python-stdnum stdnum.fr.siret; chorus-pro.md 1.7 (fictitious SIRETs of the qualification portal)",
    in_sandbox=Severity.WARNING,
    fr="Le SIRET du destinataire « {siret} » comporte une erreur de saisie : sa clé de contrôle est fausse.",
    en='The buyer\'s SIRET "{siret}" is mistyped: its check digits are wrong.',
    remedy_fr="Corrigez-le en {where} d'après le bon de commande, puis redéposez la facture.",
    remedy_en="Correct it in {where} from the purchase order and drop the invoice again.",
    fires=sample(buyer=None, buyer_siret="21987654700016"),
    passes=sample(),
)
def buyer_siret_check(document: Document, facts: Facts) -> Faults:
    siret = routing.buyer_siret(document)
    if siret and facts.buyer is None and not siret_number.is_valid(siret.value):
        yield at(siret.term, siret=siret.value)


@rule(
    "CHORUS-BUYER-UNKNOWN",
    asks="Is the buyer in Chorus Pro's directory?",
    terms=("BT-47", "BT-46"),
    foresees=Reason.SE_EJ_INCORRECT,
    source="chorus-pro.md 2.1; order-book.md 4.3 row 1",
    needs=Need.DIRECTORY,
    when_aged=Severity.HOLD,
    fr="Aucune structure publique n'a le SIRET {siret} dans l'annuaire de Chorus Pro.",
    en="No public body has the SIRET {siret} in Chorus Pro's directory.",
    remedy_fr="Demandez au destinataire le SIRET à facturer (il figure sur le bon de commande), corrigez {where}, "
    "puis redéposez la facture.",
    remedy_en="Ask the buyer which SIRET to bill (the purchase order carries it), correct {where} and drop the "
    "invoice again.",
    fires=sample(buyer=None, buyer_siret=_UNKNOWN_SIRET),
    passes=sample(),
)
def buyer_unknown(document: Document, facts: Facts) -> Faults:
    siret = routing.buyer_siret(document)
    if not siret or facts.buyer is not None:
        return
    if facts.sandbox or siret_number.is_valid(siret.value):  # else mistyped, and told as such
        yield at(siret.term, siret=siret.value)


@rule(
    "CHORUS-BUYER-INACTIVE",
    asks="Is the buyer active in the directory?",
    terms=("BT-47", "BT-46"),
    foresees=Reason.SE_EJ_INCORRECT,
    source="chorus-pro.md 2.1 (listeStructures[].statut)",
    needs=Need.BUYER,
    when_aged=Severity.HOLD,
    fr="{buyer} est inactive dans Chorus Pro et ne reçoit plus de factures.",
    en="{buyer} is inactive in Chorus Pro and takes no more invoices.",
    remedy_fr="Demandez au destinataire le SIRET qui la remplace (fusion, déménagement), corrigez {where}, puis "
    "redéposez la facture.",
    remedy_en="Ask the buyer for the SIRET that replaces it (merger, move), correct {where} and drop the invoice "
    "again.",
    fires=sample(buyer=replace(FREE, active=False)),
    passes=sample(),
)
def buyer_inactive(document: Document, facts: Facts) -> Faults:
    if facts.buyer is not None and not facts.buyer.active:
        term = routing.buyer_siret(document).term or "BT-47"
        yield at(term, buyer=named(facts.buyer))
