"""What rules a sheet has, and what a new version of it changes."""

from __future__ import annotations

from pathlib import Path

from gateway.domain.document import Kind
from gateway.rules.handbook import OfficialRule, facts_of, find
from gateway.rules.rulebook.catalogue import SheetRule, difference, rules_of, rules_of_pack
from gateway.rules.spec import packs_file, read_specs

SPECS = {spec.name: spec for spec in read_specs(packs_file())}
SHEET = SPECS["en16931-ubl"].folder / SPECS["en16931-ubl"].roots[Kind.UBL_INVOICE]


def rule(rule: str, test: str = "a", flag: str = "fatal", context: str = "/x", message: str = "m") -> SheetRule:
    return SheetRule(rule, rule, flag, False, context, test, message)


def edited(folder: Path, *edits: tuple[str, str]) -> Path:
    """A later version of the EN 16931 sheet."""
    text = SHEET.read_text("utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    path = folder / "EN16931-UBL-validation-next.xslt"
    path.write_text(text, "utf-8")
    return path


def test_a_sheet_is_read_with_ids_flags_contexts_tests_and_texts() -> None:
    rules = {each.rule: each for each in rules_of(SHEET, "en16931-ubl")}

    assert len(rules) == 979
    assert rules["BR-02"].flag == "fatal"
    assert rules["BR-02"].test == "normalize-space(cbc:ID) != ''"
    assert rules["BR-02"].message == "[BR-02]-An Invoice shall have an Invoice number (BT-1)."
    assert "/ubl:Invoice" in rules["BR-02"].context


def test_a_pack_of_schemas_has_no_rules_to_list() -> None:
    assert rules_of_pack(SPECS["xsd"]) == ()


def test_rules_that_came_went_and_changed_are_told_apart() -> None:
    old = [rule("A"), rule("B"), rule("C"), rule("D")]
    new = [rule("A"), rule("B", test="b"), rule("C", flag="warning", message="n"), rule("E")]

    found = difference(old, new)

    assert [each.rule for each in found.came] == ["E"]
    assert [each.rule for each in found.went] == ["D"]
    assert [(each.new.rule, each.what) for each in found.changed] == [("B", ("test",)), ("C", ("flag", "message"))]


def test_of_several_rules_under_one_id_only_those_that_differ_are_told() -> None:
    old = [rule("A", context="/1"), rule("A", context="/2"), rule("A", context="/3")]
    new = [rule("A", context="/3"), rule("A", context="/1"), rule("A", context="/4"), rule("A", context="/5")]

    found = difference(old, new)

    assert [(each.old.context, each.new.context, each.what) for each in found.changed] == [("/2", "/4", ("context",))]
    assert [each.context for each in found.came] == ["/5"]
    assert found.went == ()


def test_two_versions_of_an_official_sheet_are_compared(tmp_path: Path) -> None:
    later = edited(
        tmp_path,
        ("string-length(normalize-space(.))&lt;=10", "string-length(normalize-space(.))&lt;=12"),
        ("An Invoice shall have an Invoice issue date (BT-2).", "An Invoice needs a date (BT-2)."),
        ('<xsl:attribute name="id">BR-04</xsl:attribute>', '<xsl:attribute name="id">BR-04-NEW</xsl:attribute>'),
    )

    found = difference(rules_of(SHEET, "en16931-ubl"), rules_of(later, "en16931-ubl"))

    assert {each.new.rule: each.what for each in found.changed} == {"BR-51": ("test",), "BR-03": ("message",)}
    assert [each.rule for each in found.came] == ["BR-04-NEW"]
    assert [each.rule for each in found.went] == ["BR-04"]


def test_a_version_does_not_differ_from_itself() -> None:
    rules = rules_of(SHEET, "en16931-ubl")

    assert difference(rules, rules) == difference((), ())


def test_a_rule_of_the_sheets_is_shown_as_each_pack_has_it() -> None:
    shown = find("br-co-15")

    assert isinstance(shown, OfficialRule)
    assert shown.id == "BR-CO-15"
    assert {spec.name for spec, _ in shown.found} >= {"en16931-ubl", "en16931-cii", "facturx-basic-rules"}
    facts = facts_of(shown)
    assert ("pack", "en16931-ubl 1.3.16") in facts
    assert ("pack", "facturx-basic-rules 1.09 (FX-SCH-A-000121)") in facts
    assert ("terms", "BT-112") in facts
    assert {"says (fr)", "says (en)", "remedy (fr)", "remedy (en)", "asks", "context"} <= {name for name, _ in facts}


def test_a_rule_is_found_by_the_number_of_its_sheet_too_and_an_unknown_one_is_not() -> None:
    by_number = find("FX-SCH-A-000047")

    assert isinstance(by_number, OfficialRule)
    assert by_number.id == "BR-45"
    assert find("NO-SUCH-RULE") is None
