"""Which elements stand where and what they hold: learnt from valid documents and from the sheet itself."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Final, TypeVar

from lxml import etree

from gateway.rules.rulebook.compiler import xpath as x

Chain = tuple[str, ...]
_T = TypeVar("_T")

#: What an element never seen is given by the end of its name, so that it is at least read as what it is.
_BY_NAME: Final = (
    (("Amount", "Quantity", "Percent", "Measure", "Numeric", "Rate"), "1.00"),
    (("DateTimeString", "DateString"), "20240115"),
    (("DateTime",), "20240115"),
    (("Date",), "2024-01-15"),
    (("Indicator",), "false"),
    (("CountryID", "IdentificationCode"), "FR"),
    (("CurrencyCode",), "EUR"),
)


class Vocabulary:
    """Tags with their places, texts and attributes."""

    def __init__(self, documents: Iterable[bytes], patterns: Iterable[x.Expr]) -> None:
        self.homes: dict[str, list[Chain]] = {}  #: for each tag the chains of tags above it, the root first
        self._texts: dict[str, list[str]] = {}
        self.attributes: dict[str, dict[str, list[str]]] = {}
        self.roots: list[str] = []
        for document in documents:
            self._learn(etree.fromstring(document))
        for pattern in patterns:
            for path in _paths(pattern):
                self._learn_path(path)
        self.tags: list[str] = sorted(self.homes)
        self._parents = {tag for chains in self.homes.values() for chain in chains for tag in chain}
        self.names: list[str] = sorted({name for known in self.attributes.values() for name in known})

    def text(self, tag: str, rng: Random) -> str:
        """A text that such an element may have, "" for one that holds others."""
        known = self._texts.get(tag)
        if known:
            return rng.choice(known)
        if tag in self._parents:
            return ""
        local = etree.QName(tag).localname
        return next((text for ends, text in _BY_NAME if local.endswith(ends)), "A1")

    def value(self, tag: str, name: str, rng: Random) -> str:
        """A value that such an attribute may have."""
        known = self.attributes.get(tag, {}).get(name)
        if known:
            return rng.choice(known)
        others = sorted({value for other in self.attributes.values() for value in other.get(name, [])})
        return rng.choice(others) if others else "A1"

    def _learn(self, root: etree._Element) -> None:
        _add(self.roots, str(root.tag))
        for element in root.iter(etree.Element):
            tag = str(element.tag)
            chain = tuple(str(above.tag) for above in reversed(list(element.iterancestors())))
            _add(self.homes.setdefault(tag, []), chain)
            if len(element) == 0:
                _add(self._texts.setdefault(tag, []), element.text or "")
            for name, value in element.attrib.items():
                _add(self.attributes.setdefault(tag, {}).setdefault(str(name), []), str(value))

    def _learn_path(self, path: x.Path) -> None:
        chain: Chain = ()
        for index, step in enumerate(path.steps):
            if step.axis is not x.Axis.CHILD or not isinstance(step.test, x.NameTest) or not step.test.exact:
                return
            tag = step.test.tag
            if index == 0 or step.deep:
                known = self.homes.get(tag, [()] if path.absolute and not step.deep else [])
                if not known:
                    return
                chain = known[0]
            elif chain not in self.homes.setdefault(tag, []):
                self.homes[tag].append(chain)
            chain = (*chain, tag)


def _add(known: list[_T], new: _T) -> None:
    if new not in known:
        known.append(new)


def _paths(pattern: x.Expr) -> list[x.Path]:
    if isinstance(pattern, x.Binary):
        return [*_paths(pattern.left), *_paths(pattern.right)]
    return [pattern] if isinstance(pattern, x.Path) else []
