"""Why Chorus Pro refuses a document of a flow: one function a reason, in the order of the portal's report.

The EJ/SE table is that of chorus-pro.md 2.1, written again from the source. Sentences in quotation there are used
verbatim; the others are worded after them and matter to nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from gateway.simulator.invoice import SIRET, Invoice
from gateway.simulator.reading import Syntax
from gateway.simulator.seed import PUBLIC_TO_PUBLIC, Account, Seed, Service, Structure

DUPLICATE: Final = "Vous avez déjà déposé une demande de paiement avec ce numéro de facture pour cette structure"
SERVICE_UNKNOWN: Final = "Le code service de la structure publique destinataire est inconnu ou inactif dans Chorus Pro"
#: Chorus cuts the joined text (chorus-pro.md 1.5: "…n'utilise pa").
LONGEST_TEXT: Final = 255
LONGEST_NUMBER: Final = 20
CADRES: Final = frozenset(f"A{number}" for number in range(1, 26))
#: S2.05, chorus-pro.md 2.4
PAYMENT_MEANS: Final = frozenset({"01", "1", "10", "20", "30", "31", "42", "48", "49", "58", "59", "97"})


@dataclass(frozen=True, slots=True)
class Case:
    """One document, and all that Chorus Pro knows when it looks at it."""

    invoice: Invoice
    syntax: Syntax
    seed: Seed
    account: Account
    today: date
    duplicate: bool

    @property
    def buyer(self) -> Structure | None:
        return self.seed.structures.get(self.invoice.buyer.identifier)

    @property
    def seller(self) -> Structure | None:
        return self.seed.structures.get(self.invoice.seller.identifier)


def objections(case: Case) -> str:
    """Every reason to refuse, joined and cut as Chorus Pro does; empty when there is none."""
    return "|".join(text for check in CHECKS for text in check(case))[:LONGEST_TEXT]


def number(case: Case) -> Iterator[str]:
    if not case.invoice.number:
        yield "Le numéro de facture est obligatoire"
    elif len(case.invoice.number) > LONGEST_NUMBER:
        yield "Le numéro de facture ne doit pas depasser 20 caracteres"
    try:
        date.fromisoformat(case.invoice.issued)
    except ValueError:
        yield "La date de facture est obligatoire"


def cadre(case: Case) -> Iterator[str]:
    if case.invoice.cadre not in CADRES:
        yield f"Le cadre de facturation {case.invoice.cadre[:20]} est inconnu"


def seller(case: Case) -> Iterator[str]:
    party = case.invoice.seller
    if party.type == "SIRET" and not SIRET.match(party.identifier):
        yield "L'identifiant fournisseur (AccountingSupplierParty.Party.PartyIdentification.ID) n'est pas un SIRET"
    elif case.seller is None or not case.seller.active:
        yield "La structure fournisseur est inconnue ou inactive dans Chorus Pro"
    elif party.identifier not in case.account.structures:
        yield "La structure fournisseur n'est pas rattachée à votre compte"


def buyer(case: Case) -> Iterator[str]:
    if not SIRET.match(case.invoice.buyer.identifier):
        yield "L'identifiant du destinataire n'est pas un SIRET"
    elif case.buyer is None or not case.buyer.public or not case.buyer.active:
        yield "La structure publique destinataire est inconnue ou inactive dans Chorus Pro"


def service_and_ej(case: Case) -> Iterator[str]:
    """The decision table: the service given must serve, whatever the structure demands."""
    structure, invoice = case.buyer, case.invoice
    if structure is None:
        return
    service = structure.service(invoice.service) if invoice.service else None
    if invoice.service and not _serves(service, case):
        yield SERVICE_UNKNOWN
    either = structure.flag("gestionNumeroEJOuCodeService")
    if either and not invoice.ej:
        if not any(one.usable_on(case.today) for one in structure.services):
            yield "Le numéro d'engagement juridique est obligatoire pour cette structure"
        elif not invoice.service:
            yield "Le numéro d'engagement juridique ou le code service est obligatoire pour cette structure"
    if not either and structure.flag("codeServiceDoitEtreRenseigne") and not invoice.service:
        yield "Le code service est obligatoire pour cette structure"
    demanded = not either and structure.flag("numeroEJDoitEtreRenseigne")
    if (demanded or (service is not None and service.demands_ej)) and not invoice.ej:
        yield "Le numéro d'engagement juridique est obligatoire"
    if invoice.ej and structure.known_ejs is not None and invoice.ej not in structure.known_ejs:
        yield "Le numéro d'engagement juridique est inconnu"


def payment_means(case: Case) -> Iterator[str]:
    if not case.invoice.payment_means:
        yield "PaymentMeans.TypeCode.value est obligatoire"
    elif case.invoice.payment_means not in PAYMENT_MEANS:
        yield f"Le mode de règlement {case.invoice.payment_means[:10]} n'est pas accepté"


def attachment(case: Case) -> Iterator[str]:
    if case.syntax.mixed and not case.invoice.has_attachment:
        yield "La pièce jointe principale est obligatoire pour un flux mixte"


def duplicate(case: Case) -> Iterator[str]:
    if case.duplicate:
        yield DUPLICATE


CHECKS: Final[tuple[Callable[[Case], Iterator[str]], ...]] = (
    number,
    cadre,
    seller,
    buyer,
    service_and_ej,
    payment_means,
    attachment,
    duplicate,
)


def _serves(service: Service | None, case: Case) -> bool:
    if service is None or not service.usable_on(case.today):
        return False
    return service.code != PUBLIC_TO_PUBLIC or (case.seller is not None and case.seller.public)
