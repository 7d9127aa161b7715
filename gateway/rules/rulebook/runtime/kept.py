"""What a run keeps for its document: nothing yet, or, where it is known to be empty, that."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import Any, Final

#: Not computed yet.
UNSET: Final = object()


@dataclass(frozen=True, slots=True)
class EmptyWithout:
    """What is kept under `number` is empty in a document that lacks one of these tags."""

    number: int
    of_a_node: bool  #: kept for each node, not for the document
    container: str  #: "list", "dict" or "set"
    tags: frozenset[str]


class _ForEachNode(dict[Any, Any]):
    """The same for whichever node is asked."""

    def __init__(self, value: object) -> None:
        super().__init__()
        self._value = value

    def get(self, key: object, default: object = None, /) -> Any:
        return self._value


#: By container, for the document and for each node. All documents share them: nobody writes to what is kept.
_EMPTY: Final[dict[tuple[str, bool], Any]] = {
    (name, of_a_node): _ForEachNode(empty) if of_a_node else empty
    for name, empty in (("list", []), ("dict", {}), ("set", frozenset()))
    for of_a_node in (False, True)
}


def beginning(size: int, empties: Iterable[EmptyWithout], tags: Set[str]) -> list[Any]:
    """What a run on a document with elements of these tags begins with."""
    kept = [UNSET] * size
    for empty in empties:
        if not empty.tags <= tags:
            kept[empty.number] = _EMPTY[empty.container, empty.of_a_node]
    return kept
