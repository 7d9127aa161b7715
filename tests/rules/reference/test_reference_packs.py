"""The official packs in the reference engine, with the codes that lie beside them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.rules.reference.engine import ReferenceRulebook
from gateway.rules.reference.process import ReferenceProcess
from gateway.rules.rulebook.outcome import Outcome
from tests.rules.reference.sheets import BASIC, OFFICIAL

PACKS = sorted(path for path in OFFICIAL.rglob("*.xsl*") if not path.parent.name.startswith("orderx"))
CURRENCY = "FX-SCH-A-000040"


@pytest.fixture(scope="module")
def process() -> Iterator[ReferenceProcess]:
    with ReferenceProcess() as made:
        yield made


@pytest.fixture
def basic(process: ReferenceProcess) -> ReferenceRulebook:
    return ReferenceRulebook(BASIC, process)


@pytest.mark.parametrize("currency", ["EUR", "XPF"])
def test_a_currency_of_the_code_list_passes(basic, currency):
    assert CURRENCY not in rules(basic.run(invoice(currency)))


@pytest.mark.parametrize("currency", ["EURO", "eur", "XXY"])
def test_a_currency_that_is_not_in_the_code_list_fires(basic, currency):
    outcome = basic.run(invoice(currency))
    (fired,) = [fired for fired in outcome.fired if fired.rule == CURRENCY]
    assert fired.message == "Value of 'ram:InvoiceCurrencyCode' is not allowed."
    assert not fired.report
    assert fired.location.endswith(
        "/*:InvoiceCurrencyCode[namespace-uri()="
        "'urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100'][1]"
    )


def test_a_freshly_compiled_sheet_says_the_same(basic):
    assert basic.run(invoice("EURO"), fresh=True) == basic.run(invoice("EURO"))


def test_an_amount_that_is_no_number_is_one_abort_that_names_no_rule(basic):
    outcome = basic.run(invoice("EUR", total="twelve"))
    assert outcome.fired == ()
    (abort,) = outcome.aborts
    assert (abort.rule, abort.location, abort.line) == ("", "", None)
    assert "twelve" in abort.reason


def test_a_doctype_is_an_abort(basic):
    assert basic.run(b"<!DOCTYPE a><a/>").aborts[0].reason == "a document with a DOCTYPE is not read"


@pytest.mark.parametrize("sheet", PACKS, ids=lambda path: path.stem)
def test_every_official_pack_runs(process, sheet: Path):
    outcome = ReferenceRulebook(sheet, process).run(b"<a/>")
    assert outcome.aborts == ()


def test_there_are_ten_packs():
    assert len(PACKS) == 10


def rules(outcome: Outcome) -> set[str]:
    assert outcome.aborts == ()
    return {fired.rule for fired in outcome.fired}


def invoice(currency: str, total: str = "12.00") -> bytes:
    """The least that the rule on the currency asks for."""
    return f"""<rsm:CrossIndustryInvoice
        xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
        xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100">
      <rsm:SupplyChainTradeTransaction>
        <ram:ApplicableHeaderTradeSettlement>
          <ram:InvoiceCurrencyCode>{currency}</ram:InvoiceCurrencyCode>
          <ram:SpecifiedTradeSettlementHeaderMonetarySummation>
            <ram:GrandTotalAmount>{total}</ram:GrandTotalAmount>
            <ram:DuePayableAmount>{total}</ram:DuePayableAmount>
          </ram:SpecifiedTradeSettlementHeaderMonetarySummation>
        </ram:ApplicableHeaderTradeSettlement>
      </rsm:SupplyChainTradeTransaction>
    </rsm:CrossIndustryInvoice>""".encode()
