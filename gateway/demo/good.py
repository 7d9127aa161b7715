"""The invoices that are good as they are: one of each syntax for each way of demanding EJ and service, and the fates
that a good invoice may meet at its buyer."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from gateway.demo.bodies import AGENCY, COUNTY, HOSPITAL, REGION, SCHOOL, THE_STATE, TOWN, UNIVERSITY, Body
from gateway.demo.drops import PAID, End, Ending, Script, rejected
from gateway.demo.invoices import Maker, cii_invoice, facturx_pdf, ubl_credit_note, ubl_invoice
from gateway.demo.scene import CLEANER, ERP, OPERATOR, STATIONER, WORKSHOP
from gateway.demo.spec import Line

EJ: Final = "1501966748"
_TWO_RATES: Final = (
    Line("Dictionnaires", Decimal(25), Decimal("18.90"), Decimal("5.5")),
    Line("Cartables", Decimal(25), Decimal("31.20")),
)
#: A status that no document of Chorus Pro knows.
_INVENTED: Final = ["DEPOSEE", "EN_COURS_ACHEMINEMENT", "MISE_A_DISPOSITION", "EN_ORBITE"]


def good(script: Script) -> None:
    """Everything that is sent and accepted."""
    _regimes(script)
    _fates(script)
    _names(script)


def _regimes(script: Script) -> None:
    makers: tuple[tuple[str, Maker], ...] = (("UBL", ubl_invoice), ("CII", cii_invoice), ("Factur-X", facturx_pdf))
    for what, maker in makers:
        spec = script.invoice(STATIONER, THE_STATE, "SFACETAT", EJ, contract="2026-MP-017")
        about = f"{what} to the State"
        script.drop(ERP, _named(spec.number, maker), maker(spec), about, PAID)
    rows: tuple[tuple[str, Maker, Body, str, str], ...] = (
        ("UBL, EJ mandatory", ubl_invoice, COUNTY, "", EJ),
        ("CII, service mandatory", cii_invoice, TOWN, "VOIRIE", ""),
        ("Factur-X, EJ or service: EJ", facturx_pdf, REGION, "", EJ),
        ("UBL, EJ or service: service", ubl_invoice, REGION, "ACHATS", ""),
        ("CII, no active service: EJ", cii_invoice, AGENCY, "", EJ),
        ("CII, nothing mandatory", cii_invoice, SCHOOL, "", ""),
        ("Factur-X, optional service", facturx_pdf, SCHOOL, "INTENDANCE", ""),
        ("UBL, service wants an EJ", ubl_invoice, TOWN, "ECOLES", EJ),
    )
    for at, (about, make, body, service, ej) in enumerate(rows):
        partner, seller = ((ERP, WORKSHOP), (OPERATOR, CLEANER))[at % 2]
        spec = script.invoice(seller, body, service, ej, lines=_TWO_RATES)
        script.drop(partner, _named(spec.number, make), make(spec), about, PAID)
    day = script.today - timedelta(days=20)
    credit_makers: tuple[tuple[str, Maker], ...] = (("UBL", ubl_credit_note), ("CII", cii_invoice))
    for what, maker in credit_makers:
        spec = script.invoice(STATIONER, TOWN, "VOIRIE", credits=("PON-0815", day))
        script.drop(ERP, _named(spec.number, maker), maker(spec), f"{what} credit note", PAID)


def _named(number: str, maker: Maker) -> str:
    return f"{number}.{'pdf' if maker is facturx_pdf else 'xml'}"


def _fates(script: Script) -> None:
    path, ending = rejected("TVA_ERRONEE", "Taux de TVA erroné : 10 % au lieu de 20 %")
    spec = script.invoice(STATIONER, TOWN, "VOIRIE", fate=path)
    script.drop(ERP, f"{spec.number}.xml", ubl_invoice(spec), "VAT rate wrong, says buyer", ending)
    path, ending = rejected("RIB_ERRONE", "rib inconnu, joindre votre nouvel iban")
    spec = script.invoice(WORKSHOP, COUNTY, "", EJ, fate=path)
    script.drop(ERP, f"{spec.number}.pdf", facturx_pdf(spec), "account unknown to buyer", ending)
    path, ending = rejected("MARCHE_TERMINE", "MARCHÉ 2022-07 CLOS. EJ soldé, voir avec la direction des ach")
    spec = script.invoice(CLEANER, REGION, "ACHATS", fate=path)
    script.drop(OPERATOR, f"{spec.number}.xml", cii_invoice(spec), "contract over, text cut", ending)

    spec = script.invoice(STATIONER, TOWN, "VOIRIE", fate="recycle:Mauvais service, facture pour la culture")
    about = "sent to the wrong service"
    script.drop(ERP, f"{spec.number}.xml", ubl_invoice(spec), about, Ending(End.TO_RECYCLE, "SE_EJ_INCORRECT"))
    spec = script.invoice(CLEANER, SCHOOL, fate="suspended:PV de réception manquant, merci de le joindre")
    about = "buyer misses a document"
    script.drop(OPERATOR, f"{spec.number}.xml", cii_invoice(spec), about, Ending(End.SUSPENDED, "JUSTIFICATIF_ABSENT"))

    spec = script.invoice(WORKSHOP, HOSPITAL)
    about = "buyer never tells payment"
    script.drop(ERP, f"{spec.number}.xml", ubl_invoice(spec), about, Ending(End.FINAL))
    spec = script.invoice(CLEANER, SCHOOL, fate="mandated-only")
    about = "payment ordered, not made"
    script.drop(OPERATOR, f"{spec.number}.xml", ubl_invoice(spec), about, Ending(End.WITH_BUYER, "MANDATEE"))
    spec = script.invoice(STATIONER, SCHOOL, fate=_INVENTED)
    about = "a status nobody documented"
    script.drop(ERP, f"{spec.number}.xml", cii_invoice(spec), about, Ending(End.WITH_BUYER, "EN_ORBITE"))

    bounced = Ending(End.BOUNCED, "CHORUS-BOUNCED")
    spec = script.invoice(STATIONER, TOWN, "CULTURE")
    script.drop(ERP, f"{spec.number}.xml", ubl_invoice(spec), "service closed meanwhile", bounced)
    spec = script.invoice(CLEANER, UNIVERSITY, "", "4599999999")
    script.drop(OPERATOR, f"{spec.number}.xml", cii_invoice(spec), "EJ the buyer never gave", bounced)
    spec = script.invoice(CLEANER, UNIVERSITY, "", "4500012345")
    script.drop(OPERATOR, f"{spec.number}.xml", cii_invoice(spec), "EJ the buyer gave", PAID)


def _names(script: Script) -> None:
    names = (
        ("n° {} été.xml", "accents and blanks in name"),
        ("\u202elmx.{}.xml", "right-to-left mark in name"),
        ("août/{}.TXT", "sub-folder, odd extension"),
    )
    for pattern, about in names:
        spec = script.invoice(STATIONER, REGION, "ACHATS")
        script.drop(ERP, pattern.format(spec.number), ubl_invoice(spec), about, PAID)
