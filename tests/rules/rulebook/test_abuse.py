"""Hostile documents: every pack ends with an answer, in a process that has little memory and little time.

What an invoice may be, however large, must be judged to the end. What only malice writes may meet the ceiling: then the
outcome must say so, and the verdict be `not_judged`. By default the sizes are those that a minute has room for;
GATEWAY_ABUSE=all takes the full ones.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from gateway.domain.verdict import Missing, Verdict
from gateway.parsers import refusals
from gateway.parsers.xml import XmlRefused, parse_xml
from gateway.rules.rulebook import engine
from gateway.rules.rulebook.cache import RulebookCache
from gateway.rules.rulebook.engine import load_rulebook
from gateway.rules.rulebook.pack import OUTCOME_LIMIT, SECONDS
from tests.rules.rulebook.big import SHEETS, Syntax, parsed, spoilt, syntax_of
from tests.rules.rulebook.confined import Confined, Watched
from tests.rules.rulebook.hostile import depth, lines

ALL = os.environ.get("GATEWAY_ABUSE") == "all"
FOREVER = float("inf")
#: Of the processor, for one document and all packs. Not a measure of speed: what ends at all ends long before.
RUNAWAY_S = 900 if ALL else 150
#: Of the processor, above the ceiling of a pack. Between two looks at the clock stand one rule's asserts on one element
#: at most, but each may walk through the whole document: of 200,000 lines some seconds are such walks. When the time is
#: up, what fired is told, as much of it as is kept.
MARGIN_S = 12
#: Of address space: what the packs and the libraries take, the document and its tree, and what is found. Two hundred
#: thousand lines are 2.5 million elements; their text and the tree of lxml take more than half.
MEGABYTES = 8000 if ALL else 1000
#: Of what is told. A location of a thousand levels is 70 kB long, one of the deepest that the parser takes 14 kB.
CHARACTERS = 40_000 * OUTCOME_LIMIT

Judged = Callable[[str, int, float], dict[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("abuse") / "cache"


@pytest.fixture(scope="module")
def judged(cache: Path) -> Iterator[Judged]:
    """What each pack says of a hostile document of a size; its ceiling is met if and only if it says so."""
    with Confined(cache) as confined:

        def judge(name: str, size: int, seconds: float) -> dict[str, dict[str, Any]]:
            said = confined.judge(name, size, seconds, MEGABYTES, RUNAWAY_S)
            assert said.keys() == SHEETS.keys()
            assert max(each["characters"] for each in said.values()) <= CHARACTERS
            late = {pack for pack, each in said.items() if each["unfinished"]}
            assert {said[pack]["unfinished"] for pack in late} <= {
                f"more than {seconds:g} s for one rule pack",
                f"more than {seconds / 4:g} s to tell what one rule pack found",
            }
            assert {said[pack]["verdict"] for pack in late} <= {Verdict.NOT_JUDGED}
            assert {pack for pack, each in said.items() if each["missing"] == Missing.CEILING} == late
            return said

        yield judge


@pytest.mark.parametrize(
    ("name", "size", "full"),
    [
        ("paths", 40_000, 100_000),  # twice the places that are kept; the rest is half a minute of the same
        ("depth", 1_000, 1_000),
        ("some_long_texts", 5_000_000, 5_000_000),
        ("long_texts", 200_000, 5_000_000),  # in every field: half a gigabyte, and half a minute
        ("huge_numbers", 10_000, 10_000),
        ("lines", 1_500, 200_000),  # some minutes, and six gigabytes
    ],
)
def test_every_pack_ends_by_its_ceiling(judged, name, size, full):
    said = judged(name, full if ALL else size, SECONDS)

    assert {pack: each for pack, each in said.items() if each["seconds"] > SECONDS + MARGIN_S} == {}


@pytest.mark.parametrize(
    ("name", "size", "full"),
    [
        ("depth", 1_000, 1_000),
        ("deep_and_wide", 2_000, 50_000),
        ("nested_amounts", 1_000, 1_000),
        ("huge_numbers", 10_000, 10_000),
        ("lines", 1_500, 40_000),
        ("groups", 500, 20_000),
        ("groups_without_value", 500, 20_000),
        ("attributes", 20_000, 200_000),
        ("quoted", 200_000, 5_000_000),
        ("invoices_inside", 30, 60),
    ],
)
def test_every_pack_judges_to_the_end(judged, name, size, full):
    said = judged(name, full if ALL else size, FOREVER)

    assert {pack: each["unfinished"] for pack, each in said.items() if each["unfinished"]} == {}


@pytest.mark.parametrize(
    ("name", "size", "full"),
    [
        ("breakdowns", 2_000, 100_000),
        ("totals", 10_000, 100_000),
        ("headers", 200, 10_000),
        ("identifiers", 5_000, 200_000),
    ],
)
def test_every_pack_ends_soon_after_its_time_is_up(judged, name, size, full):
    said = judged(name, full if ALL else size, 0.2)

    assert {pack: each for pack, each in said.items() if each["seconds"] > 0.2 + MARGIN_S} == {}


def test_a_pack_whose_time_is_up_says_so(judged):
    said = judged("lines", 10, 0.0)

    assert all(each["unfinished"] for each in said.values())


@pytest.mark.parametrize("pack", SHEETS)
def test_a_pack_that_is_stopped_on_its_way_tells_what_it_found_and_does_not_judge(monkeypatch, cache, pack):
    """By a clock that goes on by one each time it is looked at."""
    monkeypatch.setattr(engine, "monotonic", count().__next__)
    book = Watched(pack, load_rulebook(SHEETS[pack], cache=RulebookCache(cache)))
    tree = parsed(spoilt(syntax_of(pack), 600))

    book.judge(tree, FOREVER)
    whole = book.outcome
    result = book.judge(tree, 3)

    assert (result.verdict, result.missing) == (Verdict.NOT_JUDGED, Missing.CEILING)
    assert book.outcome.unfinished
    assert len(book.outcome.fired) < len(whole.fired)


@pytest.mark.parametrize("syntax", Syntax)
@pytest.mark.parametrize(("make", "size"), [(lines, 2_000), (depth, 1_000)])
def test_the_largest_of_these_do_not_get_past_the_parser(syntax, make, size):
    content = etree.tostring(make(syntax, size))
    if make is lines:
        content = a_hundred_times_the_lines(syntax, content)

    with pytest.raises(XmlRefused) as refused:
        parse_xml(content)

    assert refused.value.finding.rule == refusals.LIMIT.rule


def a_hundred_times_the_lines(syntax: Syntax, content: bytes) -> bytes:
    tag = {Syntax.UBL: b"cac:InvoiceLine>", Syntax.CII: b"ram:IncludedSupplyChainTradeLineItem>"}[syntax]
    start, end = content.index(b"<" + tag), content.rindex(b"</" + tag) + len(tag) + 2
    return content[:start] + content[start:end] * 100 + content[end:]
