"""The functions of a compiled module that compute something once and keep it: for the document, or for a node.

What has no value on this document is kept too, as the error that it ends in: asked again by each line, it would walk
through all lines again before it fails.
"""

from __future__ import annotations

import re
from textwrap import indent
from typing import Final

#: What `{py}` gives.
VALUE: Final = """\
made = {py}
"""
#: The strings of `{py}`, to look for one among them.
STRINGS: Final = """\
made = frozenset({py})
"""
#: The nodes of `{py}` by each of their keys.
INDEX: Final = """\
made = {{}}
for {item} in {py}:
    for key in {keys}:
        made.setdefault(key, []).append({item})
"""
#: The same, those whose key cannot be computed under `FAILED`.
LENIENT_INDEX: Final = """\
made = {{}}
for {item} in {py}:
    try:
        keys = {keys}
    except DynamicError:
        keys = (FAILED,)
    for key in keys:
        made.setdefault(key, []).append({item})
"""
#: Where the first node of `{py}` with a key ends, by key.
FIRST: Final = """\
made = {{}}
for {item} in {py}:
    last = {item}.last
    for key in {keys}:
        if last < made.get(key, INF):
            made[key] = last
"""
#: What each of them makes.
CONTAINERS: Final = {VALUE: "list", STRINGS: "set", INDEX: "dict", LENIENT_INDEX: "dict", FIRST: "dict"}
#: What costs no more than a look at whether it is kept.
_AT_HAND: Final = re.compile(r"made = (?:len\()?(?:d\.by_tag|k\d+\(d\))(?:\.get\((?:'[^']*'|T\d+), \(\)\))?\)?\n")
_OF_THE_DOCUMENT: Final = """\
def k{number}(d):
    made = d.kept[{number}]
    if made is UNSET:
{making}        d.kept[{number}] = made
"""
_OF_A_NODE: Final = """\
def k{number}(d, a):
    there = d.kept[{number}]
    if there is UNSET:
        there = d.kept[{number}] = {{}}
    made = there.get(a, UNSET)
    if made is UNSET:
{making}        there[a] = made
"""
_TRYING: Final = """\
try:
{making}except HASTE as error:
    made = DynamicError(str(error))
"""
_RAISING: Final = """\
    if made.__class__ is DynamicError:
        raise DynamicError(str(made))
"""


def is_at_hand(making: str) -> bool:
    """Is it a look-up in what is there, or is kept already?"""
    return _AT_HAND.fullmatch(making) is not None


def keeper(number: int, making: str, *, of_a_node: bool, may_fail: bool) -> str:
    """The text of the function that keeps what `making` makes."""
    if may_fail:
        making = _TRYING.format(making=indent(making, " " * 4))
    if not of_a_node:
        making = f"if d.large:\n    d.look_at_the_clock()\n{making}"
    whole = _OF_A_NODE if of_a_node else _OF_THE_DOCUMENT
    raising = _RAISING if may_fail else ""
    return f"{whole.format(number=number, making=indent(making, ' ' * 8))}{raising}    return made\n"
