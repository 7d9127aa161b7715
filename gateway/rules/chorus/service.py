"""The service code (SE): demanded, known, open today, and not the one reserved to public bodies."""

from __future__ import annotations

from dataclasses import replace

from gateway.domain import routing
from gateway.domain.document import Document
from gateway.domain.facts import Facts
from gateway.domain.finding import Severity
from gateway.domain.reasons import Reason
from gateway.rules.chorus.demands import Demand, demand_of, named
from gateway.rules.rule import Faults, Need, at, rule
from gateway.rules.samples import CLOSED, EITHER_MANDATORY, EXPIRED, ISSUER, OPEN, SERVICE_MANDATORY, sample

#: "Service des factures publiques": public bodies bill each other through it (chorus-pro.md 2.1, OCA #178).
PUBLIC_SERVICE = "FACTURES_PUBLIQUES"
LONGEST = 100
_PUBLIC = replace(OPEN, code=PUBLIC_SERVICE)
_PUBLIC_ISSUER = {"issuer": replace(ISSUER, public=True)}


@rule(
    "CHORUS-SERVICE-MISSING",
    asks="Does this buyer demand a service code, and is one given?",
    terms=("BT-10", "BT-46"),
    foresees=Reason.SE_EJ_INCORRECT,
    source="chorus-pro.md 2.1 (codeServiceDoitEtreRenseigne)",
    needs=Need.BUYER,
    fr="{buyer} exige un code service ; la facture n'en porte pas.",
    en="{buyer} demands a service code; the invoice carries none.",
    remedy_fr="Reportez en BT-10 le code service imprimé sur le bon de commande, puis redéposez la facture.",
    remedy_en="Put the service code printed on the purchase order into BT-10 and drop the invoice again.",
    fires=sample(buyer=SERVICE_MANDATORY),
    passes=sample(buyer=SERVICE_MANDATORY, service=OPEN),
)
def service_missing(document: Document, facts: Facts) -> Faults:
    if demand_of(facts.buyer).asks_service and not routing.service_code(document):
        yield at("BT-10", buyer=named(facts.buyer))


@rule(
    "CHORUS-EJ-OR-SERVICE-MISSING",
    asks="Does this buyer demand an EJ or a service code, and is either given?",
    terms=("BT-13", "BT-10"),
    foresees=Reason.SE_EJ_INCORRECT,
    source="chorus-pro.md 2.1 (gestionNumeroEJOuCodeService, checked first)",
    needs=Need.BUYER,
    fr="{buyer} exige un numéro d'engagement juridique (EJ) ou un code service ; la facture ne porte ni l'un ni "
    "l'autre.",
    en="{buyer} demands a commitment number (EJ) or a service code; the invoice carries neither.",
    remedy_fr="Reportez le numéro d'EJ en BT-13 ou le code service en BT-10, d'après le bon de commande, puis "
    "redéposez la facture.",
    remedy_en="Put the EJ into BT-13 or the service code into BT-10, from the purchase order, and drop the invoice "
    "again.",
    fires=sample(buyer=EITHER_MANDATORY),
    passes=sample(buyer=EITHER_MANDATORY, service=OPEN),
)
def ej_or_service_missing(document: Document, facts: Facts) -> Faults:
    if demand_of(facts.buyer) is not Demand.EITHER:
        return
    if not routing.ej(document) and not routing.service_code(document):
        yield at("BT-13", buyer=named(facts.buyer))


@rule(
    "CHORUS-SERVICE-UNKNOWN",
    asks="Does the service exist at this buyer?",
    terms=("BT-10", "BT-46"),
    foresees=Reason.SE_EJ_INCORRECT,
    source="chorus-pro.md 2.1 (agedi: « Le code service … est inconnu ou inactif dans Chorus Pro »)",
    needs=Need.BUYER,
    when_aged=Severity.HOLD,
    fr="Le code service « {service} » n'existe pas chez {buyer}.",
    en='The service code "{service}" does not exist at {buyer}.',
    remedy_fr="Corrigez-le en {where} d'après le bon de commande (sans confondre avec le numéro d'EJ), puis "
    "redéposez la facture.",
    remedy_en="Correct it in {where} from the purchase order (it is not the EJ) and drop the invoice again.",
    fires=sample(service="SERV9"),
    passes=sample(service=OPEN),
)
def service_unknown(document: Document, facts: Facts) -> Faults:
    code = routing.service_code(document)
    if code and facts.service is None and not _refused_as_public(code.value, facts):
        yield at(code.term, service=code.value, buyer=named(facts.buyer))


@rule(
    "CHORUS-SERVICE-INACTIVE",
    asks="Is the service active?",
    terms=("BT-10", "BT-46"),
    foresees=Reason.SE_EJ_INCORRECT,
    source="chorus-pro.md 2.1 (estActif)",
    needs=Need.BUYER,
    when_aged=Severity.HOLD,
    fr="Le service « {service} » de {buyer} est inactif dans Chorus Pro.",
    en='The service "{service}" of {buyer} is inactive in Chorus Pro.',
    remedy_fr="Demandez au destinataire le code service en vigueur, corrigez {where}, puis redéposez la facture.",
    remedy_en="Ask the buyer for the service code now in force, correct {where} and drop the invoice again.",
    fires=sample(service=CLOSED),
    passes=sample(service=OPEN),
)
def service_inactive(document: Document, facts: Facts) -> Faults:
    service = facts.service
    if service is not None and not service.active:
        term = routing.service_code(document).term
        yield at(term, service=service.code, buyer=named(facts.buyer))


