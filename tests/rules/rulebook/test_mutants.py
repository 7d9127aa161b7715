"""The mutants: each can be made again, the rules that they aim at fire, and why a rule never fires is told rightly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from gateway.rules.reference.engine import ReferenceRulebook
from gateway.rules.reference.process import ReferenceProcess
from gateway.rules.rulebook.stylesheet import read_stylesheet
from tests.rules.rulebook.differential import mutants
from tests.rules.rulebook.mutation.hunt import Hunted, hunt
from tests.rules.rulebook.mutation.mutants import Mutants
from tests.rules.rulebook.mutation.numbered import NumberedOracle, number_sheet
from tests.rules.rulebook.sheets import MINIMUM, Check, Function, Let, Rule, write_sheet

DOCUMENT = b"""<n:r xmlns:n="urn:n"><n:id>A-1</n:id><n:day>2024-01-31</n:day><n:currency list="ISO">EUR</n:currency>
<n:line><n:id>1</n:id><n:net>10.00</n:net></n:line><n:line><n:id>2</n:id><n:net>5.50</n:net></n:line>
<n:total>15.50</n:total></n:r>"""

#: Stands in the names of the mutants that aim at an assert.
AIMED = "@"

Hunting = Callable[..., Hunted]


@pytest.fixture(scope="module")
def process() -> Iterator[ReferenceProcess]:
    with ReferenceProcess() as made:
        yield made


@pytest.fixture
def hunted(process: ReferenceProcess, tmp_path: Path) -> Hunting:
    """Hunts for the checks of a few rules, in a document that satisfies them."""

    def hunt_for(*rules: Rule, functions: tuple[Function, ...] = (), lets: tuple[Let, ...] = ()) -> Hunted:
        sheet = read_stylesheet(write_sheet(tmp_path / "sheet.xsl", [list(rules)], functions=functions, lets=lets))
        copies = tmp_path / "copies"
        copies.mkdir()
        oracle = NumberedOracle(number_sheet(sheet, copies), process)
        return hunt(
            Mutants(sheet, {"document": DOCUMENT}),
            oracle,
            budget=200,
            per_assert=100,
            solo=lambda number: NumberedOracle(number_sheet(sheet, copies, number), process),
        )

    return hunt_for


@pytest.mark.parametrize(
    ("match", "test"),
    [
        ("n:r", "n:id"),
        ("n:r", "not(n:a/n:b/@c)"),
        ("n:r", "not(//@c)"),
        ("n:r", "count(n:currency) = 1"),
        ("n:r", "count(n:line) >= 2"),
        ("n:r", "count(n:a | n:b) <= 1"),
        ("n:r", "n:total = sum(n:line/n:net)"),
        ("n:r", "xs:decimal(n:total) = round(sum(n:line/n:net/xs:decimal(.)) * 10 * 10) div 100"),
        ("n:r", "every $l in n:line satisfies xs:decimal($l/n:net) > 0"),
        ("n:r", "not(some $l in n:line satisfies $l/n:id = '7')"),
        ("n:r", "if (n:currency = 'EUR') then not(n:rate) else n:rate"),
        ("n:r", "xs:date(n:day) <= xs:date('2024-12-31')"),
        ("n:r", "not(n:start) or not(n:end) or n:end >= n:start"),
        ("n:r", "count(distinct-values(n:line/@k)) = count(n:line/@k)"),
        ("n:r", "not(n:line/n:id[. = preceding::n:id])"),
        ("n:id", "matches(., '^[A-Z0-9]+(-[0-9]{1,4})?$')"),
        ("n:currency", "contains(' EUR USD CHF ', concat(' ', normalize-space(.), ' '))"),
        ("n:currency", ". = ('EUR', 'USD')"),
        ("n:net", "string-length(substring-after(., '.')) <= 2"),
        ("n:line[n:id = '9']/n:note", "starts-with(., 'R')"),
        ("n:a/n:b[@kind = 'x' and n:c]", "@other"),
        ("//n:*[ends-with(name(), 'id')]", "string-length(.) < 5"),
    ],
)
def test_an_assert_is_made_to_fire(hunted, match, test):
    seen = hunted(Rule(match, [Check(test)]))
    assert seen.fired[0]
    assert AIMED in seen.example[0], "a mutant that aims at nothing was faster"


def test_a_report_is_made_to_fire(hunted):
    assert hunted(Rule("n:line/n:extra[@kind = '3']", [Check("true()", report=True)])).fired[0]


def test_variables_and_functions_are_seen_through(hunted):
    special = Function("custom:special", [("root", "element()?")], "$root/n:id = ('S1', 'S2')")
    rule = Rule("n:line", [Let("number", "n:id"), Check("not(custom:special(/n:r)) or $number = $first")])
    assert hunted(rule, functions=(special,), lets=(Let("first", "/n:r/n:first"),)).fired[0]


def test_the_path_of_a_pattern_is_made_where_it_is_missing(hunted):
    assert hunted(Rule("/n:r/n:x/n:y[n:z = '5']/n:w", [Check("@v")])).fired[0]


@pytest.mark.parametrize(
    ("match", "check"),
    [
        ("n:r", Check("true()")),
        ("n:r", Check("n:a or not(n:a)")),
        ("n:r", Check("(n:a and not(n:b)) or not(n:a) or n:b")),
        ("n:id[not(@a)]", Check("@a", report=True)),
        ("n:id", Check("not(self::n:day) or n:a")),
    ],
)
def test_a_test_that_can_say_one_thing_only_is_told(hunted, match, check):
    seen = hunted(Rule(match, [check]))
    assert seen.fired.total() == 0
    assert seen.reasons == {0: "its test can say one thing only"}


def test_a_rule_whose_nodes_another_takes_is_told(hunted):
    seen = hunted(Rule("n:line/n:id", [Check("@a")]), Rule("n:r/n:line/n:id", [Check("@b")]))
    assert seen.fired[0]
    assert "never asked: its nodes are taken by the rule of line" in seen.reasons[1]
    assert "(n:line/n:id)" in seen.reasons[1]


def test_a_rule_below_one_that_ends_the_visit_is_told(hunted):
    seen = hunted(Rule("n:line", [Check("@a")], descends=False), Rule("n:line/n:id", [Check("@b")]))
    assert seen.fired[0]
    assert "never asked: the rule of line" in seen.reasons[1]
    assert "ends the visit above its nodes" in seen.reasons[1]


def test_a_rule_that_fires_only_where_another_stops_the_engine_is_asked_alone(hunted):
    seen = hunted(Rule("n:r", [Check("count(n:day) <= 1"), Check("normalize-space(n:day) != 'x'", rule="ONE")]))
    assert seen.fired[1]
    assert not seen.fired[0]
    assert set(seen.alone) == {0}
    assert "more than one item" in seen.reasons[0]


def test_a_mutant_is_made_again_from_its_name(process, tmp_path):
    sheet = read_stylesheet(MINIMUM)
    first = dict(islice(mutants(DOCUMENT, 5, sheet), 60))
    assert first == dict(islice(mutants(DOCUMENT, 5, sheet), 60))
    again = Mutants(sheet, {"document": DOCUMENT})
    assert {name: again.again(name) for name in first} == first
    assert first != dict(islice(mutants(DOCUMENT, 6, sheet), 60))
    assert len(set(first.values())) > 40


def test_a_numbered_sheet_says_what_the_official_one_says(process, tmp_path):
    sheet = read_stylesheet(MINIMUM)
    numbered = NumberedOracle(number_sheet(sheet, tmp_path), process)
    official = ReferenceRulebook(MINIMUM, process)
    asserts = list(sheet.assertions)

    for _, xml in islice(mutants(invoice(), 1, sheet), 40):
        ours, theirs = numbered(xml), official.run(xml)
        assert [fired._replace(test="") for fired in ours.fired] == [fired._replace(test="") for fired in theirs.fired]
        assert [asserts[int(fired.test)].rule for fired in ours.fired] == [fired.rule for fired in theirs.fired]
        assert ours.aborts == theirs.aborts
    assert numbered.entered


def invoice() -> bytes:
    """A few elements of an invoice, enough for most rules to be asked."""
    ram = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
    return f"""<rsm:CrossIndustryInvoice xmlns:ram="{ram}"
        xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100">
      <rsm:ExchangedDocument><ram:ID>1</ram:ID><ram:TypeCode>380</ram:TypeCode></rsm:ExchangedDocument>
      <rsm:SupplyChainTradeTransaction>
        <ram:ApplicableHeaderTradeAgreement><ram:SellerTradeParty><ram:Name>A</ram:Name></ram:SellerTradeParty>
        </ram:ApplicableHeaderTradeAgreement><ram:ApplicableHeaderTradeDelivery/>
        <ram:ApplicableHeaderTradeSettlement><ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>
          <ram:SpecifiedTradeSettlementHeaderMonetarySummation><ram:GrandTotalAmount>12.00</ram:GrandTotalAmount>
          </ram:SpecifiedTradeSettlementHeaderMonetarySummation></ram:ApplicableHeaderTradeSettlement>
      </rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>""".encode()
