"""Locations as the sheets write them: every step with its namespace and its number among its like."""

from __future__ import annotations

from gateway.rules.rulebook.runtime.tree import Node


class Locations:
    """Of one document; siblings are counted once, and several findings at one element are told with one text."""

    def __init__(self) -> None:
        self._told: dict[Node, str] = {}
        self._numbers: dict[Node, int] = {}

    def of(self, node: Node) -> str:
        """The XPath of an element."""
        told = self._told.get(node)
        if told is None:
            steps: list[str] = []
            here, above = node, node.parent
            while above is not None:
                like = above.by_tag[here.tag]
                number = 1 if len(like) == 1 else self._number(here, like)
                steps.append(here.place.first if number == 1 else f"{here.place.step}[{number}]")
                here, above = above, above.parent
            steps.reverse()
            told = self._told[node] = "".join(steps)
        return told

    def _number(self, node: Node, like: list[Node]) -> int:
        if node not in self._numbers:
            self._numbers.update((sibling, i) for i, sibling in enumerate(like, 1))
        return self._numbers[node]