@rule(
    "CHORUS-SERVICE-OUTSIDE-DATES",
    asks="Is today within the service's dates?",
    terms=("BT-10", "BT-46"),
    foresees=Reason.SE_EJ_INCORRECT,
    source="chorus-pro.md 2.1 (dateDebutValidite, dateFinValidite)",
    needs=Need.BUYER,
    when_aged=Severity.HOLD,
    fr="Le service « {service} » de {buyer} ne reçoit pas de factures aujourd'hui (ouvert du {from} au {to}).",
    en='The service "{service}" of {buyer} takes no invoices today (open from {from} to {to}).',
    remedy_fr="Demandez au destinataire le code service en vigueur, corrigez {where}, puis redéposez la facture.",
    remedy_en="Ask the buyer for the service code now in force, correct {where} and drop the invoice again.",
    fires=sample(service=EXPIRED),
    passes=sample(service=OPEN),
)
def service_outside_dates(document: Document, facts: Facts) -> Faults:
    service = facts.service
    if service is None or not service.active or service.open_on(facts.today):
        return
    dates = {"from": service.valid_from or "…", "to": service.valid_to or "…"}
    term = routing.service_code(document).term
    yield at(term, service=service.code, buyer=named(facts.buyer), **dates)


@rule(
    "CHORUS-SERVICE-PUBLIC-ONLY",
    asks="Is the service FACTURES_PUBLIQUES used by a public body only?",
    terms=("BT-10", "BT-46"),
    foresees=Reason.SE_EJ_INCORRECT,
    source="chorus-pro.md 2.1 (OCA #178)",
    fr="Le service FACTURES_PUBLIQUES est réservé aux factures entre structures publiques ; {issuer} n'en est pas une.",
    en="The service FACTURES_PUBLIQUES is for invoices between public bodies; {issuer} is none.",
    remedy_fr="Indiquez en {where} le code service du bon de commande (ou rien si aucun n'est exigé), puis "
    "redéposez la facture.",
    remedy_en="Put the purchase order's service code into {where} (or nothing where none is demanded) and drop the "
    "invoice again.",
    fires=sample(service=_PUBLIC),
    passes=sample(service=_PUBLIC, facts=_PUBLIC_ISSUER),
)
def service_public_only(document: Document, facts: Facts) -> Faults:
    code = routing.service_code(document)
    if facts.issuer is not None and _refused_as_public(code.value, facts):
        yield at(code.term, issuer=facts.issuer.name)


@rule(
    "CHORUS-SERVICE-PUBLIC-UNVERIFIED",
    asks="Where the issuers are not known: is FACTURES_PUBLIQUES used by a public body?",
    terms=("BT-10", "BT-46"),
    foresees=Reason.SE_EJ_INCORRECT,
    source="chorus-pro.md 2.1 (OCA #178)",
    severity=Severity.WARNING,
    fr="Le service FACTURES_PUBLIQUES est réservé aux factures entre structures publiques ; l'émetteur n'a pas pu "
    "être vérifié ici.",
    en="The service FACTURES_PUBLIQUES is for invoices between public bodies; the issuer could not be checked here.",
    remedy_fr="Si l'émetteur est une entreprise, indiquez en {where} le code service du bon de commande.",
    remedy_en="If the issuer is a company, put the purchase order's service code into {where}.",
    fires=sample(service=_PUBLIC, facts={"issuer": None, "issuers_known": False}),
    passes=sample(service=_PUBLIC, facts=_PUBLIC_ISSUER),
)
def service_public_unverified(document: Document, facts: Facts) -> Faults:
    code = routing.service_code(document)
    if code.value == PUBLIC_SERVICE and facts.issuer is None and not facts.issuers_known:
        yield at(code.term)


@rule(
    "CHORUS-SERVICE-LENGTH",
    asks="Is the service code at most 100 characters long?",
    terms=("BT-10", "BT-46"),
    foresees=Reason.SE_EJ_INCORRECT,
    source="chorus-pro.md 2.2 (CPPFacturePivot: CodeService 100)",
    fr="Le code service compte {length} caractères ; Chorus Pro en admet 100.",
    en="The service code is {length} characters long; Chorus Pro takes 100.",
    remedy_fr="Indiquez en {where} le seul code service, sans libellé, puis redéposez la facture.",
    remedy_en="Put the service code alone, without its label, into {where} and drop the invoice again.",
    fires=sample(service="S" * 101),
    passes=sample(service=OPEN),
)
def service_length(document: Document, facts: Facts) -> Faults:
    code = routing.service_code(document)
    if len(code.value) > LONGEST:
        yield at(code.term, length=len(code.value))


def _refused_as_public(code: str, facts: Facts) -> bool:
    return code == PUBLIC_SERVICE and facts.issuer is not None and not facts.issuer.public
