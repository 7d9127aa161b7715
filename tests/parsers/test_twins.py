"""The same invoice in UBL and in CII gives the same terms; where a source's twins differ, the table says why."""

from __future__ import annotations

import os
import re
from dataclasses import fields
from pathlib import Path

import pytest

from gateway.domain.document import Document
from gateway.parsers.invoice_xml import read_invoice_xml

CORPUS = Path(os.environ.get("GATEWAY_CORPUS", Path(__file__).resolve().parents[2] / ".." / "shared" / "corpus"))

#: A CII's path, and where its UBL twin lies.
PAIRS = (
    (r"kosit-xrechnung-testsuite/cii/(.*)_uncefact\.xml", "kosit-xrechnung-testsuite/ubl-invoice/{}_ubl.xml"),
    (r"kosit-validator-config/cii/instances__cii(.*)\.xml", "kosit-validator-config/ubl-invoice/instances__ubl{}.xml"),
    (
        r"zugferd-corpus/cii/XML-Rechnung__CII__(.*)\.cii\.xml",
        "zugferd-corpus/ubl-invoice/XML-Rechnung__UBL__{}.ubl.xml",
    ),
    (r"zugferd-corpus/cii/(other__.*)\.cii\.xml", "zugferd-corpus/ubl-invoice/{}.ubl.xml"),
    (
        r"zugferd-corpus/cii/XML-Rechnung__CII__(XRECHNUNG_.*)\.cii\.xml",
        "mustangproject/ubl-invoice/library__src__test__resources__ubl__{}.ubl.xml",
    ),
    (
        r"mustangproject/cii/library__src__test__resources__cii__(.*)\.cii\.xml",
        "mustangproject/ubl-invoice/library__src__test__resources__ubl__{}.ubl.xml",
    ),
    (
        r"en16931-cii2ubl/cii/src__test__resources__external__cii__(.*)\.xml",
        "en16931-cii2ubl/ubl-invoice/generated__toubl21__{}-ubl.xml",
    ),
    (
        r"cen-en16931/cii/cii__examples__CII_example(.*)\.xml",
        "cen-en16931/ubl-invoice/ubl__examples__ubl-tc434-example{}.xml",
    ),
    (r"en16931-oracles/cii/brfr__gaps-fr__cii-(.*)\.xml", "en16931-oracles/ubl-invoice/brfr__gaps-fr__ubl-{}.xml"),
    (r"zugferd-csharp/cii/(.*)_CII\.xml", "zugferd-csharp/ubl-invoice/{}_UBL.xml"),
    (
        r"phive-rules/cii/xrechnung__3.0.2__cii__(.*)_uncefact\.xml",
        "phive-rules/ubl-invoice/xrechnung__3.0.2__ubl-inv__{}_ubl.xml",
    ),
    (
        r"gobl-cii/cii/convert__peppol-france-cius__out__(invoice.*)\.xml",
        "gobl-ubl/ubl-invoice/convert__france-cius__out__{}.xml",
    ),
    (
        r"gobl-cii/cii/convert__peppol-france-cius__out__(credit-note.*)\.xml",
        "gobl-ubl/ubl-creditnote/convert__france-cius__out__{}.xml",
    ),
)

DUMMY_ORDER = "UBL must give an order ID where only the seller's order (BT-14) is known; the source writes a dummy"
ZERO_GIVEN = "the CII writes totals of zero (BT-107, 108, 113 or 114) that the UBL leaves out, or the reverse"
OTHER_GUIDELINE = "the source declares another BT-23 or BT-24 in its UBL"
FEWER_SELLER_IDS = "the UBL leaves out seller identifiers without a scheme (BT-29)"
TRADING_NAME = "the UBL writes the trading name into RegistrationName, and the name into PartyName"
OTHER_TEXT = "the source's two files differ here"
NO_ACCOUNT = "the generated UBL leaves the account out for payment means 10"

