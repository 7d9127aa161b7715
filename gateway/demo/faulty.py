"""The files with a fault that we find before the State does: each is one edit away from a good invoice."""

from __future__ import annotations

from datetime import timedelta

from gateway.demo.bodies import AGENCY, COUNTY, DISSOLVED, REGION, SCHOOL, THE_STATE, TOWN, UNKNOWN, Body
from gateway.demo.drops import How, Script, held, refused
from gateway.demo.good import EJ
from gateway.demo.invoices import cii_invoice, readable, ubl_invoice
from gateway.demo.pdf import page
from gateway.demo.scene import CLEANER, ERP, OPERATOR, STATIONER, WORKSHOP
from gateway.demo.spec import Company, Profile, made_up_iban, made_up_siret

_STRANGER = Company("Fournisseur inconnu", made_up_siret(555), iban=made_up_iban(555))


def faulty(script: Script) -> None:
    """Everything that is refused or held before it is sent."""
    _routing(script)
    _invoice(script)
    _syntax(script)
    _no_invoice(script)


def _routing(script: Script) -> None:
    rows: tuple[tuple[str, Body | Company, str, str, str], ...] = (
        ("EJ missing (the State)", THE_STATE, "SFACETAT", "", "CHORUS-EJ-MISSING"),
        ("EJ missing, no service open", AGENCY, "", "", "CHORUS-EJ-MISSING"),
        ("EJ missing, service wants it", TOWN, "ECOLES", "", "CHORUS-EJ-MISSING-FOR-SERVICE"),
        ("neither EJ nor service", REGION, "", "", "CHORUS-EJ-OR-SERVICE-MISSING"),
        ("service missing", TOWN, "", "", "CHORUS-SERVICE-MISSING"),
        ("service unknown", TOWN, "VOIERIE", "", "CHORUS-SERVICE-UNKNOWN"),
        ("service inactive", TOWN, "FERME", "", "CHORUS-SERVICE-INACTIVE"),
        ("service outside its dates", TOWN, "ANCIEN", "", "CHORUS-SERVICE-OUTSIDE-DATES"),
        ("service for public bodies", TOWN, "FACTURES_PUBLIQUES", "", "CHORUS-SERVICE-PUBLIC-ONLY"),
        ("buyer inactive", DISSOLVED, "", "", "CHORUS-BUYER-INACTIVE"),
        ("buyer not in the directory", UNKNOWN, "", "", "CHORUS-BUYER-UNKNOWN"),
        ("buyer's SIRET cut to SIREN", Company("Commune", "123456782"), "", "", "CHORUS-BUYER-SIRET-FORMAT"),
    )
    for at, (about, body, service, ej, rule) in enumerate(rows):
        partner, seller, make = ((ERP, STATIONER, ubl_invoice), (OPERATOR, CLEANER, cii_invoice))[at % 2]
        spec = script.invoice(seller, body, service, ej)
        script.drop(partner, f"{spec.number}.xml", make(spec), about, refused(rule))


def _invoice(script: Script) -> None:
    spec = script.invoice(CLEANER, SCHOOL)
    script.drop(
        ERP, f"{spec.number}.xml", ubl_invoice(spec), "issuer of another partner", refused("ISSUER-NOT-ALLOWED")
    )
    spec = script.invoice(_STRANGER, SCHOOL)
    script.drop(ERP, f"{spec.number}.xml", cii_invoice(spec), "issuer that nobody knows", refused("ISSUER-UNKNOWN"))
    spec = script.invoice(STATIONER, SCHOOL, number=f"PON-FACTURE-{script.today.year}-000001")
    script.drop(ERP, "numero-trop-long.xml", ubl_invoice(spec), "number too long", refused("CHORUS-NUMBER-LENGTH"))
    spec = script.invoice(STATIONER, SCHOOL, number=f"{script.today:%Y%m%d}")
    script.drop(ERP, "numero-date.xml", ubl_invoice(spec), "number is a date", refused("CHORUS-NUMBER-IS-DATE"))
    spec = script.invoice(WORKSHOP, SCHOOL, process="A4")
    script.drop(
        OPERATOR, f"{spec.number}.xml", cii_invoice(spec), "works statement (A4)", refused("CHORUS-CADRE-NOT-SERVED")
    )
    spec = script.invoice(STATIONER, SCHOOL, payment_means="")
    about = "payment means missing"
    script.drop(ERP, f"{spec.number}.xml", ubl_invoice(spec), about, refused("CHORUS-PAYMENT-MEANS-MISSING"))
    spec = script.invoice(WORKSHOP, COUNTY, "", EJ, profile=Profile.REFORM)
    about = "reform profile"
    script.drop(ERP, f"{spec.number}.xml", ubl_invoice(spec), about, refused("CHORUS-PROFILE-REFORM"))
    spec = script.invoice(STATIONER, SCHOOL, issued=script.today + timedelta(days=30))
    about = "dated next month"
    script.drop(ERP, f"{spec.number}.xml", ubl_invoice(spec), about, held("CHORUS-DATE-AFTER-DEPOSIT"))


def _syntax(script: Script) -> None:
    spec = script.invoice(STATIONER, SCHOOL)
    comma = ubl_invoice(spec).replace(f">{spec.gross}</cbc:Payable".encode(), b">1 324,60</cbc:Payable")
    script.drop(ERP, f"{spec.number}.xml", comma, "amount with decimal comma", refused("ERR_XSD_001"))
    spec = script.invoice(CLEANER, SCHOOL)
    order = cii_invoice(spec).replace(b"<ram:TypeCode>380</ram:TypeCode>", b"", 1)
    order = order.replace(b"</ram:IssueDateTime>", b"</ram:IssueDateTime><ram:TypeCode>380</ram:TypeCode>", 1)
    script.drop(OPERATOR, f"{spec.number}.xml", order, "elements in wrong order", refused("ERR_XSD_001"))
    spec = script.invoice(STATIONER, SCHOOL)
    broken = ubl_invoice(spec).replace(b"</cbc:IssueDate>", b"</cbc:IssueDat>")
    script.drop(ERP, f"{spec.number}.xml", broken, "XML not well-formed", refused("IRR_SYNTAX"))
    spec = script.invoice(CLEANER, SCHOOL)
    declared = b'?>\n<!DOCTYPE Invoice [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    entity = ubl_invoice(spec).replace(b"?>", declared, 1)
    script.drop(OPERATOR, f"{spec.number}.xml", entity, "hostile: DOCTYPE with file", refused("INTAKE-XML-DOCTYPE"))


def _no_invoice(script: Script) -> None:
    script.drop(ERP, "vide.xml", b"", "empty file", refused("IRR_VIDE_F"))
    letter = b"Bonjour, veuillez trouver la facture ci-jointe.\n"
    script.drop(ERP, "lisez-moi.xml", letter, "a letter named .xml", refused("IRR_TYPE_F"))
    spec = script.invoice(STATIONER, SCHOOL)
    script.drop(ERP, f"{spec.number}.pdf", readable(spec), "PDF without data", held("INTAKE-PDF-ALONE"))
    script.drop(
        OPERATOR, "conditions.pdf", page(["Conditions de vente"]), "PDF that is no invoice", held("INTAKE-PDF-ALONE")
    )
    spec = script.invoice(CLEANER, SCHOOL)
    script.drop(
        OPERATOR,
        f"{spec.number}.xml",
        cii_invoice(spec),
        "transfer cut, never ends",
        refused("INCOMPLETE"),
        how=How.CUT,
    )
    script.drop(OPERATOR, "raccourci.xml", b"", "hostile: link leads out", refused("INTAKE-SYMLINK"), how=How.LINK)
