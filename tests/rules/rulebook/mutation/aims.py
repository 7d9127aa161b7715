"""Values that make a comparison, or a pattern of text, true or false; the near misses most of all."""

from __future__ import annotations

import re
import re._parser as _regex  # type: ignore[import-not-found]  # how Python itself reads patterns
from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any, Final

from tests.rules.rulebook.mutation.guess import NUMBER

_SYMBOLS: Final = {"eq": "=", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
#: What is true when the comparison is not.
NEGATED: Final = {
    "=": "!=", "!=": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<",
    "eq": "!=", "ne": "=", "lt": ">=", "le": ">", "gt": "<=", "ge": "<",
}  # fmt: skip
#: The same said from the other side.
SWAPPED: Final = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<=",
    "eq": "=", "ne": "!=", "lt": ">", "le": ">=", "gt": "<", "ge": "<="}  # fmt: skip
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_STEPS: Final = ("0.01", "0.02", "1", "1", "0.005", "10", "1000")


def beside(rng: Random) -> str:
    """A text that is in no list and fits no pattern."""
    return rng.choice(("ZZZ9", "zz", "?!", "A B", "-", "é", "99999", "x" * 40, "99999999", "20240230", "12345678", ""))


def regex_miss(pattern: str, rng: Random) -> str:
    """A text that the pattern nearly fits."""
    fits = regex_sample(pattern, rng)
    at = rng.randrange(len(fits) + 1)
    return rng.choice(
        (fits + "9", fits[:at] + fits[at + 1 :], fits[:at] + "9" + fits[at + 1 :], " " + fits, beside(rng))
    )


def satisfying(goal: str, others: Sequence[str], here: Sequence[str], rng: Random) -> str:
    """A value that stands so to `others`; `here` is what is there now."""
    goal = _SYMBOLS.get(goal, goal)
    if goal == "=":
        return rng.choice(list(others)) if others else (here[0] if here else "A1")
    other = others[0] if others else ""
    if goal == "!=":
        return _other_than(others, rng)
    up = goal in (">", ">=")
    if NUMBER.fullmatch(other.strip()):
        step = Decimal(0) if goal in ("<=", ">=") and rng.random() < 0.5 else Decimal(rng.choice(_STEPS))
        return format(Decimal(other.strip()) + (step if up else -step), "f")
    if _DATE.fullmatch(other.strip()):
        return ("2" if up else "1") + other.strip()[1:]
    return other + "1" if up else ""


def _other_than(others: Sequence[str], rng: Random) -> str:
    other = rng.choice(list(others)) if others else ""
    if NUMBER.fullmatch(other.strip()):
        changed = Decimal(other.strip()) + Decimal(rng.choice(_STEPS)) * rng.choice((1, -1, 1, 3))
        return format(changed, "f") if rng.random() < 0.9 else rng.choice(("0", "1", "7"))
    if other.strip() in ("true", "false"):
        return "false" if other.strip() == "true" else "true"
    candidates = [
        text for text in (other + "X", "ZZZ9", "A1", other.lower(), other[:-1], "", "S") if text not in others
    ]
    return rng.choice(candidates)


def regex_sample(pattern: str, rng: Random) -> str:
    """A text that the pattern fits, more or less."""
    try:
        return _sample(_regex.parse(pattern), rng)
    except (re.error, OverflowError, RecursionError):
        return "A1"


def _sample(parsed: Any, rng: Random) -> str:
    text = ""
    for op, argument in parsed:
        match str(op):
            case "LITERAL":
                text += chr(argument)
            case "ANY" | "NOT_LITERAL":
                text += "x"
            case "IN":
                text += _member(argument, rng)
            case "MAX_REPEAT" | "MIN_REPEAT":
                least, most, inner = argument
                for _ in range(rng.randint(least, min(most, least + 3))):
                    text += _sample(inner, rng)
            case "SUBPATTERN":
                text += _sample(argument[-1], rng)
            case "BRANCH":
                text += _sample(rng.choice(argument[1]), rng)
    return text


def _member(choices: Any, rng: Random) -> str:
    if str(choices[0][0]) == "NEGATE":
        return "x"
    op, argument = rng.choice(choices)
    match str(op):
        case "LITERAL":
            return chr(argument)
        case "RANGE":
            return chr(rng.randint(argument[0], min(argument[1], 0x7E)))
        case "CATEGORY":
            return "7" if "DIGIT" in str(argument) else " " if "SPACE" in str(argument) else "w"
    return "x"
