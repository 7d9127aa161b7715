"""Functions on strings (F&O 7)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

#: Answers that are remembered, of each function, to strings of up to so many characters.
_REMEMBERED: Final = 5_000
_REMEMBERED_CHARACTERS: Final = 64
_RUN_OF_BLANKS: Final = re.compile(r"[ \t\r\n]+")


def normalize_space(text: str) -> str:
    """Four blanks, and no other white space."""
    if text.isalnum():  # most codes
        return text
    if text.isascii():  # then Python's blanks are XML's: the others are not allowed in XML
        return " ".join(text.split())
    if "  " in text or "\n" in text or "\t" in text or "\r" in text:
        text = _RUN_OF_BLANKS.sub(" ", text)
    return text.strip(" ")


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


def remembered(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of strings that knows its former answers: invoices of a night bear the same dates and identifiers."""
    answers: dict[tuple[str | None, ...], Any] = {}

    def answer(d: object, *texts: str | None) -> Any:
        found = answers.get(texts)
        if found is None:
            found = function(d, *texts)
            if all(text is None or len(text) <= _REMEMBERED_CHARACTERS for text in texts):
                if len(answers) >= _REMEMBERED:
                    answers.clear()
                answers[texts] = found
        return found

    return answer
