"""Locations as the sheets write them: every step with its namespace and its number among its like."""

from __future__ import annotations

from typing import cast

from gateway.rules.rulebook.runtime.tree import Node


class Locations:
    """Of one document; siblings are counted once."""

    def __init__(self) -> None:
        self._known: dict[Node, str] = {}
        self._numbers: dict[Node, int] = {}

    def of(self, node: Node) -> str:
        """The XPath of an element."""
        steps: list[str] = []
        above: Node | None = node
        while above is not None and above.element is not None:
            steps.append(self._step(above))
            above = above.parent
        return "".join(reversed(steps))

    def _step(self, node: Node) -> str:
        known = self._known.get(node)
        if known is None:
            if node not in self._numbers:
                like = cast("Node", node.parent).by_tag[node.tag]
                self._numbers.update((sibling, i) for i, sibling in enumerate(like, 1))
            known = self._known[node] = f"{node.place.step}[{self._numbers[node]}]"
        return known
