"""The path of a schema fault, readable. libxml2 writes `*` for every element in a default namespace; a path of
stars names nothing, so its steps are looked up in the tree."""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from gateway.rules.pack import Tree

_STEP: Final = re.compile(r"/(?P<name>[^/\[]+)(?:\[(?P<index>[0-9]+)\])?")


def readable_path(tree: Tree, path: str) -> str:
    """`/*/*[3]/cbc:ID` as `/Invoice/AccountingSupplierParty/cbc:ID`; what cannot be followed stays as it is."""
    if "*" not in path:
        return path
    node: etree._Element | None = tree.getroot()
    names: list[str] = []
    for depth, step in enumerate(_STEP.finditer(path)):
        if depth and node is not None:
            node = _child(node, step["name"], int(step["index"] or 1))
        if node is None or step["name"] != "*":
            names.append(step.group())
        else:
            names.append("/" + etree.QName(node).localname + _index(node))
    return "".join(names)


def _child(parent: etree._Element, name: str, index: int) -> etree._Element | None:
    """The element that a step of libxml2's path leads to: a star counts all elements, a name its namesakes."""
    count = 0
    for child in parent.iterchildren(etree.Element):
        if name == "*" or name == _name(child):
            count += 1
            if count == index:
                return child
    return None


def _name(element: etree._Element) -> str:
    local = etree.QName(element).localname
    return f"{element.prefix}:{local}" if element.prefix else local


def _index(element: etree._Element) -> str:
    """`[2]` for the second of its name among its siblings; nothing for an only one or a first."""
    before = sum(1 for _ in element.itersiblings(element.tag, preceding=True))
    return f"[{before + 1}]" if before else ""
