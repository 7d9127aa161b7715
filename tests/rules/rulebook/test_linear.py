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

from tests.rules.rulebook.big import SHEETS, clean, copied, grouped, parsed, repeatable, spoilt, syntax_of
from tests.rules.rulebook.work import CountedRulebook, Work

#: Sizes, each twice the one before: the second step must be twice the first, or little more.
SIZES = (20, 40, 80)
MORE = 2.3
#: Steps that are not worth a quarrel: a table that is made once, a look at the clock more or less.
FEW = 400
ALL = os.environ.get("GATEWAY_ABUSE") == "all"
SOME = 4

packs = pytest.mark.parametrize("pack", SHEETS)


@pytest.fixture(scope="module")
def counted() -> Callable[[str], CountedRulebook]:
    return cache(lambda pack: CountedRulebook(SHEETS[pack]))


@packs
@pytest.mark.parametrize("lines", [clean, spoilt, grouped])
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
