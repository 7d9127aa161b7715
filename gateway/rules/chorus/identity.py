"""What Chorus Pro knows an invoice by: number, date, seller, type. Its own limits, narrower than the norm's."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Final

from gateway.domain import routing
from gateway.domain.document import Document, Kind, Party
from gateway.domain.facts import Facts
from gateway.domain.finding import Severity
from gateway.rules.rule import LEGACY_ROUTES, Faults, at, rule
from gateway.rules.samples import sample

LONGEST: Final = 20
TYPE_CODES: Final = ("380", "381")
_ALLOWED: Final = re.compile(r"[A-Za-z0-9 +_/-]*")
_WRITTEN_DATE: Final = re.compile(r"[0-9]{1,4}[-/. ][0-9]{1,2}[-/. ][0-9]{1,4}")


@rule(
    "CHORUS-NUMBER-MISSING",
    asks="Does the invoice have a number?",
    terms=("BT-1",),
    source="EN 16931 BT-1; chorus-pro.md 2.2 (unique per issuer and year)",
    fr="La facture n'a pas de numéro.",
    en="The invoice has no number.",
    remedy_fr="Indiquez son numéro en BT-1, puis redéposez-la.",
    remedy_en="Put its number into BT-1 and drop it again.",
    fires=sample(number=""),
    passes=sample(),
)
def number_missing(document: Document, facts: Facts) -> Faults:
    if not document.number:
        yield at("BT-1")


@rule(
    "CHORUS-NUMBER-LENGTH",
    asks="Is the number at most 20 characters long?",
    terms=("BT-1",),
    source="chorus-pro.md 2.2, 5.6 (CPPFacturePivot; INV live: « ne doit pas depasser 20 caracteres »; CPRO-02)",
    fr="Le numéro de facture « {number} » compte {length} caractères ; Chorus Pro en admet 20.",
    en='The invoice number "{number}" is {length} characters long; Chorus Pro takes 20.',
    remedy_fr="Raccourcissez le numéro (BT-1) dans la numérotation destinée au secteur public, puis redéposez la "
    "facture.",
    remedy_en="Shorten the number (BT-1) in the numbering used for the public sector and drop the invoice again.",
    fires=sample(number="FACTURE-2026-00000123"),
    passes=sample(number="FACTURE-2026-0000123"),
)
def number_length(document: Document, facts: Facts) -> Faults:
    if len(document.number) > LONGEST:
        yield at("BT-1", number=document.number, length=len(document.number))


@rule(
    "CHORUS-NUMBER-CHARACTERS",
    asks="Is the number made of letters, digits, blanks and - + _ / only?",
    terms=("BT-1",),
    source="chorus-pro.md 2.2 (G1.05, EDI annex; seen in third-party sources only, so a warning)",
    severity=Severity.WARNING,
    fr="Le numéro de facture « {number} » porte des caractères que Chorus Pro n'annonce pas ({characters}).",
    en='The invoice number "{number}" carries characters that Chorus Pro does not list ({characters}).',
    remedy_fr="N'employez en BT-1 que des lettres sans accent, des chiffres, l'espace et - + _ /.",
    remedy_en="Use only unaccented letters, digits, blanks and - + _ / in BT-1.",
    fires=sample(number="FA#2026.é"),
    passes=sample(number="FA 2026/12-3_4+5"),
)
def number_characters(document: Document, facts: Facts) -> Faults:
    if not _ALLOWED.fullmatch(document.number):
        wrong = sorted({c for c in document.number if not _ALLOWED.fullmatch(c)})
        yield at("BT-1", number=document.number, characters=" ".join(wrong[:10]))


@rule(
    "CHORUS-NUMBER-IS-DATE",
    asks="Is the number something other than a date (20230305)?",
    terms=("BT-1",),
    source="chorus-pro.md 2.2 (AIFE good practices, 28/03/2023)",
    fr="Le numéro de facture « {number} » est une date ; Chorus Pro refuse les dates comme numéro.",
    en='The invoice number "{number}" is a date; Chorus Pro refuses dates as numbers.',
    remedy_fr="Donnez à la facture un numéro de votre séquence (par exemple FA-{number}), puis redéposez-la.",
    remedy_en="Give the invoice a number of your sequence (for instance FA-{number}) and drop it again.",
    fires=sample(number="20230305"),
    passes=sample(number="20239999"),
)
def number_is_date(document: Document, facts: Facts) -> Faults:
    if _is_date(document.number):
        yield at("BT-1", number=document.number)


@rule(
    "CHORUS-NUMBER-LIKE-DATE",
    asks="Is the number written unlike any date (05/03/2023)?",
    terms=("BT-1",),
    source="chorus-pro.md 2.2 (only the form 20230305 was seen refused, so a warning)",
    severity=Severity.WARNING,
    fr="Le numéro de facture « {number} » s'écrit comme une date ; Chorus Pro refuse les dates comme numéro.",
    en='The invoice number "{number}" is written like a date; Chorus Pro refuses dates as numbers.',
    remedy_fr="Donnez aux factures un numéro qui ne se lise pas comme une date.",
    remedy_en="Give invoices a number that does not read like a date.",
    fires=sample(number="05/03/2023"),
    passes=sample(number="2023/00305"),
)
def number_like_date(document: Document, facts: Facts) -> Faults:
    if _WRITTEN_DATE.fullmatch(document.number) and _is_written_date(document.number):
        yield at("BT-1", number=document.number)


@rule(
    "CHORUS-DATE-MISSING",
    asks="Does the invoice have a date of issue?",
    terms=("BT-2",),
    source="EN 16931 BT-2; chorus-pro.md 8 (S1)",
    fr="La facture n'a pas de date d'émission lisible.",
    en="The invoice has no readable date of issue.",
    remedy_fr="Indiquez-la en BT-2, puis redéposez la facture.",
    remedy_en="Put it into BT-2 and drop the invoice again.",
    fires=sample(issued=None),
    passes=sample(),
)
def date_missing(document: Document, facts: Facts) -> Faults:
    if document.issued is None:
        yield at("BT-2")


@rule(
    "CHORUS-DATE-AFTER-DEPOSIT",
    asks="Is the date of issue today or earlier?",
    terms=("BT-2",),
    source="chorus-pro.md 8 (S1: date ≤ deposit date; quoted by a third party, so held)",
    severity=Severity.HOLD,
    fr="La facture est datée du {issued}, après le jour du dépôt ({today}).",
    en="The invoice is dated {issued}, after the day of deposit ({today}).",
    remedy_fr="Corrigez la date (BT-2) et redéposez la facture, ou attendez ce jour pour la libérer.",
    remedy_en="Correct the date (BT-2) and drop the invoice again, or wait for that day to release it.",
    fires=sample(issued=date(2026, 12, 1)),
    passes=sample(issued=date(2026, 11, 23)),
)
def date_after_deposit(document: Document, facts: Facts) -> Faults:
    if document.issued is not None and document.issued > facts.today:
        yield at("BT-2", issued=document.issued.isoformat(), today=facts.today.isoformat())


@rule(
    "CHORUS-SELLER-MISSING",
    asks="Does the invoice name its seller by an identifier?",
    terms=("BT-30", "BT-29"),
    source="chorus-pro.md 2.3",
    fr="La facture ne donne aucun identifiant du fournisseur : Chorus Pro ne saurait qui facture.",
    en="The invoice gives no identifier of its seller: Chorus Pro would not know who bills.",
    remedy_fr="Indiquez votre SIRET (14 chiffres) en BT-30, puis redéposez la facture.",
    remedy_en="Put your SIRET (14 digits) into BT-30 and drop the invoice again.",
    fires=sample(seller_siret=None),
    passes=sample(seller=Party(vat="DE123456789")),
)
def seller_missing(document: Document, facts: Facts) -> Faults:
    if not routing.seller_identifier(document):
        yield at("BT-30")


@rule(
    "CHORUS-TYPE-CODE",
    asks="Is the type one that Chorus Pro knows (380 or 381)?",
    terms=("BT-3",),
    source="chorus-pro.md 2.4, 5.6 (CPPFacturePivot)",
    routes=LEGACY_ROUTES,
    fr="Le type de document « {given} » n'est pas admis par Chorus Pro, qui ne connaît que 380 (facture) et 381 "
    "(avoir).",
    en='The document type "{given}" is not taken by Chorus Pro, which knows only 380 (invoice) and 381 (credit note).',
    remedy_fr="Indiquez 380 ou 381 en BT-3, puis redéposez la facture.",
    remedy_en="Put 380 or 381 into BT-3 and drop the invoice again.",
    fires=sample(type_code="384"),
    passes=sample(type_code="381"),
)
def type_code(document: Document, facts: Facts) -> Faults:
    if document.type_code and document.type_code not in TYPE_CODES:
        yield at("BT-3", given=document.type_code)


@rule(
    "CHORUS-TYPE-CODE-MISSING",
    asks="Is the type of document given?",
    terms=("BT-3",),
    source="EN 16931 BT-3",
    severity=Severity.WARNING,
    routes=LEGACY_ROUTES,
    fr="La facture n'indique pas son type (BT-3).",
    en="The invoice does not tell its type (BT-3).",
    remedy_fr="Indiquez 380 pour une facture, 381 pour un avoir.",
    remedy_en="Put 380 for an invoice, 381 for a credit note.",
    fires=sample(type_code=""),
    passes=sample(type_code="", kind=Kind.UBL_CREDITNOTE),
)
def type_code_missing(document: Document, facts: Facts) -> Faults:
    if not document.type_code and document.kind is not Kind.UBL_CREDITNOTE:
        yield at("BT-3")


def _is_date(number: str) -> bool:
    """AAAAMMJJ of this century: the form that was seen refused."""
    return len(number) == 8 and number.startswith("20") and _parses(number, "%Y%m%d")


def _is_written_date(number: str) -> bool:
    plain = re.sub(r"[-/. ]", "-", number)
    return any(_parses(plain, form) for form in ("%Y-%m-%d", "%d-%m-%Y", "%d-%m-%y"))


def _parses(text: str, form: str) -> bool:
    try:
        return bool(datetime.strptime(text, form).date()) if text.isascii() else False  # noqa: DTZ007  a day only
    except ValueError:
        return False
