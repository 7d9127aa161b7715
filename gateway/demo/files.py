"""All files of the demo: those of the first night, and those that answer what became of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from gateway.demo.archives import archives, zipped
from gateway.demo.bodies import COUNTY, SCHOOL, TOWN
from gateway.demo.drops import PAID, End, Ending, How, Script, held, refused, rejected
from gateway.demo.faulty import faulty
from gateway.demo.good import EJ, good
from gateway.demo.invoices import cii_invoice, ubl_invoice
from gateway.demo.scene import CLEANER, ERP, OPERATOR, STATIONER, WORKSHOP
from gateway.demo.spec import Line

_OTHER_LINES = (Line("Agrafeuses", Decimal(10), Decimal("9.99")),)
#: The file whose refusal is shown in full.
SHOWN = "a-corriger.xml"


def write_script(today: date) -> Script:
    """Every file, in the order in which it is dropped."""
    script = Script(today)
    good(script)
    archives(script)
    faulty(script)
    _completing(script)
    _corrected(script)
    _again(script)
    return script


def _completing(script: Script) -> None:
    spec = script.invoice(STATIONER, TOWN, "VOIRIE")
    script.drop(ERP, f"{spec.number}.xml", ubl_invoice(spec), "half-written, ended later", PAID, how=How.COMPLETED)
    spec = script.invoice(STATIONER, TOWN, "VOIRIE")
    script.drop(ERP, f"{spec.number}.xml.part", ubl_invoice(spec), "still has a temporary name", Ending(End.UNTOUCHED))


def _corrected(script: Script) -> None:
    """Refused first; the same number comes again with what was missing, and goes."""
    spec = script.invoice(WORKSHOP, COUNTY)
    script.drop(ERP, SHOWN, ubl_invoice(spec), "EJ missing", refused("CHORUS-EJ-MISSING"))
    mended = replace(spec, ej=EJ)
    script.drop(ERP, SHOWN, ubl_invoice(mended), "same number, EJ added", PAID, second=True)


def _again(script: Script) -> None:
    """What must not go twice."""
    spec = script.invoice(STATIONER, SCHOOL)
    content = ubl_invoice(spec)
    duplicate = Ending(End.DUPLICATE)
    script.drop(ERP, f"{spec.number}.xml", content, "comes again below", PAID)
    script.drop(ERP, f"{spec.number}-bis.xml", content, "same bytes again", duplicate, second=True)
    packed = zipped([(f"{spec.number}.xml", content)])
    script.drop(ERP, "rattrapage.zip", packed, "same invoice in a zip", duplicate, second=True)
    other = ubl_invoice(replace(spec, lines=_OTHER_LINES))
    about = "same number, other goods"
    already = refused("HISTORY-ALREADY-WITH-STATE")
    script.drop(ERP, f"{spec.number}-ter.xml", other, about, already, second=True)

    path, ending = rejected("NON_CONFORME", "Les prix unitaires different de la commande")
    spec = script.invoice(CLEANER, SCHOOL, fate=path)
    script.drop(OPERATOR, f"{spec.number}.xml", cii_invoice(spec), "buyer finds other prices", ending)
    again = cii_invoice(replace(spec, lines=_OTHER_LINES))
    about = "rejected number again"
    rule = refused("HISTORY-REJECTED-NUMBER")
    script.drop(OPERATOR, f"{spec.number}-bis.xml", again, about, rule, second=True)

    spec = script.invoice(CLEANER, TOWN, "VOIRIE", fate="recycle:Code service erroné")
    ending = Ending(End.TO_RECYCLE, "SE_EJ_INCORRECT")
    script.drop(OPERATOR, f"{spec.number}.xml", cii_invoice(spec), "service wrong, says buyer", ending)
    again = cii_invoice(replace(spec, service="ECOLES", ej=EJ))
    about = "same number, service right"
    script.drop(OPERATOR, f"{spec.number}-bis.xml", again, about, held("HISTORY-AMEND"), second=True)
