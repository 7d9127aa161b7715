"""The makers of invoices: valid by the official schemas, right in their sums, the same bytes every time."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from datetime import date
from decimal import Decimal

import facturx
import pikepdf
import pytest
from stdnum import iban
from stdnum.fr import siret, tva

from gateway.demo.bodies import BODIES, TOWN
from gateway.demo.invoices import (
    Company,
    Destination,
    InvoiceSpec,
    Line,
    Maker,
    Profile,
    cii_invoice,
    facturx_pdf,
    made_up_iban,
    made_up_siret,
    small_batch,
    small_specs,
    ubl_credit_note,
    ubl_invoice,
)
from gateway.demo.scene import ISSUERS
from gateway.domain import routing
from gateway.domain.document import Profile as ReadProfile
from gateway.domain.facts import Buyer, Directory, Facts, Service
from gateway.domain.issuer import Issuer, Route
from gateway.parsers.read import read_document
from gateway.rules.judge import judge
from gateway.rules.packs import PackRegistry

SELLER = Company("Papeterie & Fils <du> Ponant", made_up_siret(101), iban=made_up_iban(101))
LINES = (
    Line("Papier", Decimal("3.5"), Decimal("0.99"), Decimal(20)),
    Line("Livres", Decimal(7), Decimal("12.333"), Decimal("5.5")),
    Line("Port", Decimal(1), Decimal("4.15"), Decimal(20)),
)
SPEC = InvoiceSpec(
    "FA-2026-0001", date(2026, 1, 15), SELLER, TOWN.company, "VOIRIE", "1501966748", "M-17", LINES, note="À < 9 h"
)
CREDIT = replace(SPEC, credits=("FA-2025-0900", date(2025, 12, 1)))
XML: dict[str, tuple[Maker, InvoiceSpec]] = {
    "ubl": (ubl_invoice, SPEC),
    "ubl-reform": (ubl_invoice, replace(SPEC, profile=Profile.REFORM)),
    "ubl-credit": (ubl_credit_note, CREDIT),
    "ubl-bare": (ubl_invoice, InvoiceSpec("1", date(2026, 1, 15), SELLER, TOWN.company, payment_means="")),
    "cii": (cii_invoice, SPEC),
    "cii-reform": (cii_invoice, replace(SPEC, profile=Profile.REFORM)),
    "cii-credit": (cii_invoice, CREDIT),
    "cii-bare": (cii_invoice, InvoiceSpec("1", date(2026, 1, 15), SELLER, TOWN.company, payment_means="")),
}


@pytest.mark.parametrize("name", XML)
def test_every_xml_is_valid_by_the_official_schema(name: str) -> None:
    maker, spec = XML[name]

    facturx.xml_check_xsd(maker(spec))


@pytest.mark.parametrize("maker", [ubl_invoice, cii_invoice])
def test_the_amounts_add_up(maker: Maker) -> None:
    document = read_document(maker(SPEC)).document

    totals = document.totals
    assert totals.lines == totals.net == SPEC.net == Decimal("3.47") + Decimal("86.33") + Decimal("4.15")
    assert totals.vat == sum(line.tax for line in document.vat_lines if line.tax) == SPEC.vat
    assert totals.gross == totals.due == SPEC.net + SPEC.vat
    assert {line.rate: line.base for line in document.vat_lines} == {
        Decimal(20): Decimal("7.62"),
        Decimal("5.5"): Decimal("86.33"),
    }


@pytest.mark.parametrize("maker", [ubl_invoice, cii_invoice, facturx_pdf])
def test_our_reader_finds_what_was_written(maker: Maker) -> None:
    document = read_document(maker(SPEC)).document

    assert (document.number, document.issued, document.process) == (SPEC.number, SPEC.issued, "A1")
    assert routing.seller_siret(document).value == SELLER.siret
    assert routing.buyer_siret(document).value == TOWN.company.siret
    assert (document.buyer_reference, document.order, document.contract) == ("VOIRIE", "1501966748", "M-17")
    assert (document.payment_means, document.accounts) == (("30",), (SELLER.iban,))
    assert (document.seller.name, document.profile) == (SELLER.name, ReadProfile.LEGACY)


@pytest.mark.parametrize("maker", [ubl_invoice, ubl_credit_note, cii_invoice, facturx_pdf])
def test_a_valid_invoice_passes_our_own_packs_without_a_remark(maker: Maker) -> None:
    reading = read_document(maker(SPEC if maker is not ubl_credit_note else CREDIT))
    issuer = Issuer(SELLER.siret, SELLER.name, Route.CHORUS_API, frozenset({"erp"}), "main")
    buyer = Buyer(TOWN.company.siret, TOWN.company.name, service_mandatory=True, has_active_service=True)
    facts = Facts(
        today=date(2026, 11, 23),
        route=Route.CHORUS_API,
        partner="erp",
        issuer=issuer,
        issuers_known=True,
        directory=Directory.FRESH,
        directory_age_days=0,
        buyer=buyer,
        service=Service("VOIRIE", "Voirie"),
        sandbox=True,
    )

    judgement = judge(reading.document, reading.tree, facts, PackRegistry.standard())

    assert not reading.findings
    assert [(f.rule, f.message.en) for f in judgement.findings] == []


def test_the_reform_profile_is_recognised_as_such() -> None:
    for maker in (ubl_invoice, cii_invoice):
        document = read_document(maker(replace(SPEC, profile=Profile.REFORM))).document
        assert document.profile is ReadProfile.REFORM
        assert document.seller.legal is not None
        assert document.seller.legal.value == SELLER.siren
        assert routing.seller_siret(document).value == SELLER.siret
        assert document.seller.endpoint is not None
        assert document.seller.endpoint.scheme == "0225"


def test_a_facturx_holds_its_xml_untouched_and_is_the_same_a_second_later() -> None:
    first = facturx_pdf(SPEC)
    time.sleep(1.1)

    assert facturx_pdf(SPEC) == first
    assert facturx.get_facturx_xml_from_pdf(first)[1] == cii_invoice(SPEC)
    with pikepdf.open(io.BytesIO(first)) as pdf:
        assert not pdf.check_pdf_syntax()


def test_a_batch_is_the_same_for_the_same_seed_and_never_repeats_a_number() -> None:
    places = [Destination(body.company, "S", "1234567890") for body in BODIES]
    sellers = [one.company for one in ISSUERS]

    first, again = (list(small_batch(500, sellers, places, seed=7)) for _ in range(2))
    other = list(small_batch(500, sellers, places, seed=8))

    assert first == again
    assert len({name for name, _ in first + other}) == 1000
    for _, content in first[:20]:
        facturx.xml_check_xsd(content)


def test_a_batch_adds_up_whatever_is_drawn() -> None:
    places = [Destination(TOWN.company)]

    for spec in small_specs(2000, [SELLER], places, seed=1):
        assert spec.net == sum(line.net for line in spec.lines)
        assert spec.gross == spec.net + sum(group.tax for group in spec.vat_groups)
        assert all(amount == amount.quantize(Decimal("0.01")) for amount in (spec.net, spec.vat, spec.gross))
        assert len(spec.number) <= 20


@pytest.mark.parametrize("number", range(0, 2000, 37))
def test_made_up_numbers_have_right_check_digits(number: int) -> None:
    company = Company("X", made_up_siret(number, number % 100))

    assert siret.is_valid(company.siret)
    assert tva.is_valid(company.vat)
    assert iban.is_valid(made_up_iban(number))
