"""Finds the line of a key in a TOML text, for messages. The standard parser keeps no positions.

It knows table headers and `key = value` lines, and skips what stands inside multi-line texts. A key inside an
inline table or an array gets the line of the key that holds it; a missing one gets the line of its table.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_PART: Final = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED: Final = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER: Final = re.compile(rf"\s*\[\[?\s*({_DOTTED})\s*\]")
_KEY: Final = re.compile(rf"\s*({_DOTTED})\s*=")
_PIECE: Final = re.compile(_PART)


def locate(text: str, path: Sequence[str | int]) -> int | None:
    """The line, counted from 1, of the longest beginning of `path` that stands in `text`, if any does."""
    wanted = [str(part) for part in path]
    table: list[str] = []
    best, best_line, closing = 0, None, ""
    for number, line in enumerate(text.splitlines(), start=1):
        if closing:
            closing = "" if closing in line else closing
            continue
        header, key = _HEADER.match(line), _KEY.match(line)
        if header:
            table = _pieces(header[1])
        here = table + (_pieces(key[1]) if key and not header else [])
        if len(here) > best and wanted[: len(here)] == here:
            best, best_line = len(here), number
        closing = _opened(line)
    return best_line


def _pieces(dotted: str) -> list[str]:
    return [piece.strip("\"'") for piece in _PIECE.findall(dotted)]


def _opened(line: str) -> str:
    """The quotes of a multi-line text that begins in `line` and does not end there."""
    for quotes in ('"""', "'''"):
        if line.count(quotes) % 2:
            return quotes
    return ""
