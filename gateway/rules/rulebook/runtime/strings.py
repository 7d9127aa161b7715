"""Functions on strings (F&O 7)."""

from __future__ import annotations

import re
from typing import Final

from gateway.rules.rulebook.runtime.values import BLANKS

_RUN_OF_BLANKS: Final = re.compile(r"[ \t\r\n]+")


def normalize_space(text: str) -> str:
    """Four blanks, and no other white space."""
    if text.isalnum():  # most codes
        return text
    if text.isascii():  # then Python's blanks are XML's: the others are not allowed in XML
        return " ".join(text.split())
    return _RUN_OF_BLANKS.sub(" ", text).strip(BLANKS)


def lower_case(text: str) -> str:
    """Character by character: Python writes the last sigma of a word in another way."""
    return text.lower() if "Σ" not in text else "".join(character.lower() for character in text)


def substring(text: str, start: int, length: int | None = None) -> str:
    """`substring`: positions count from 1, and those outside count too. Only whole numbers get here: for others Saxon
    does not do what the specification says.
    """
    end = len(text) if length is None else start + length - 1
    return text[max(start - 1, 0) : max(end, 0)]


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
