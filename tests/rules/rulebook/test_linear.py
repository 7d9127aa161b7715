"""The work of a pack grows as the document does, counted and not timed.

Asked of what an invoice may be: any number of lines, good, bad or in groups, and any number of whatever its schema lets
stand several times. GATEWAY_ABUSE=all asks of every element of the invoices here; by default of some, chosen by pack.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache

import pytest
from lxml import etree

from gateway.rules.rulebook import engine
from tests.rules.rulebook.big import SHEETS, Syntax, clean, copied, grouped, parsed, repeatable, spoilt, syntax_of
from tests.rules.rulebook.hostile import breakdowns, headers, identifiers
from tests.rules.rulebook.sheets import Check, Rule, write_sheet
from tests.rules.rulebook.work import CountedRulebook, Work

#: Sizes, each twice the one before: the second step must be twice the first, or little more.
SIZES = (20, 40, 80)
MORE = 2.3
#: Steps that are not worth a quarrel: a table that is made once, a look at the clock more or less.
FEW = 150
ALL = os.environ.get("GATEWAY_ABUSE") == "all"
SOME = 4

packs = pytest.mark.parametrize("pack", SHEETS)


@pytest.fixture(scope="module")
def counted() -> Callable[[str], CountedRulebook]:
    return cache(lambda pack: CountedRulebook(SHEETS[pack]))


@pytest.fixture
def as_if_large(monkeypatch) -> None:
    """In a small document nobody looks at the clock; here the same is asked as in one of millions."""
    monkeypatch.setattr(engine, "_SMALL", 0)


def one_group(syntax: Syntax, lines: int) -> bytes:
    """The first line is the parent of all others."""
    return grouped(syntax, lines, group=lines)


def vat_and_lines(syntax: Syntax, size: int) -> etree._ElementTree:
    """As many VAT breakdowns as lines: each adds up all lines."""
    return breakdowns(syntax, size, lines=size)


@packs
@pytest.mark.parametrize("lines", [spoilt, grouped, one_group, *([clean] if ALL else [])])
def test_the_work_of_a_rule_grows_as_the_lines_do(counted, pack, lines):
    book, syntax = counted(pack), syntax_of(pack)

    small, medium, large = works(book, (parsed(lines(syntax, size)) for size in SIZES))

    assert steeper(small, medium, large) == {}


@packs
def test_the_work_of_a_rule_grows_as_any_element_is_repeated(counted, pack):
    book, syntax = counted(pack), syntax_of(pack)
    invoice = parsed(grouped(syntax, 10))

    found = {}
    for path in chosen(pack, repeatable(syntax, invoice)):
        small, medium, large = works(book, (copied(invoice, path, size) for size in SIZES))
        found[path] = steeper(small, medium, large)

    assert {path: functions for path, functions in found.items() if functions} == {}


@packs
@pytest.mark.parametrize(("hostile", "sizes"), [(headers, (10, 20, 40)), (identifiers, SIZES), (vat_and_lines, SIZES)])
def test_between_two_looks_at_the_clock_the_work_grows_as_the_document_at_most(
    counted, monkeypatch, as_if_large, pack, hostile, sizes
):
    """Elements are asked in portions; what is asked of one may walk through the whole document, but not for each of
    something else: then the time of a pack would be up long before it is noticed."""
    monkeypatch.setattr(engine, "_PORTION", 1)
    book, syntax = counted(pack), syntax_of(pack)

    small, medium, large = works(book, (hostile(syntax, size) for size in sizes))

    assert large.longest <= MORE * max(medium.longest, 2 * small.longest) + FEW


def works(book: CountedRulebook, trees: Iterable[etree._ElementTree]) -> Iterator[Work]:
    """The work on each; the first is run twice, since the first run at a place makes the plan for it."""
    for number, tree in enumerate(trees):
        if number == 0:
            book.run(tree)
        yield book.run(tree)[1]


def steeper(small: Work, medium: Work, large: Work) -> dict[str, tuple[int, int, int]]:
    """The functions of the module whose work grows faster than the document."""
    return {
        name: (small.by_function[name], medium.by_function[name], large.by_function[name])
        for name in large.by_function
        if large.by_function[name] - medium.by_function[name]
        > MORE * (medium.by_function[name] - small.by_function[name]) + FEW
    }


def chosen(pack: str, paths: Sequence[str]) -> Sequence[str]:
    """Some of the paths, the same in every run."""
    return paths if ALL else random.Random(pack).sample(paths, min(SOME, len(paths)))


def test_templates_that_end_their_mode_inside_each_other_are_asked_once_each(tmp_path):
    sheet = write_sheet(tmp_path / "sheet.xsl", [[Rule("n:a[@x]", [Check("false()")], descends=False)]])
    book = CountedRulebook(sheet)

    small, medium, large = works(book, (etree.ElementTree(inside_each_other(depth)) for depth in (5, 10, 20)))

    assert large.total <= MORE * max(medium.total, 2 * small.total) + FEW


def inside_each_other(depth: int) -> etree._Element:
    top = inner = etree.Element("{urn:n}a", x="1")
    for _ in range(depth):
        inner = etree.SubElement(inner, "{urn:n}a", x="1")
    return top


def test_what_has_no_value_on_the_document_is_tried_once(tmp_path):
    check = Check("every $all in //n:a satisfies xs:decimal($all/@x) ge 0")
    sheet = write_sheet(tmp_path / "sheet.xsl", [[Rule("n:a", [check])]])
    book = CountedRulebook(sheet)

    small, medium, large = works(book, (etree.ElementTree(the_last_is_no_number(size)) for size in (10, 20, 40)))

    assert large.total <= MORE * max(medium.total, 2 * small.total) + FEW


def the_last_is_no_number(size: int) -> etree._Element:
    top = etree.Element("{urn:n}top")
    for number in range(size):
        etree.SubElement(top, "{urn:n}a", x="1" if number < size - 1 else "?")
    return top


def many_walks(tmp_path, document: etree._Element) -> Work:
    """The work of ten asserts of one rule, each of which walks through all elements."""
    checks = [Check(f"sum(//n:a/number(@y{number})) = 0") for number in range(10)]
    book = CountedRulebook(write_sheet(tmp_path / "sheet.xsl", [[Rule("n:top", checks)]]))
    return book.run(etree.ElementTree(document))[1]


def test_a_rule_of_many_walks_through_the_document_looks_at_the_clock_between_them(tmp_path, as_if_large):
    work = many_walks(tmp_path, the_last_is_no_number(100))

    assert work.longest <= 2 * work.total / 10


def test_so_it_does_in_a_document_of_few_elements_with_a_long_text(tmp_path):
    document = the_last_is_no_number(100)
    document[0].text = "x" * 100_000

    work = many_walks(tmp_path, document)

    assert work.longest <= 2 * work.total / 10
