"""The table "term → path" of a syntax, and the one pass over a tree that reads it.

A `Binding` is written as the EN 16931 binding tables are (EN 16931-3-2 for UBL, -3-3 for CII) and compiled into a
tree of tags, so that one walk over the header finds every term: no XPath is evaluated per term, and what no term
asks for (invoice lines above all) is never entered.
"""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

#: The elements found for each term, in document order.
Found = dict[str, list[etree._Element]]


class _Branch:
    """The terms that end at an element, and the branches below it by tag."""

    __slots__ = ("below", "terms")

    def __init__(self) -> None:
        self.terms: tuple[str, ...] = ()
        self.below: dict[str, _Branch] = {}


class Binding:
    """Paths by term. A path is child steps only: `cac:Delivery/cbc:ActualDeliveryDate`."""

    def __init__(self, namespaces: Mapping[str, str], paths: Mapping[str, str | tuple[str, ...]]) -> None:
        self._trunk = _Branch()
        for term, written in paths.items():
            for path in (written,) if isinstance(written, str) else written:
                branch = self._trunk
                for step in path.split("/"):
                    prefix, _, local = step.partition(":")
                    branch = branch.below.setdefault(f"{{{namespaces[prefix]}}}{local}", _Branch())
                branch.terms = (*branch.terms, term)

    def read(self, element: etree._Element) -> Found:
        """Every element below `element` that a term names."""
        found: Found = {}
        _walk(element, self._trunk.below, found)
        return found


def _walk(element: etree._Element, below: Mapping[str, _Branch], found: Found) -> None:
    for child in element:
        branch = below.get(child.tag)
        if branch is None:
            continue
        for term in branch.terms:
            found.setdefault(term, []).append(child)
        if branch.below:
            _walk(child, branch.below, found)
