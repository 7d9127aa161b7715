"""Functions on strings (F&O 7)."""

from __future__ import annotations

import math
import re
from typing import Final

from gateway.rules.rulebook.runtime.numbers import round_half_up
from gateway.rules.rulebook.runtime.values import BLANKS, Number

_RUN_OF_BLANKS: Final = re.compile(r"[ \t\r\n]+")


def normalize_space(text: str) -> str:
    """Four blanks, and no other white space."""
    if text.isalnum():  # most codes
        return text
    if text.isascii():  # then Python's blanks are XML's: the others are not allowed in XML
        return " ".join(text.split())
    return _RUN_OF_BLANKS.sub(" ", text).strip(BLANKS)


def substring(text: str, start: Number, length: Number | None = None) -> str:
    """`substring`: positions count from 1 and are rounded."""
    first = round_half_up(float(start))
    end = math.inf if length is None else first + round_half_up(float(length))  # type: ignore[operator]
    if first != first or end != end:
        return ""
    begin = max(first, 1) - 1  # type: ignore[type-var, operator]
    if begin >= len(text):
        return ""
    return text[int(begin) : len(text) if end == math.inf else max(int(end) - 1, 0)]


def substring_before(text: str, part: str) -> str:
    """`substring-before`: "" when the part is not there."""
    head, found, _ = text.partition(part) if part else ("", "", "")
    return head if found else ""


def substring_after(text: str, part: str) -> str:
    """`substring-after`: "" when the part is not there, all for an empty part."""
    if not part:
        return text
    return text.partition(part)[2]


def tokenize(text: str | None, pattern: re.Pattern[str]) -> list[str]:
    """`tokenize`."""
    return pattern.split(text) if text else []
