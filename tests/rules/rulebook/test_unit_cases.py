"""Our engine on the publishers' own unit cases: what fires is what they say, rule by rule, how gravely and how often.

The rules are told by their published ids. What cannot be compared is in `APART`, with its cause; anything else that is
not compared, or differs, fails here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from gateway.rules.rulebook.outcome import Abort, Fired, Outcome
from tests.rules.rulebook.big import SHEETS
from tests.rules.rulebook.differential import Engine, compare, native_of, oracle_of
from tests.rules.rulebook.unit_cases import (
    Expected,
    UnitCase,
    all_said,
    cases_of_manifest,
    cases_of_test_sets,
    differences,
    rules_in,
)

Engines = Callable[[str], Engine]


@dataclass(frozen=True, slots=True)
class Apart:
    """Cases with rules that the norm's own pack does not have."""

    source: str
    rules: str  #: those that it lacks, all of them
    pack: str  #: what judges them instead; "": nothing can
    cases: int
    tests: int  #: in the test sets, where fragments stand more than once
    cause: str


APART: Final = (
    Apart("peppol-bis3", "PEPPOL-.*", "", 170, 177, "Peppol's own rules: no pack that we hold has one of them"),
    Apart(
        "cen-en16931",
        "BR-CO-25",
        "extended-ctc-fr-ubl",
        6,
        6,
        "CEN's sheet 1.3.16 does not have it, so that there it cannot fire; France's extension has",
    ),
)
#: All unit cases of the corpus, and all tests of the test sets that they come from.
CASES, TESTS = 735, 753


@pytest.fixture(scope="module")
def cases(corpus: Path) -> list[UnitCase]:
    return list(cases_of_manifest(corpus))


@pytest.fixture(scope="module")
def tests(corpus: Path) -> list[UnitCase]:
    return list(cases_of_test_sets(corpus))


@pytest.fixture(scope="module")
def ours() -> Engines:
    return cache(lambda pack: native_of(SHEETS[pack]))


@pytest.fixture(scope="module")
def reference(reference_process) -> Engines:
    return cache(lambda pack: oracle_of(SHEETS[pack], reference_process))


def test_only_the_listed_cases_are_not_for_the_pack_of_the_norm(cases, tests):
    listed = {(each.source, each.pack): each for each in APART}

    assert len(cases) == CASES
    assert len(tests) == TESTS
    assert set_apart(cases) == {key: each.cases for key, each in listed.items()}
    assert set_apart(tests) == {key: each.tests for key, each in listed.items()}
    for case in cases + tests:
        lacking = case.rules - rules_in(case.norm)
        pattern = listed[case.source, case.pack].rules if lacking else ""
        assert all(re.fullmatch(pattern, rule) for rule in lacking), case.name
        assert case.pack or not any(case.rules & rules_in(pack) for pack in SHEETS), case.name


def test_every_unit_case_fires_what_its_source_says(cases, ours):
    found, compared = compared_with(ours, cases)

    assert found == []
    assert compared == {"en16931-ubl": 554, "extended-ctc-fr-ubl": 6, "facturx-en16931": 5}
    assert sum(compared.values()) == CASES - sum(each.cases for each in APART if not each.pack)


def test_every_test_set_fires_exactly_so_often_and_nothing_else_in_its_scope(tests, ours):
    found, compared = compared_with(ours, tests)

    assert found == []
    assert compared == {"en16931-ubl": 565, "extended-ctc-fr-ubl": 6, "facturx-en16931": 5}
    assert sum(compared.values()) == TESTS - sum(each.tests for each in APART if not each.pack)


def test_the_manifest_says_of_each_fragment_what_its_test_sets_say(cases, tests):
    assert all_said(cases) == all_said(tests)


def test_the_reference_engine_says_the_same_of_the_cases_apart(cases, ours, reference):
    """So it is the pack that lacks these rules, and not our engine that passes over them."""
    aside = [case for case in cases if case.pack != case.norm]

    found = []
    for case in aside:
        native, official = ours(case.norm)(case.xml), reference(case.norm)(case.xml)
        found += [f"{case.name}: {reason.reason}" for reason in official.aborts]
        found += [f"{case.name}: {difference}" for difference in compare(native, official)]

    assert len(aside) == sum(each.cases for each in APART)
    assert found == []


@pytest.mark.parametrize(
    ("outcome", "difference"),
    [
        (["A", "A"], ""),
        (["A", "A", "OTHER"], ""),
        (["A"], "A fired 1 ×, and must 2"),
        ([], "A fired 0 ×, and must 2"),
        (["A", "A", "B"], "B fired 1 ×, and must not"),
        (["A", "A warning"], "A is fatal, warning, and must be error"),
        (["A", "A no flag"], ""),
        (["A", "A", "stopped"], "C was not computed: no number"),
    ],
)
def test_what_is_a_difference(outcome, difference):
    case = UnitCase("a", "s", b"<a/>", {"A": Expected("error", 2)}, frozenset({"B"}))
    fired = tuple(told(each) for each in outcome if each != "stopped")
    aborts = (Abort("C", "/a", 1, "no number"),) if "stopped" in outcome else ()

    assert differences(case, "en16931-ubl", Outcome(fired, aborts)) == [difference] * bool(difference)


@pytest.mark.parametrize(("times", "difference"), [(0, 1), (1, 0), (5, 0)])
def test_where_no_number_is_given_once_is_enough(times, difference):
    case = UnitCase("a", "s", b"<a/>", {"A": Expected("warning", None)}, frozenset())
    assert len(differences(case, "en16931-ubl", Outcome((told("A warning"),) * times))) == difference


def test_a_number_of_factur_x_is_known_by_the_id_that_the_standard_gives():
    case = UnitCase("a", "s", b"<a/>", {"BR-45": Expected("error", 1)}, frozenset())
    numbered = Fired("FX-SCH-A-000047", "", False, "/a", 1, "t", "[BR-45]-Each VAT breakdown …")
    assert differences(case, "facturx-en16931", Outcome((numbered,))) == []


def told(rule: str) -> Fired:
    """Fatal, unless it says otherwise."""
    rule, _, flag = rule.partition(" ")
    return Fired(rule, {"": "fatal", "no flag": ""}.get(flag, flag), False, "/a", 1, "t", "m")


def compared_with(engines: Engines, cases: Iterable[UnitCase]) -> tuple[list[str], Counter[str]]:
    """The differences, and how many cases each pack was asked of."""
    found: list[str] = []
    compared: Counter[str] = Counter()
    for case in cases:
        if pack := case.pack:
            compared[pack] += 1
            found += [f"{case.name}, {pack}: {said}" for said in differences(case, pack, engines(pack)(case.xml))]
    print(f"{compared.total()} compared, {len(found)} differences: {dict(compared)}")
    return found, compared


def set_apart(cases: Iterable[UnitCase]) -> Counter[tuple[str, str]]:
    """How many cases of each source are not for the pack of the norm, and who judges them."""
    return Counter((case.source, case.pack) for case in cases if case.pack != case.norm)
