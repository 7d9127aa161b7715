"""Checks of the two texts by which a partner steers names: the ack name template and the reference pattern."""

from __future__ import annotations

import re
from typing import Final

from gateway.acks.naming import BadTemplate, check_template
from gateway.config.values import wrong

TEMPLATE_LIMIT: Final = 200
PATTERN_LIMIT: Final = 200
REPEATS: Final = 3


def check_name_template(template: str) -> str:
    """What a template must be is said in `acks/naming.py`, where names are made from it."""
    if len(template) > TEMPLATE_LIMIT:
        raise wrong(f"a template of at most {TEMPLATE_LIMIT} characters")
    try:
        check_template(template)
    except BadTemplate as error:
        raise wrong(f"a template of which names can be made ({str(error).removeprefix('name_template: ')})") from None
    return template


def check_reference_pattern(pattern: str) -> str:
    """A pattern compiles, is short, has the group `ref`, and takes no long time on any name."""
    if not pattern:
        return pattern
    if len(pattern) > PATTERN_LIMIT:
        raise wrong(f"a regular expression of at most {PATTERN_LIMIT} characters")
    try:
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise wrong(f"a regular expression that compiles ({error})") from None
    if "ref" not in compiled.groupindex:
        raise wrong("a regular expression with the group (?P<ref>…)")
    if not _is_quick(pattern):
        raise wrong(f"at most {REPEATS} repeats (+ * {{}}), and none of a group that holds another or a |")
    return pattern


def _is_quick(pattern: str) -> bool:
    """No exponential time: a hostile file name against (a+)+ would hold the intake for hours. Nor a high power of
    the name's length, so repeats are few."""
    holds = [False]  # of each open group: a repeat or a choice in it?
    repeats, closed = 0, False  # closed: the piece before ended a group that holds one
    for piece in _PIECE.findall(pattern):
        repeat = piece in "+*" or (piece[0] == "{" and len(piece) > 1)
        if repeat and closed:
            return False
        repeats += repeat
        if piece == "(":
            holds.append(False)
        closed = piece == ")" and len(holds) > 1 and holds.pop()
        holds[-1] = holds[-1] or repeat or closed or piece == "|"
    return repeats <= REPEATS


#: Escapes and classes as one piece, so that what stands in them counts as nothing else.
_PIECE: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{[0-9,]+\}|.", re.DOTALL)
