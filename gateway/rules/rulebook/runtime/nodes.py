"""What compiled rules call on nodes; on values they call `values.py`."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, TypeVar

from gateway.rules.rulebook.runtime.tree import Node
from gateway.rules.rulebook.runtime.values import DynamicError, text_of

_T = TypeVar("_T")
#: The key of nodes whose key could not be computed.
FAILED = object()
#: Characters of a value in a message: a hostile file may quote megabytes in each of a hundred thousand messages.
_SHOWN = 10_000
_order = attrgetter("order")


def some(item: _T | None) -> tuple[_T, ...]:
    """One item or none, as a sequence."""
    return () if item is None else (item,)


def text_or_none(node: Node | None) -> str | None:
    """The string value of a node that may not be there."""
    return None if node is None else node.text


def only_text(nodes: Sequence[Node]) -> str | None:
    """The string value of the only node."""
    if len(nodes) > 1:
        raise DynamicError(f"{len(nodes)} {nodes[0].place.local} where one is expected")
    return nodes[0].text if nodes else None


def the_text(nodes: Sequence[Node]) -> str:
    """The same, "" for none."""
    if len(nodes) == 1:
        return nodes[0].text
    return only_text(nodes) or ""


def optional_text(value: object) -> str:
    """`string(value)`, "" for none."""
    return "" if value is None else text_of(value)


def listed(text: str, codes: frozenset[str], whole: str) -> bool:
    """Is `text` between blanks a part of `whole`, the list of `codes` between blanks?"""
    return text in codes or (" " in text and f" {text} " in whole)


def name_of(node: Node | None) -> str:
    """`name(node)`: with the prefix that the document gives it."""
    if node is None or node.element is None:
        return ""
    prefix = node.element.prefix
    return f"{prefix}:{node.place.local}" if prefix else node.place.local


def local_name(node: Node | None) -> str:
    """`local-name(node)`."""
    return "" if node is None else node.place.local


def ordered(nodes: Iterable[Node]) -> list[Node]:
    """In document order, each once."""
    return sorted(dict.fromkeys(nodes), key=_order)


def union(left: Sequence[Node], right: Sequence[Node]) -> Sequence[Node]:
    """`left | right`."""
    if not right:
        return left
    return ordered((*left, *right)) if left else right


def parents(nodes: Iterable[Node]) -> list[Node]:
    """The parents of nodes in document order, each once."""
    found = {node.parent: None for node in nodes if node.parent is not None}
    return ordered(found) if len(found) > 1 else list(found)


def ancestors(nodes: Iterable[Node], tag: str) -> list[Node]:
    """The ancestors with a tag."""
    found: dict[Node, None] = {}
    for node in nodes:
        above = node.parent
        while above is not None:
            if above.tag is tag:  # tags are interned
                found[above] = None
            above = above.parent
    return ordered(found) if len(found) > 1 else list(found)


def below(nodes: Sequence[Node], candidates: Sequence[Node]) -> list[Node]:
    """Those of `candidates`, which are in document order, that are inside one of the nodes."""
    found: list[Node] = []
    for node in nodes:
        start = bisect_right(candidates, node.order, key=_order)
        found.extend(candidates[start : bisect_right(candidates, node.last, key=_order)])
    return found if len(nodes) < 2 else ordered(found)


def preceding(nodes: Sequence[Node], candidates: Sequence[Node]) -> list[Node]:
    """Those of `candidates` that end before some node begins: before the last of them, since nodes are in order."""
    if not nodes:
        return []
    furthest = max(node.order for node in nodes)
    return [node for node in candidates[: bisect_left(candidates, furthest, key=_order)] if node.last < furthest]


def found(index: Mapping[object, list[Node]], keys: Iterable[object]) -> Sequence[Node]:
    """The nodes that an index has for any of the keys."""
    lists = [index[key] for key in dict.fromkeys(keys) if key in index]
    if len(lists) == 1:
        return lists[0]
    return ordered(node for nodes in lists for node in nodes)


def sought(index: Callable[[], Mapping[object, list[Node]]], keys: Iterable[object]) -> Sequence[Node]:
    """The same, where the index may fail: it is not made when nothing is looked for."""
    wanted = list(keys)
    return found(index(), wanted) if wanted else ()


def candidates(index: Mapping[object, list[Node]], keys: Iterable[object]) -> Sequence[Node]:
    """The nodes that an index has for any of the keys, and those whose key could not be computed."""
    return found(index, (*keys, FAILED))


def meant(
    index: Mapping[object, list[Node]], keys: Callable[[], Iterable[object]], every: Sequence[Node]
) -> Sequence[Node]:
    """The same; all of them when the keys cannot be computed, for another condition may exclude each."""
    try:
        return candidates(index, keys())
    except DynamicError:
        return every


def kept(place: list[_T], value: _T) -> _T:
    """Remember a local variable that was computed when it was wanted."""
    place.append(value)
    return value


def filled(parts: Iterable[Any]) -> str:
    """`xsl:value-of`: the strings of all items, with a blank between; cut where nobody reads on."""
    text = " ".join(text_of(part)[:_SHOWN] for part in parts)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
