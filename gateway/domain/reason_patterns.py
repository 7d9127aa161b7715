"""Word patterns for the free text in which buyers reject: tolerant to case, accents, order, ending and truncation.

A pattern is a line of groups joined by `&`, each a choice of words joined by `|`; every group must be met, in any
order. A word of four letters or more is met by any word that begins with it ("erron" by "erronée"), a shorter one
only by itself ("ej" is not "ejection"), and `a_b` by two words next to each other. The last word of a text may be
cut off, as Chorus Pro does (domain facts 1.5), and then meets a word that begins with it. Everything is a look-up
word by word, so that the time grows with the text and nothing else; the text is bounded first.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

#: Chorus Pro's comment is 200 characters, an error report some thousands; beyond that nobody explains a rejection.
TEXT_LIMIT: Final = 4000
_STEM: Final = 4
_APOSTROPHES: Final = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'"})


@dataclass(frozen=True, slots=True)
class Words:
    """A text as its words, folded, with the places of each word's first letters."""

    words: tuple[str, ...]
    places: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, text: str) -> Words:
        """The folded words of at most `TEXT_LIMIT` characters of `text`."""
        decomposed = unicodedata.normalize("NFKD", text[:TEXT_LIMIT].translate(_APOSTROPHES).casefold())
        kept = "".join(c if c.isalnum() else "" if unicodedata.combining(c) else " " for c in decomposed)
        words = tuple(kept[: 2 * TEXT_LIMIT].split())
        places: dict[str, list[int]] = {}
        for place, word in enumerate(words):
            places.setdefault(word[:_STEM], []).append(place)
        return cls(words, {begin: tuple(found) for begin, found in places.items()})

    def position(self, parts: tuple[str, ...]) -> int | None:
        """Where the word, or the words next to each other, first stand."""
        for start in self.places.get(parts[0][:_STEM], ()):
            if all(self._meets(start + offset, part) for offset, part in enumerate(parts)):
                return start
        return None

    def _meets(self, index: int, stem: str) -> bool:
        if index >= len(self.words):
            return False
        word = self.words[index]
        if len(stem) < _STEM:
            return word == stem
        if word.startswith(stem):
            return True
        cut_off = index == len(self.words) - 1 and len(word) >= _STEM
        return cut_off and stem.startswith(word)


@dataclass(frozen=True, slots=True)
class Pattern:
    """Groups that must all be met, each by one of its words."""

    groups: tuple[tuple[tuple[str, ...], ...], ...]

    @classmethod
    def of(cls, line: str) -> Pattern:
        """A pattern from its line."""
        return cls(
            tuple(tuple(tuple(word.strip().split("_")) for word in group.split("|")) for group in line.split("&"))
        )

    def position(self, text: Words) -> int | None:
        """Where the first of the words that meet the pattern stands; None where it is not met."""
        found = []
        for group in self.groups:
            places = [place for parts in group if (place := text.position(parts)) is not None]
            if not places:
                return None
            found.append(min(places))
        return min(found)


def patterns(*lines: str) -> tuple[Pattern, ...]:
    """Several patterns, any of which will do."""
    return tuple(Pattern.of(line) for line in lines)
