"""What is empty in every document that has no element of some tag, so that it need not be computed there.

An invoice without allowances has no list of them by category either. Which tags a list needs is read from the loops
that make it. A tag counts only where nothing that is computed before it may fail: an error is told, whatever comes of
it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from gateway.rules.rulebook.runtime.kept import EmptyWithout

#: `for x in y.by_tag.get(T1, ())`: the elements of a tag, in the document or below a node.
_OF_A_TAG: Final = re.compile(r"[\w.]+\.by_tag\.get\((T\d+), \(\)\)")
#: `for x in k2(d).get('S', ())`: what was kept before, or a part of it.
_OF_KEPT: Final = re.compile(r"(k(\d+))\(d(?:, [\w.]+)?\)(?:\.get\((?:'[^']*'|T\d+), \(\)\))?")


def tags_needed(
    loops: Iterable[str],
    tags: Mapping[str, str],
    known: Mapping[int, EmptyWithout],
    may_fail: Callable[[str], bool],
) -> frozenset[str]:
    """The tags without one of which `loops` find nothing.

    `tags`: by the names of their constants; `known`: of what is kept already, by its number.
    """
    needed: set[str] = set()
    for loop in loops:
        kind, _, rest = loop.partition(" ")
        source = rest.partition(" in ")[2] if kind == "for" else rest
        if kind == "for":
            if of_a_tag := _OF_A_TAG.fullmatch(source):
                needed.add(tags[of_a_tag[1]])
            elif (of_kept := _OF_KEPT.fullmatch(source)) and int(of_kept[2]) in known:
                needed |= known[int(of_kept[2])].tags
        if may_fail(source):
            break
    return frozenset(needed)
