"""The document as the compiled rules read it: plain nodes, made from the lxml tree in one walk.

Each element knows its `Place`, the chain of tags from the root, shared by all elements with that chain. Rules
are resolved once per place for the life of the process, not once per element. The table of places is bounded, since a
hostile file can make as many as it likes.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import chain
from operator import attrgetter
from typing import Any, Final

from lxml import etree

#: Places kept from one document to the next; above it the table starts afresh.
PLACES_KEPT: Final = 20_000
#: Outlines kept from one document to the next, of at most so many places each.
OUTLINES_KEPT: Final = 200
OUTLINE_PLACES: Final = 1_000
#: Nodes from which on garbage collection is kept out of the way.
LARGE: Final = 5_000
#: Characters of a text from which on each look at it takes time.
LONG: Final = 50_000
_NOTHING: Final[dict[Any, Any]] = {}
_order: Final = attrgetter("order")


class Place:
    """A chain of tags from the root. The document node has the tag "" and no parent."""

    __slots__ = ("below", "depth", "first", "local", "nodes", "parent", "step", "tag")

    def __init__(self, parent: Place | None, tag: str) -> None:
        self.parent = parent
        self.tag = sys.intern(tag)  # the compiled rules hold the same object: look-ups compare by identity
        self.local = tag.rpartition("}")[2]
        self.depth: int = parent.depth + 1 if parent is not None else 0
        uri = tag[1:].partition("}")[0] if tag[:1] == "{" else ""
        #: The last step of a location, without its number, as the sheets write it.
        self.step = f"/*:{self.local}[namespace-uri()='{uri}']" if uri else f"/{self.local}"
        self.first = f"{self.step}[1]"
        self.below: dict[str, Place] = {}
        self.nodes: list[Node] = []  #: in the document at hand

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

    __slots__ = ("attributes", "by_tag", "element", "order", "parent", "place", "tag", "text")

    element: Any
    parent: Node | None
    place: Place
    tag: str
    order: int  #: in document order
    by_tag: dict[str, list[Node]]  #: the children
    attributes: dict[str, str]
    text: str  #: the string value

    @property
    def children(self) -> Sequence[Node]:
        """In document order. (Few rules ask for children of any tag.)"""
        return _in_order(self.by_tag.values())

    def texts(self) -> Iterator[str]:
        """The text nodes below, in order."""
        if self.text:
            yield self.text

    @property
    def last(self) -> int:
        """The `order` of its last descendant, or its own."""
        node: Node = self
        while node.by_tag:
            node = max((nodes[-1] for nodes in node.by_tag.values()), key=_order)
        return node.order


class Branch(Node):
    """An element with children. Its string value is never kept: nested, they would grow as the square.

    (A class of its own, since `__getattr__` on all nodes would slow down every look at any of them.)
    """

    __slots__ = ()

    @property
    def text(self) -> str:  # type: ignore[override]
        """The string value."""
        return "".join(self.texts())

    def texts(self) -> Iterator[str]:
        """The text nodes below, in order."""
        element = self.element if self.element is not None else self.children[0].element  # of the document node
        return (text for text in element.itertext("*", with_tail=True) if text)


class Outline:
    """Which places and which attributes documents have: invoices of one sender have the same, so that what there is
    to ask is decided once for all of them.
    """

    __slots__ = ("_by_tag", "attributes", "places", "tags")

    def __init__(self, places: frozenset[Place], attributes: frozenset[str], looked_for: Set[str]) -> None:
        self.places = places
        self.attributes = attributes
        self.tags = frozenset(place.tag for place in places)
        self._by_tag: dict[str, list[Place]] = {}
        for place in places:
            if place.tag in looked_for:
                self._by_tag.setdefault(place.tag, []).append(place)

    def has(self, name: str) -> bool:
        """Is there an element of this tag, or an attribute when the name begins with @?"""
        return name[1:] in self.attributes if name[0] == "@" else name in self.tags

    def nodes_by_tag(self) -> dict[str, list[Node]]:
        """Those of the document at hand, in document order, for the tags that are looked for."""
        return {
            tag: places[0].nodes if len(places) == 1 else _in_order(place.nodes for place in places)
            for tag, places in self._by_tag.items()
        }


def _in_order(lists: Iterable[Sequence[Node]]) -> list[Node]:
    """Of lists that are in document order each."""
    return sorted(chain.from_iterable(lists), key=_order)


class Tree:
    """One document. Its nodes are at their places."""

    __slots__ = ("_nodes", "by_tag", "has_long_texts", "outline", "root", "size")

    def __init__(self, root: Node, size: int, has_long_texts: bool, outline: Outline) -> None:
        self.root = root
        self.size = size  #: how many elements it has
        self.has_long_texts = has_long_texts
        self.outline = outline
        self.by_tag = outline.nodes_by_tag()
        self._nodes: list[Node] | None = None

    @property
    def nodes(self) -> list[Node]:
        """All elements, in document order."""
        if self._nodes is None:
            self._nodes = _in_order(place.nodes for place in self.outline.places)
        return self._nodes


class Trees:
    """Makes trees, and keeps the last one: the packs of one document share it. Not for several threads at once."""

    def __init__(self, places_kept: int = PLACES_KEPT) -> None:
        self._kept = places_kept
        self._looked_for: frozenset[str] = frozenset()
        self._source: Any = None
        self._tree: Tree | None = None
        self._start_afresh()

    def _start_afresh(self) -> None:
        self.top = Place(None, "")
        self._places = 0
        self._outlines: dict[tuple[frozenset[Place], frozenset[str]], Outline] = {}

    def look_for(self, tags: frozenset[str]) -> None:
        """One more pack will look for elements of these tags wherever they are."""
        if not tags <= self._looked_for:
            self._looked_for |= tags
            self._outlines.clear()
            self._forget()

    def of(self, source: etree._ElementTree) -> Tree:
        """The tree of a parsed document, without comments and processing instructions."""
        root = source.getroot()
        if self._tree is None or self._source is not root:
            self._forget()
            if self._places > self._kept:
                self._start_afresh()
            collecting = gc.isenabled()
            gc.disable()  # else each collection would look at all nodes made so far
            try:
                self._tree = self._made(root)
                if self._tree.size >= LARGE:
                    gc.freeze()  # or the first collection would look at all of it
            except BaseException:
                self._start_afresh()  # nodes of half a document are at the places
                raise
            finally:
                if collecting:
                    gc.enable()
            self._source = root
        return self._tree

    def _outline(self, places: Iterable[Place], attributes: Iterable[str]) -> Outline:
        key = (frozenset(places), frozenset(attributes))
        known = self._outlines.get(key)
        if known is None:
            known = Outline(*key, self._looked_for)
            if len(known.places) + len(known.attributes) <= OUTLINE_PLACES:
                if len(self._outlines) >= OUTLINES_KEPT:
                    self._outlines.clear()
                self._outlines[key] = known
        return known

    def _forget(self) -> None:
        """Undo the cycles of the former tree, so that it is gone at once and nothing is left to collect."""
        if self._tree is not None:
            self._tree.root.by_tag = _NOTHING
            for place in self._tree.outline.places:
                if place.below:
                    for node in place.nodes:
                        node.by_tag = _NOTHING
                place.nodes = []
            if self._tree.size >= LARGE:
                gc.unfreeze()
        self._tree = self._source = None

    def _made(self, root: etree._Element) -> Tree:
        """One loop without calls of ours: it runs for every element of every invoice."""
        document = Branch()
        document.element, document.parent, document.place, document.tag = None, None, self.top, ""
        document.order, document.by_tag, document.attributes = 0, {}, _NOTHING
        places: list[Place] = []
        attributes: set[str] = set()
        has_long_texts = False
        parent: Node = document
        siblings, below = document.by_tag, self.top.below
        missing = 1  # children of the parent still to come
        above: list[tuple[Node, int]] = []
        order = 0
        for order, element in enumerate(root.iter(), 1):
            name = element.tag
            place = below.get(name)
            if place is None:
                if name.__class__ is not str:
                    raise ValueError("a tree with comments or processing instructions")
                place = below[name] = Place(parent.place, name)
                self._places += 1
            tag = place.tag
            items = element.items()
            if items:
                named: dict[str, str] = dict(items)  # type: ignore[arg-type]
                attributes.update(named)
            else:
                named = _NOTHING
            count = len(element)
            if count:
                node: Node = Branch()
                node.element = element
                node.parent = parent
                node.place = place
                node.tag = tag
                node.order = order
                node.attributes = named
            else:  # the same once more: where Python sees one class only, it is faster
                node = Node()
                node.element = element
                node.parent = parent
                node.place = place
                node.tag = tag
                node.order = order
                node.attributes = named
                node.text = text = element.text or ""
                if len(text) > LONG:
                    has_long_texts = True
                node.by_tag = _NOTHING
            here = place.nodes
            if not here:
                places.append(place)
            here.append(node)
            if tag in siblings:
                siblings[tag].append(node)
            else:
                siblings[tag] = [node]
            missing -= 1
            if count:
                above.append((parent, missing))
                parent, missing, below = node, count, place.below
                node.by_tag = siblings = {}
            elif not missing:
                while not missing and above:
                    parent, missing = above.pop()
                siblings, below = parent.by_tag, parent.place.below
        return Tree(document, order, has_long_texts, self._outline(places, attributes))
