"""The completeness ladder in a partner's file: what the page shows is valid, what could go wrong is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.domain import not_whole
from gateway.domain.finding import Definition
from gateway.domain.partner import LADDER, Completeness, Rung
from tests.config.conftest import House

PAGE = (Path(__file__).parents[2] / "docs/completeness.md").read_text("utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
KEY = "partners.d/erp.toml"


def wish(house: House, table: str) -> Completeness:
    path = house.path(KEY)
    path.write_text(path.read_text("utf-8") + "\n" + table, "utf-8")
    return house.load().partners["erp"].completeness


def test_where_nothing_is_said_the_ladder_is_as_it_always_was(house: House) -> None:
    assert wish(house, "").ladder == LADDER == (Rung.CLOSE_EVENT, Rung.QUIET, Rung.STRUCTURE)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_the_page_is_valid(house: House, example: str) -> None:
    wishes = wish(house, example)
    named = re.search(r"ladder = \[(.*)\]", example)
    assert named
    assert [str(rung) for rung in wishes.ladder] == re.findall(r'"(.*?)"', named[1])


@pytest.mark.parametrize(
    ("rungs", "delay_s"),
    [
        (LADDER, 2.0),
        ((Rung.DONE_FILE,), 0.0),
        ((Rung.TEMPORARY_NAME, Rung.STRUCTURE), 0.0),
        ((Rung.CONTROL_FILE,), 2.0),
    ],
)
def test_a_look_after_an_event_comes_as_soon_as_it_can_find_something(rungs: tuple[Rung, ...], delay_s: float) -> None:
    assert Completeness(quiet_s=4.0, ladder=rungs).hint_delay_s == delay_s


def test_every_wish_reaches_the_intake(house: House) -> None:
    table = """[completeness]
ladder = ["control-file", "minimum-age"]
done_name = "{stem}.ok"
control_names = ["*.lst"]
minimum_age = "90s"
"""
    wishes = wish(house, table)
    assert (wishes.done_name, wishes.control_names, wishes.minimum_age_s) == ("{stem}.ok", ("*.lst",), 90.0)


def test_the_page_tells_of_every_rung_and_every_finding() -> None:
    rules = {value.rule for value in vars(not_whole).values() if isinstance(value, Definition)}
    assert {rung for rung in Rung if f"| `{rung}` |" not in PAGE} == set()
    assert {rule for rule in rules | not_whole.NEVER_WHOLE if f"`{rule}`" not in PAGE} == set()


@pytest.mark.parametrize(
    ("line", "key", "words"),
    [
        ('ladder = ["structure"]', "completeness.ladder", "beside structure"),
        ('ladder = ["close-event"]', "completeness.ladder", "restart"),
        ('ladder = ["close-event", "structure"]', "completeness.ladder", "restart"),
        ('ladder = ["quiet", "quiet"]', "completeness.ladder", "once"),
        ("ladder = []", "completeness.ladder", "at least one"),
        ('ladder = ["donefile"]', "completeness.ladder[0]", "done-file"),
        ('done_name = "done"', "completeness.done_name", "{name}"),
        ('done_name = "{name}"', "completeness.done_name", "its own done-file"),
        ('done_name = "{name}{stem}.x"', "completeness.done_name", "once"),
        ('done_name = "ok/{name}"', "completeness.done_name", "no path"),
        ('done_name = "{name}.tmp"', "completeness.done_name", "looked at"),
        ('done_name = ".{name}"', "completeness.done_name", "looked at"),
        ('control_names = ["*"]', "completeness.control_names[0]", "every file"),
        ('control_names = ["*.*"]', "completeness.control_names[0]", "every file"),
        ('control_names = ["a/b"]', "completeness.control_names[0]", "file name"),
        ('control_names = [".ctr"]', "completeness.control_names[0]", "looked at"),
        ("control_names = []", "completeness.control_names", "at least one"),
        ('minimum_age = "0s"', "completeness.minimum_age", "1s to 7d"),
    ],
)
def test_a_ladder_that_could_take_nothing_or_anything_is_a_fault(house: House, line: str, key: str, words: str) -> None:
    path = house.path(KEY)
    path.write_text(path.read_text("utf-8") + "\n[completeness]\n" + line + "\n", "utf-8")
    fault = house.fault()
    assert fault.key == key
    assert words in str(fault)
