"""Which file of an archive belongs to which invoice: the rule, on names alone.

In this order, the first that answers counts: the index file names it in the row of an invoice; its name is the
invoice's without extension, alone or followed by `-`, `_`, `.` or a blank and then a letter (`FA-1.xml`: `FA-1.pdf`,
`FA-1_annexe.pdf`; the longest such invoice wins, so `FA-1-2_x.pdf` goes to `FA-1-2.xml`); an invoice refers to it in
BG-24. Several invoices may share a file by index or BG-24, never by name. Letter case does not count.

A wrong answer shows one buyer the papers of another. So an XML never belongs by its name alone (a broken `FA-2.xml`
is no annex of `FA.xml`), and of files with the same name in several folders each belongs only within its folder.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_SEPARATORS: Final = "-_. "


@dataclass(frozen=True, slots=True)
class Head:
    """An invoice of the archive: its name there, and the names of files that it refers to without holding them."""

    name: str
    references: tuple[str, ...] = ()
    indexed: tuple[str, ...] = ()  #: the attachments in its row of the index


@dataclass(frozen=True, slots=True)
class Belonging:
    """The owners of each file that has some; `ambiguous` names the heads between which nothing decides."""

    owners: Mapping[str, tuple[str, ...]]
    ambiguous: Mapping[str, tuple[str, ...]]


class _Owners:
    """Answers for one archive; its heads are looked up by key, so that 10,000 files cost 10,000 look-ups."""

    def __init__(self, names: Sequence[str], heads: Sequence[Head]) -> None:
        self._same_name = Counter(_last(name).casefold() for name in names)
        self._by_index = _keyed((name, head.name) for head in heads for name in head.indexed)
        self._by_stem = _keyed((_stem(_last(head.name)), head.name) for head in heads)
        self._by_reference = _keyed((_last(name), head.name) for head in heads for name in head.references)

    def by_index(self, name: str) -> tuple[str, ...]:
        """The index names a file by its path in the archive, or by its last part."""
        return self._by_index.get(name.casefold()) or self._near(self._by_index, name)

    def by_stem(self, name: str) -> tuple[str, ...]:
        """Those of the longest stem; of several, the one in the same folder."""
        file_name = _last(name).casefold()
        if file_name.endswith(".xml"):
            return ()
        ends = [index for index, char in enumerate(file_name) if char in _SEPARATORS]
        for end in (len(file_name), *reversed(ends)):
            found = self._by_stem.get(file_name[:end])
            # `FA-2.pdf` beside `FA.xml` may be the paper of an invoice FA-2 that is not here: a number is no annex.
            if found and (end == len(file_name) or file_name[end + 1 :][:1].isalpha()):
                beside = tuple(head for head in found if _folder(head) == _folder(name))
                return beside if len(beside) == 1 else found
        return ()

    def by_reference(self, name: str) -> tuple[str, ...]:
        """Those whose BG-24 gives the file's name."""
        return self._near(self._by_reference, name)

    def _near(self, owners: Mapping[str, tuple[str, ...]], name: str) -> tuple[str, ...]:
        found = owners.get(_last(name).casefold(), ())
        if self._same_name[_last(name).casefold()] < 2:
            return found
        return tuple(head for head in found if _folder(head) == _folder(name))


def assign(names: Sequence[str], heads: Sequence[Head]) -> Belonging:
    """The owners of each of `names`."""
    owners = _Owners(names, heads)
    belonging: dict[str, tuple[str, ...]] = {}
    ambiguous: dict[str, tuple[str, ...]] = {}
    for name in names:
        by_stem = owners.by_stem(name)
        if found := owners.by_index(name):
            belonging[name] = found
        elif len(by_stem) == 1:
            belonging[name] = by_stem
        elif found := owners.by_reference(name):
            belonging[name] = found
        elif by_stem:
            ambiguous[name] = by_stem
    return Belonging(belonging, ambiguous)


def _keyed(pairs: Iterable[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for key, head in pairs:
        if key:
            found[key.casefold()][head] = None
    return {key: tuple(heads) for key, heads in found.items()}


def _last(name: str) -> str:
    return name.replace("\\", "/").rsplit("/", 1)[-1]


def _folder(name: str) -> str:
    return name.rpartition("/")[0].casefold()


def _stem(file_name: str) -> str:
    stem, dot, _ = file_name.rpartition(".")
    return stem if dot and stem else file_name
