"""The commitment number (EJ, BT-13): demanded by the structure or the service, and written as Chorus Pro takes it.

What looks wrong but is not certain (a label before the number, a State EJ that is not ten digits) is a warning with
the value proposed; nothing is ever rewritten silently.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.domain import routing
from gateway.domain.document import Document
from gateway.domain.facts import Facts
from gateway.domain.finding import Severity
from gateway.domain.reasons import Reason
from gateway.rules.chorus.demands import demand_of, named, service_demands_ej
from gateway.rules.rule import Faults, Need, at, rule
from gateway.rules.samples import EJ_MANDATORY, OPEN, THE_STATE, WITH_EJ, sample

_EJ = "1501966748"
LONGEST: Final = 50

#: "EJ 1501966748", "N° EJ: …", "Engagement n° …", "Commande …": what people type before the number.
_LABELLED: Final = re.compile(
    r"\s*(?:(?:n|n°|no|nº|num(?:é|e)ro)\s*(?:d['’]\s*)?)?(?:ej|engagement(?:\s+juridique)?|bon\s+de\s+commande|commande|bc)"
    r"\s*(?:n|n°|no|nº|num(?:é|e)ro)?\s*[:.#-]?\s*(?P<number>[0-9][0-9A-Z /_-]*)\s*",
    re.IGNORECASE,
)
_BLANKS: Final = re.compile(r"\s+")
_STATE_EJ: Final = re.compile(r"[0-9]{10}")


@rule(
    "CHORUS-EJ-MISSING",
    asks="Does this buyer demand an EJ, and is one given?",
    terms=("BT-13",),
    foresees=Reason.SE_EJ_INCORRECT,
    source="chorus-pro.md 2.1 (numeroEJDoitEtreRenseigne; OU without an active service, OCA)",
    needs=Need.BUYER,
    fr="{buyer} exige un numéro d'engagement juridique (EJ) ; la facture n'en porte pas.",
    en="{buyer} demands a commitment number (EJ); the invoice carries none.",
    remedy_fr="Reportez en BT-13 le numéro imprimé sur le bon de commande, puis redéposez la facture.",
    remedy_en="Put the number printed on the purchase order into BT-13 and drop the invoice again.",
    fires=sample(buyer=EJ_MANDATORY),
    passes=sample(buyer=EJ_MANDATORY, ej=_EJ),
)
def ej_missing(document: Document, facts: Facts) -> Faults:
    if demand_of(facts.buyer).asks_ej and not routing.ej(document):
        yield at("BT-13", buyer=named(facts.buyer))


@rule(
    "CHORUS-EJ-MISSING-FOR-SERVICE",
    asks="Does the service named demand an EJ though its structure does not, and is one given?",
    terms=("BT-13",),
    foresees=Reason.SE_EJ_INCORRECT,
    source="chorus-pro.md 2.1 (consulter/service, parametres.numeroEngagement; OCA #223)",
    needs=Need.BUYER,
    fr="Le service « {service} » de {buyer} exige un numéro d'engagement juridique (EJ) ; la facture n'en porte pas.",
    en='The service "{service}" of {buyer} demands a commitment number (EJ); the invoice carries none.',
    remedy_fr="Reportez en BT-13 le numéro imprimé sur le bon de commande, puis redéposez la facture.",
    remedy_en="Put the number printed on the purchase order into BT-13 and drop the invoice again.",
    fires=sample(service=WITH_EJ),
    passes=sample(service=WITH_EJ, ej=_EJ),
)
def ej_missing_for_service(document: Document, facts: Facts) -> Faults:
    if facts.service is not None and service_demands_ej(facts) and not routing.ej(document):
        yield at("BT-13", service=facts.service.code, buyer=named(facts.buyer))


@rule(
    "CHORUS-EJ-LENGTH",
    asks="Is the EJ at most 50 characters long?",
    terms=("BT-13",),
    foresees=Reason.SE_EJ_INCORRECT,
    source="chorus-pro.md 2.2 (CPPFacturePivot: NumeroEngagement 50)",
    fr="Le numéro d'engagement juridique (EJ) compte {length} caractères ; Chorus Pro en admet 50.",
    en="The commitment number (EJ) is {length} characters long; Chorus Pro takes 50.",
    remedy_fr="N'indiquez en BT-13 que le numéro imprimé sur le bon de commande, puis redéposez la facture.",
    remedy_en="Put only the number printed on the purchase order into BT-13 and drop the invoice again.",
    fires=sample(ej="1" * 51),
    passes=sample(ej="1" * 50),
)
def ej_length(document: Document, facts: Facts) -> Faults:
    if len(document.order) > LONGEST:
        yield at("BT-13", length=len(document.order))


@rule(
    "CHORUS-EJ-LABEL",
    asks="Is the EJ the bare number, without a label or blanks?",
    terms=("BT-13",),
    foresees=Reason.SE_EJ_INCORRECT,
    source="order-book.md 4.3 row 1",
    severity=Severity.WARNING,
    fr="Le numéro d'engagement juridique « {given} » semble porter un libellé ou des espaces.",
    en='The commitment number "{given}" seems to carry a label or blanks.',
    remedy_fr="Si le bon de commande porte « {proposed} », indiquez cette seule valeur en BT-13.",
    remedy_en='If the purchase order carries "{proposed}", put that value alone into BT-13.',
    fires=sample(ej="EJ 1501966748"),
    passes=sample(ej=_EJ),
)
def ej_label(document: Document, facts: Facts) -> Faults:
    proposed = bare(document.order)
    if proposed != document.order:
        yield at("BT-13", given=document.order, proposed=proposed)


@rule(
    "CHORUS-EJ-STATE-FORMAT",
    asks="Is an EJ given to the State ten digits long?",
    terms=("BT-13",),
    foresees=Reason.SE_EJ_INCORRECT,
    source="chorus-pro.md 2.2 (all samples to the State; no rule text seen, so a warning)",
    severity=Severity.WARNING,
    needs=Need.BUYER,
    fr="Les numéros d'engagement juridique de l'État ont 10 chiffres ; la facture porte « {given} ».",
    en='Commitment numbers of the State have 10 digits; the invoice carries "{given}".',
    remedy_fr="Vérifiez BT-13 sur le bon de commande : l'État contrôle que l'EJ existe.",
    remedy_en="Check BT-13 against the purchase order: the State verifies that the EJ exists.",
    fires=sample(buyer=THE_STATE, service=OPEN, ej="CDE234"),
    passes=sample(buyer=THE_STATE, service=OPEN, ej=_EJ),
)
def ej_state_format(document: Document, facts: Facts) -> Faults:
    given = bare(document.order)
    if facts.buyer is not None and facts.buyer.is_state and given and not _STATE_EJ.fullmatch(given):
        yield at("BT-13", given=document.order)


@rule(
    "CHORUS-EJ-COPIED",
    asks="Is the EJ something other than the contract number or the invoice's own number?",
    terms=("BT-13",),
    foresees=Reason.SE_EJ_INCORRECT,
    source="order-book.md 4.3 row 1",
    severity=Severity.WARNING,
    fr="Le numéro d'engagement juridique « {given} » est aussi le numéro de {other_fr} : il a pu être recopié par "
    "erreur.",
    en='The commitment number "{given}" is also the {other_en}: it may have been copied by mistake.',
    remedy_fr="Vérifiez BT-13 sur le bon de commande.",
    remedy_en="Check BT-13 against the purchase order.",
    fires=sample(ej="FA-2026-000123"),
    passes=sample(ej=_EJ),
)
def ej_copied(document: Document, facts: Facts) -> Faults:
    given = document.order
    if given and given == document.number:
        yield at("BT-13", given=given, other_fr="la facture (BT-1)", other_en="invoice's own number (BT-1)")
    elif given and given == document.contract:
        yield at("BT-13", given=given, other_fr="marché (BT-12)", other_en="contract number (BT-12)")


def bare(given: str) -> str:
    """The EJ without label and blanks, where it has them.

    >>> bare("EJ n° 15 0196 6748")
    '1501966748'
    """
    match = _LABELLED.fullmatch(given[:200])
    number = match["number"] if match else given
    return _BLANKS.sub("", number) if _BLANKS.sub("", number).isdigit() else number.strip()
