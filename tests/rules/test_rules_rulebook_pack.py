"""A Schematron pack: what becomes of what its engine says. A made engine for the cases, the real ones at the end."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from gateway.domain.document import Kind
from gateway.domain.facts import Facts
from gateway.domain.finding import Finding, Severity
from gateway.domain.issuer import Route
from gateway.domain.severities import decide, on_route
from gateway.domain.verdict import Decision, Judgement, Missing, Verdict
from gateway.rules.judge import NOT_JUDGED_RULE, judge
from gateway.rules.packs import PackRegistry
from gateway.rules.rulebook.outcome import Abort, Outcome
from gateway.rules.rulebook.pack import FINDINGS_LIMIT, RULE_LIMIT, RulebookPack
from gateway.rules.rulebook.place import readable_location
from gateway.rules.spec import Gravest
from tests.rules.made import DAY, DOCUMENT, ID, INVOICE, ROOT, SPECS, Made, fired, only, run, tree

# --- findings -----------------------------------------------------------------------------------------------------


def test_a_rule_that_fired_is_told_with_place_term_and_remedy_in_both_languages() -> None:
    result = run(fired())

    assert result.verdict is Verdict.INVALID
    assert only(result) == Finding(
        layer=SPECS["en16931-ubl"].layer,
        rule="BR-02",
        severity=Severity.FATAL,
        message=only(result).message,
        remedy=only(result).remedy,
        term="BT-1",
        location="/Invoice/cbc:ID",
        line=3,
    )
    assert only(result).message.fr == "Il manque le numéro de la facture (BT-1)."
    assert only(result).message.en == "An Invoice shall have an Invoice number (BT-1)."
    assert only(result).remedy.fr == "Renseignez le numéro de la facture (BT-1)."


@pytest.mark.parametrize(
    ("flag", "report", "severity"),
    [
        ("fatal", False, Severity.FATAL),
        ("error", False, Severity.FATAL),
        ("warning", False, Severity.WARNING),
        ("information", False, Severity.INFO),
        ("", False, Severity.FATAL),  # a broken assert makes a document invalid, whatever its author left out
        ("", True, Severity.FATAL),  # a report that speaks is a refusal too
        ("never-seen", False, Severity.FATAL),
    ],
)
def test_the_flag_decides_the_severity_and_without_one_it_is_fatal(flag: str, report: bool, severity: Severity) -> None:
    result = run(fired(flag=flag, report=report))

    assert only(result).severity is severity
    assert result.verdict is (Verdict.INVALID if severity is Severity.FATAL else Verdict.VALID)


@pytest.mark.parametrize(
    ("name", "day", "severity"),
    [
        ("br-fr-ubl", date(2026, 9, 30), Severity.WARNING),
        ("br-fr-ubl", date(2026, 10, 1), Severity.FATAL),
        ("br-fr-cii", date(2026, 9, 30), Severity.WARNING),
        ("extended-ctc-fr-ubl", date(2026, 9, 30), Severity.WARNING),
        ("extended-ctc-fr-cii", date(2026, 10, 1), Severity.FATAL),
        ("en16931-ubl", date(2026, 9, 30), Severity.FATAL),
    ],
)
def test_fnfes_packs_warn_until_the_last_of_september_and_refuse_from_the_first_of_october(
    name: str, day: date, severity: Severity
) -> None:
    result = run(fired(), spec=SPECS[name], day=day)

    assert only(result).severity is severity
    assert (result.verdict is Verdict.INVALID) is (severity is Severity.FATAL)


def test_a_mode_of_some_rules_leaves_the_others_as_they_are_and_raises_none() -> None:
    spec = replace(SPECS["en16931-ubl"], gravest=(Gravest(Severity.WARNING, rules=re.compile("BR-CL-.*")),))

    told = run(fired("BR-CL-01"), fired("BR-02"), fired("BR-CL-03", "information"), spec=spec).findings

    assert [f.severity for f in told] == [Severity.WARNING, Severity.FATAL, Severity.INFO]


def test_a_remedy_asks_to_drop_again_only_where_the_finding_refuses() -> None:
    again = "redéposez la facture."

    assert only(run(fired(), route=Route.PA)).remedy.fr.endswith(again)
    assert again not in only(run(fired(), route=Route.CHORUS_API)).remedy.fr  # lowered: the invoice leaves
    assert again not in only(run(fired(flag="warning"), route=Route.PA)).remedy.fr


def test_a_factur_x_number_gives_way_to_the_rule_that_its_text_names() -> None:
    message = "[BR-45]-Each VAT breakdown (BG-23) shall have a VAT category taxable amount (BT-116)."

    assert only(run(fired("FX-SCH-A-000047", "", message))).rule == "BR-45"
    assert only(run(fired("FX-SCH-A-000160", "", "Element 'ram:Content' must occur exactly 1 times."))).rule == (
        "FX-SCH-A-000160"
    )


def test_a_rule_without_an_id_gets_a_stable_one_from_its_pack_and_what_it_says() -> None:
    spec = SPECS["facturx-basic-rules"]
    message = "Element 'ram:URIID' is marked as not used in the given context."

    assert only(run(fired("", "", message), spec=spec)).rule == "FACTURX-BASIC-UNUSED-URIID"
    assert only(run(fired("", "", "Something else is always wrong here."), spec=spec)).rule == (
        "FACTURX-BASIC-SOMETHING-ELSE-ALWAYS-WRONG"
    )


def test_every_rule_that_fired_is_told_and_none_a_thousand_times() -> None:
    lines = [fired("BR-21", location=f"{ROOT}/line[{n}]") for n in range(1, 1_001)]

    told = run(*lines, fired("BR-02")).findings

    assert [f.rule for f in told].count("BR-21") == RULE_LIMIT
    assert [f.rule for f in told].count("BR-02") == 1
    assert told[-1].severity is Severity.INFO
    assert f"{1_000 - RULE_LIMIT}" in told[-1].message.en


def test_the_gravest_are_told_where_there_are_too_many_rules() -> None:
    warnings = [fired(f"UBL-CR-{n}", "warning") for n in range(FINDINGS_LIMIT + 50)]

    result = run(*warnings, fired("BR-02"))

    assert len(result.findings) == FINDINGS_LIMIT + 1
    assert "BR-02" in [f.rule for f in result.findings]
    assert result.verdict is Verdict.INVALID


def test_what_a_document_says_is_shown_harmlessly_and_kept_for_no_other_document() -> None:
    evil = "\u202e\x07{fr}" + "x" * 100_000
    spec = SPECS["br-fr-ubl"]
    official = '[BR-FR-08/BT-23] : La valeur du cadre de facturation (ram:ID) est absente. Valeur actuelle : "{}".'
    pack = RulebookPack(
        spec, {Kind.UBL_INVOICE: Made(Outcome((fired("BR-FR-08_BT-23", message=official.format(evil)),)))}
    )

    first = only(pack.run(DOCUMENT, tree(), Facts(today=DAY)))
    pack.books[Kind.UBL_INVOICE] = Made(Outcome((fired("BR-FR-08_BT-23", message=official.format("S1")),)))
    second = only(pack.run(DOCUMENT, tree(), Facts(today=DAY)))

    assert "\u202e" not in first.message.fr
    assert "\x07" not in first.message.fr
    assert len(first.message.fr) < 2_000
    assert second.message.fr.endswith('Valeur actuelle : "S1".')
    assert first.message.en == second.message.en
    assert "x" * 20 not in second.message.en
    assert (first.term, second.term) == ("BT-23", "BT-23")


# --- verdicts -----------------------------------------------------------------------------------------------------


def test_a_rule_that_could_not_be_computed_is_not_judged_and_says_which_where_and_why() -> None:
    result = run(fired(), aborts=(Abort("BR-CO-15", ID, 9, "“abc” is not a number"),))

    assert (result.verdict, result.missing) == (Verdict.NOT_JUDGED, Missing.ENGINE)
    assert "BR-CO-15" in result.reason
    kept, technical = result.findings
    assert kept.rule == "BR-02"
    assert (technical.rule, technical.location, technical.line) == ("PACK-RULE-NOT-COMPUTED", "/Invoice/cbc:ID", 9)
    assert "« abc » n'est pas un nombre" in technical.message.fr
    assert "BR-CO-15" in technical.message.fr
    assert decide(on_route([technical], Route.PA)) is Decision.HOLD


def test_an_engine_that_met_its_ceiling_says_so() -> None:
    result = run(aborts=(Abort("", "", None, "more than 60 s"),))

    assert (result.verdict, result.missing, result.reason) == (Verdict.NOT_JUDGED, Missing.CEILING, "more than 60 s")


def test_a_run_that_ended_before_its_time_is_not_judged_and_keeps_what_fired() -> None:
    pack = RulebookPack(SPECS["en16931-ubl"], {Kind.UBL_INVOICE: Made(Outcome((fired(),), (), "more than 8 s"))})
    result = pack.run(DOCUMENT, tree(INVOICE), Facts(today=DAY, route=Route.PA))
    assert (result.verdict, result.missing, result.reason) == (Verdict.NOT_JUDGED, Missing.CEILING, "more than 8 s")
    assert [finding.rule for finding in result.findings] == ["BR-02"]


def test_what_the_engine_left_out_is_counted() -> None:
    pack = RulebookPack(SPECS["en16931-ubl"], {Kind.UBL_INVOICE: Made(Outcome((fired(),), omitted=99_000))})
    result = pack.run(DOCUMENT, tree(INVOICE), Facts(today=DAY, route=Route.PA))
    assert result.findings[-1].rule == "PACK-MORE"
    assert "99000" in result.findings[-1].message.en


@pytest.mark.parametrize(
    ("error", "missing"),
    [
        (ZeroDivisionError("in a rule"), Missing.ENGINE),
        (MemoryError(), Missing.CEILING),
        (RecursionError(), Missing.CEILING),
    ],
)
def test_an_engine_that_fails_is_never_valid(error: Exception, missing: Missing) -> None:
    registry = PackRegistry(
        [SPECS["en16931-ubl"]],
        engines={"rulebook": lambda spec: RulebookPack(spec, {Kind.UBL_INVOICE: Made(error)})},
    )

    judgement = judge(DOCUMENT, tree(), Facts(today=DAY), registry)

    (verdict,) = judgement.packs
    assert (verdict.verdict, verdict.missing) == (Verdict.NOT_JUDGED, missing)
    assert NOT_JUDGED_RULE in {f.rule for f in judgement.findings}


def test_what_a_rule_already_explained_is_not_told_a_second_time() -> None:
    outcome = Outcome((), (Abort("BR-02", ID, 3, "2 values where one is expected"),))
    registry = PackRegistry(
        [SPECS["en16931-ubl"]],
        engines={"rulebook": lambda spec: RulebookPack(spec, {Kind.UBL_INVOICE: Made(outcome)})},
    )

    judgement = judge(DOCUMENT, tree(), Facts(today=DAY), registry)

    assert [f.rule for f in judgement.findings] == ["PACK-RULE-NOT-COMPUTED"]
    assert judgement.packs[0].verdict is Verdict.NOT_JUDGED


@pytest.mark.parametrize(
    "xml",
    [
        f'<StandardBusinessDocument xmlns="urn:sbdh">{INVOICE}</StandardBusinessDocument>',
        "<Invoice/>",
        INVOICE.replace("Invoice-2", "Invoice-3"),
    ],
)
def test_a_wrapper_or_another_root_is_not_judged_though_no_rule_matches(registry: PackRegistry, xml: str) -> None:
    (pack,) = registry.for_document(DOCUMENT, Facts(today=DAY), frozenset({"en16931-ubl"}))

    result = pack.run(DOCUMENT, tree(xml), Facts(today=DAY))

    assert (result.verdict, result.missing) == (Verdict.NOT_JUDGED, Missing.ENGINE)
    assert "root" in result.reason


def test_a_document_without_a_tree_is_not_judged() -> None:
    pack = RulebookPack(SPECS["en16931-ubl"], {Kind.UBL_INVOICE: Made(Outcome(()))})

    assert pack.run(DOCUMENT, None, Facts(today=DAY)).verdict is Verdict.NOT_JUDGED


def test_a_document_against_its_schema_is_judged_by_the_rules_all_the_same_and_told(
    corpus: Path, judged: Callable[[bytes], Judgement]
) -> None:
    content = (corpus / "cen-en16931" / "ubl-invoice" / "ubl__examples__guide-example1.xml").read_bytes()
    broken = content.replace(b"<cbc:IssueDate>", b"<cbc:NoSuchThing/><cbc:IssueDate>")

    whole, judgement = judged(content), judged(broken)

    assert "PACK-XSD-INVALID" not in {f.rule for f in whole.findings}
    assert {p.name: p.verdict for p in judgement.packs}["xsd"] is Verdict.INVALID
    assert {p.name: p.verdict for p in judgement.packs}["en16931-ubl"] is not Verdict.NOT_JUDGED
    assert [f.severity for f in judgement.findings if f.rule == "PACK-XSD-INVALID"] == [Severity.INFO]


# --- places -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        (ROOT, "/Invoice"),
        (ID, "/Invoice/cbc:ID"),
        (ID.replace("[1]", "[2]"), "/Invoice[2]/cbc:ID[2]"),
        (f"{ROOT}/plain[3]", "/Invoice/plain[3]"),
        (f"{ROOT}/@*:schemeID[namespace-uri()='']", "/Invoice/@schemeID"),
        (f"{ROOT}/@schemeID", "/Invoice/@schemeID"),
        ("", ""),
        ("//something(else)", "//something(else)"),
    ],
)
def test_a_location_is_written_with_the_prefixes_of_the_document(location: str, shown: str) -> None:
    assert readable_location(tree(), location) == shown
