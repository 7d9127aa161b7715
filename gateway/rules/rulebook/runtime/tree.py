"""The document as the compiled rules read it: plain nodes, made from the lxml tree in one walk.

Each element knows its `Place`, the chain of tags from the root, shared by all elements with that chain. Rules
are resolved once per place for the life of the process, not once per element. The table of places is bounded, since a
hostile file can make as many as it likes.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

from lxml import etree

#: Places kept from one document to the next; above it the table starts afresh.
PLACES_KEPT: Final = 20_000
#: Outlines kept from one document to the next, of at most so many places each.
OUTLINES_KEPT: Final = 200
OUTLINE_PLACES: Final = 1_000
#: Nodes from which on garbage collection is kept out of the way.
LARGE: Final = 5_000
_NOTHING: Final[dict[Any, Any]] = {}


class Place:
    """A chain of tags from the root. The document node has the tag "" and no parent."""

    __slots__ = ("below", "depth", "local", "parent", "tag")

    def __init__(self, parent: Place | None, tag: str) -> None:
        self.parent = parent
        self.tag = sys.intern(tag)  # the compiled rules hold the same object: look-ups compare by identity
        self.local = tag.rpartition("}")[2]
        self.depth: int = parent.depth + 1 if parent is not None else 0
        self.below: dict[str, Place] = {}

    def up(self, steps: int) -> Place | None:
        """The place so many steps above."""
        place: Place | None = self
        for _ in range(steps):
            place = place.parent if place is not None else None
        return place

    def inside(self, tag: str) -> bool:
        """Is a place above of this tag?"""
        place = self.parent
        while place is not None:
            if place.tag == tag:
                return True
            place = place.parent
        return False


class Node:
    """One element, or the document node (whose `element` is None and `order` 0)."""

    __slots__ = ("attributes", "by_tag", "children", "element", "order", "parent", "place", "tag", "text")

    element: Any
    parent: Node | None
    place: Place
    tag: str
    order: int  #: in document order
    children: Sequence[Node]
    by_tag: dict[str, list[Node]]  #: the children
    attributes: dict[str, str]
    text: str  #: the string value; kept for leaves, computed for others

    def __getattr__(self, name: str) -> str:
        """The string value of an element with children is never kept: nested, they would grow as the square."""
        if name != "text":
            raise AttributeError(name)
        return "".join(self.texts())

    def texts(self) -> Iterator[str]:
        """The text nodes below, in order."""
        element = self.element if self.element is not None else self.children[0].element
        return (text for text in element.itertext("*", with_tail=True) if text) if len(element) else self._own()

    def _own(self) -> Iterator[str]:
        if self.element is not None and self.element.text:
            yield self.element.text

    @property
    def last(self) -> int:
        """The `order` of its last descendant, or its own."""
        node: Node = self
        while node.children:
            node = node.children[-1]
        return node.order


class Outline:
    """Which places and which attributes documents have: invoices of one sender have the same, so that what there is
    to ask is decided once for all of them.
    """

    __slots__ = ("attributes", "places", "tags")

    def __init__(self, places: frozenset[Place], attributes: frozenset[str]) -> None:
        self.places = places
        self.attributes = attributes
        self.tags = frozenset(place.tag for place in places)

    def has(self, name: str) -> bool:
        """Is there an element of this tag, or an attribute when the name begins with @?"""
        return name[1:] in self.attributes if name[0] == "@" else name in self.tags


class Tree:
    """One document: its nodes in order, and by tag, by place and by the attributes they have."""

    __slots__ = ("by_attribute", "by_place", "by_tag", "nodes", "outline", "root")

    outline: Outline

    def __init__(self, root: Node) -> None:
        self.root = root
        self.nodes: list[Node] = []
        self.by_place: dict[Place, list[Node]] = {}
        self.by_tag: dict[str, list[Node]] = {}
        self.by_attribute: dict[str, list[Node]] = {}


class Trees:
    """Makes trees, and keeps the last one: the packs of one document share it. Not for several threads at once."""

    def __init__(self, places_kept: int = PLACES_KEPT) -> None:
        self._kept = places_kept
        self._places = 0
        self.top = Place(None, "")
        self._outlines: dict[tuple[frozenset[Place], frozenset[str]], Outline] = {}
        self._source: Any = None
        self._tree: Tree | None = None

    def of(self, source: etree._ElementTree) -> Tree:
        """The tree of a parsed document, without comments and processing instructions."""
        root = source.getroot()
        if self._tree is None or self._source is not root:
            self._forget()
            if self._places > self._kept:
                self.top, self._places = Place(None, ""), 0
                self._outlines = {}
            collecting = gc.isenabled()
            try:
                self._tree = self._made(root)
                self._tree.outline = self._outline(self._tree)
                if len(self._tree.nodes) >= LARGE:
                    gc.freeze()  # or the first collection would look at all of it
            finally:
                if collecting:
                    gc.enable()
            self._source = root
        return self._tree

    def _outline(self, tree: Tree) -> Outline:
        key = (frozenset(tree.by_place), frozenset(tree.by_attribute))
        known = self._outlines.get(key)
        if known is None:
            known = Outline(*key)
            if len(known.places) + len(known.attributes) <= OUTLINE_PLACES:
                if len(self._outlines) >= OUTLINES_KEPT:
                    self._outlines.clear()
                self._outlines[key] = known
        return known

    def _forget(self) -> None:
        """Undo the cycles of the former tree, so that it is gone at once and nothing is left to collect."""
        if self._tree is not None:
            for node in self._tree.nodes:
                node.parent = None
            if len(self._tree.nodes) >= LARGE:
                gc.unfreeze()
        self._tree = self._source = None

    def _made(self, root: etree._Element) -> Tree:
        """One loop without calls of ours: it runs for every element of every invoice."""
        document = Node()
        document.element, document.parent, document.place, document.tag = None, None, self.top, ""
        document.order, document.children, document.by_tag, document.attributes = 0, (), _NOTHING, _NOTHING
        tree = Tree(document)
        nodes, by_place, by_tag, by_attribute = tree.nodes, tree.by_place, tree.by_tag, tree.by_attribute
        order = 0
        open_nodes: list[tuple[Iterator[Any], Node]] = [(iter((root,)), document)]
        while open_nodes:
            elements, parent = open_nodes[-1]
            below, siblings = parent.place.below, parent.by_tag
            for element in elements:
                place = below.get(element.tag)
                if place is None:
                    if element.tag.__class__ is not str:
                        continue
                    place = below[element.tag] = Place(parent.place, element.tag)
                    self._places += 1
                order += 1
                if order == LARGE:
                    gc.disable()  # else each collection would look at all nodes made so far
                node = Node()
                node.element = element
                node.parent = parent
                node.place = place
                node.tag = tag = place.tag
                node.order = order
                node.children = ()
                node.by_tag = _NOTHING
                items = element.items()
                if items:
                    node.attributes = dict(items)
                    for name, _ in items:
                        if name in by_attribute:
                            by_attribute[name].append(node)
                        else:
                            by_attribute[name] = [node]
                else:
                    node.attributes = _NOTHING
                nodes.append(node)
                if siblings is _NOTHING:
                    siblings = parent.by_tag = {tag: [node]}
                    parent.children = [node]
                else:
                    if tag in siblings:
                        siblings[tag].append(node)
                    else:
                        siblings[tag] = [node]
                    parent.children.append(node)  # type: ignore[attr-defined]
                if place in by_place:
                    by_place[place].append(node)
                else:
                    by_place[place] = [node]
                if tag in by_tag:
                    by_tag[tag].append(node)
                else:
                    by_tag[tag] = [node]
                if len(element):
                    open_nodes.append((iter(element), node))
                    break
                node.text = element.text or ""
            else:
                open_nodes.pop()
        return tree