#: What differs in the sources themselves, looked up in both files by hand: stem of the CII → field → why.
DIFFERENT: dict[str, dict[str, str]] = {
    "src__test__resources__external__cii__issues__issue34": {"accounts": NO_ACCOUNT},
    "brfr__gaps-fr__cii-pmt-vide": {"number": OTHER_TEXT},
    "brfr__gaps-fr__cii-siren-lettres": {"number": OTHER_TEXT},
    "instances__cii001": dict.fromkeys(("type_code", "buyer_reference", "buyer", "accounts", "vat_lines"), OTHER_TEXT),
    "business-cases__standard__01.10a-INVOICE_uncefact": {"order": DUMMY_ORDER},
    "business-cases__standard__01.11a-INVOICE_uncefact": {"order": DUMMY_ORDER},
    "business-cases__standard__01.12a-INVOICE_uncefact": {"order": DUMMY_ORDER},
    "business-cases__standard__01.20a-INVOICE_uncefact": {"totals": ZERO_GIVEN},
    "business-cases__standard__01.21a-INVOICE_uncefact": {
        "seller": OTHER_TEXT,
        "totals": ZERO_GIVEN,
        "vat_lines": OTHER_TEXT,
    },
    "business-cases__standard__02.01a-INVOICE_uncefact": {"totals": ZERO_GIVEN},
    "business-cases__standard__02.03a-INVOICE_uncefact": {"totals": ZERO_GIVEN},
    "business-cases__standard__03.07a-INVOICE_uncefact": {"seller": FEWER_SELLER_IDS, "totals": ZERO_GIVEN},
    "technical-cases__cius__01.02_comprehensive_test_uncefact": {"buyer": TRADING_NAME, "totals": ZERO_GIVEN},
    "technical-cases__cius__01.03_comprehensive_test_uncefact": {"buyer": TRADING_NAME, "totals": ZERO_GIVEN},
    "technical-cases__cius__01.04_comprehensive_test_uncefact": {"buyer": TRADING_NAME, "totals": ZERO_GIVEN},
    "technical-cases__cius__01.05_minimal_test_uncefact": {"totals": "the CII gives no TaxTotalAmount (BT-110)"},
    "demodata__xRechnung__xRechnung_CII": {
        "seller": "the CII repeats the name as identifier",
        "buyer": "the CII gives the contact as name and the firm as identifier",
    },
    "convert__peppol-france-cius__out__credit-note": {"order": DUMMY_ORDER},
    "convert__peppol-france-cius__out__invoice-standard": {"order": DUMMY_ORDER},
    "xrechnung__3.0.2__cii__01.02a-INVOICE_uncefact": {"order": DUMMY_ORDER},
    "xrechnung__3.0.2__cii__01.08a-INVOICE_uncefact": {"order": DUMMY_ORDER},
    "xrechnung__3.0.2__cii__01.11a-INVOICE_uncefact": {"order": DUMMY_ORDER},
    "xrechnung__3.0.2__cii__01.20a-INVOICE_uncefact": {"totals": ZERO_GIVEN},
    "xrechnung__3.0.2__cii__03.06a-INVOICE_uncefact": {
        "seller": FEWER_SELLER_IDS + "; another address (BT-34)",
        "delivered": "the UBL gives no delivery date",
        "totals": ZERO_GIVEN,
    },
    **{
        f"XML-Rechnung__CII__EN16931_{name}.cii": {"process": OTHER_GUIDELINE, "guideline": OTHER_GUIDELINE}
        for name in (
            "Haftpflichtversicherung_Versicherungssteuer",
            "Innergemeinschaftliche_Lieferungen",
            "Kraftfahrversicherung_Bruttopreise",
            "OEPNV",
        )
    },
    **{
        f"XML-Rechnung__CII__EN16931_{name}.cii": {
            "process": OTHER_GUIDELINE,
            "guideline": OTHER_GUIDELINE,
            "seller": FEWER_SELLER_IDS,
        }
        for name in (
            "AbweichenderZahlungsempf",
            "Einfach",
            "Einfach_DueDate",
            "Einfach_negativePaymentDue",
            "Gutschrift",
            "SEPA_Prenotification",
        )
    },
}


def twins() -> list[tuple[Path, Path]]:
    found = []
    for cii in sorted(CORPUS.glob("*/cii/*.xml")):
        for pattern, place in PAIRS:
            match = re.fullmatch(pattern, cii.relative_to(CORPUS).as_posix())
            if match and (CORPUS / place.format(match[1])).exists():
                found.append((cii, CORPUS / place.format(match[1])))
    return found


def differing(one: Document, other: Document) -> set[str]:
    compared = (field.name for field in fields(Document) if field.name not in {"kind", "source_lines"})
    return {name for name in compared if getattr(one, name) != getattr(other, name)}


def test_twins_in_ubl_and_cii_have_the_same_terms() -> None:
    pairs = twins()
    if not pairs:
        pytest.skip(f"no corpus at {CORPUS}")
    wrong = {}

    for cii, ubl in pairs:
        one = read_invoice_xml(cii.read_bytes()).document
        other = read_invoice_xml(ubl.read_bytes()).document
        found, explained = differing(one, other), set(DIFFERENT.get(cii.stem, ()))
        if found != explained:
            wrong[cii.stem] = (found - explained, explained - found)

    assert wrong == {}
    assert len(pairs) >= 60
    assert {cii.stem for cii, _ in pairs} >= DIFFERENT.keys()
