"""Nodes and values as the mutation harness reads them: with Python's types and without XPath's rules of conversion."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lxml import etree

from gateway.rules.rulebook.compiler import xpath as x


class Unknown(Exception):
    """Not known here."""


@dataclass(frozen=True)
class Attribute:
    """An attribute, or with the name "" the text of an element."""

    element: etree._Element
    name: str


#: What expressions yield: nodes (an element, an attribute, a document) and atoms.
Item = Any


def element_of(node: Item) -> etree._Element:
    """The element a node is, or hangs on."""
    if isinstance(node, Attribute):
        return node.element
    if isinstance(node, etree._ElementTree):
        return node.getroot()
    if isinstance(node, etree._Element):
        return node
    raise Unknown


def below(node: Item) -> list[Item]:
    if isinstance(node, etree._ElementTree):
        return list(node.iter(etree.Element))
    return list(node.iterdescendants(etree.Element)) if isinstance(node, etree._Element) else []


def along(axis: x.Axis | None, test: x.NameTest | x.KindTest | None, node: Item) -> list[Item]:
    if test is x.KindTest.TEXT:
        return [Attribute(node, "")] if isinstance(node, etree._Element) and node.text else []
    if axis is x.Axis.ATTRIBUTE:
        if not isinstance(node, etree._Element) or not isinstance(test, x.NameTest):
            return []
        return [Attribute(node, str(name)) for name in node.attrib if test.local in ("*", name)]
    found: list[Item]
    if axis is x.Axis.CHILD:
        found = [node.getroot()] if isinstance(node, etree._ElementTree) else list(node) if _is_element(node) else []
    elif axis is x.Axis.SELF:
        found = [node]
    elif axis is x.Axis.PARENT:
        found = [node.element if isinstance(node, Attribute) else _parent(node)] if not _is_tree(node) else []
    elif axis is x.Axis.ANCESTOR:
        found = list(element_of(node).iterancestors())
    elif axis is x.Axis.PRECEDING:
        found = _before(element_of(node))
    else:
        raise Unknown
    return [item for item in found if matches(test, item)]


def matches(test: x.NameTest | x.KindTest | None, item: Item) -> bool:
    """Is it of that name?"""
    if test is x.KindTest.NODE or test is None:
        return True
    if not isinstance(test, x.NameTest) or not isinstance(item, etree._Element):
        return False
    name = etree.QName(item)
    return test.local in ("*", name.localname) and test.uri in (None, name.namespace or "")


def _before(element: etree._Element) -> list[Item]:
    found: list[Item] = []
    above = set(element.iterancestors())
    for other in element.getroottree().iter(etree.Element):
        if other is element:
            break
        if other not in above:
            found.append(other)
    return found


def _is_element(node: Item) -> bool:
    return isinstance(node, etree._Element)


def _is_tree(node: Item) -> bool:
    return isinstance(node, etree._ElementTree)


def _parent(node: Item) -> Item:
    parent = node.getparent()
    return node.getroottree() if parent is None else parent


def text_of(item: Item) -> str:
    """Its string value."""
    if isinstance(item, etree._Element):
        return "".join(str(part) for part in item.itertext())
    if isinstance(item, Attribute):
        return str(item.element.get(item.name) or "") if item.name else item.element.text or ""
    if isinstance(item, etree._ElementTree):
        return text_of(item.getroot())
    if isinstance(item, bool):
        return str(item).lower()
    return str(item)


def effective(items: list[Item]) -> bool:
    """The truth of a sequence."""
    if not items:
        return False
    first = items[0]
    return bool(first) if isinstance(first, bool | str | Decimal) else True
