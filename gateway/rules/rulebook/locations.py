"""Locations as the sheets write them: every step with its namespace and its number among its like."""

from __future__ import annotations

from typing import cast

from gateway.rules.rulebook.runtime.tree import Node


class Locations:
    """Of one document; siblings are counted once, and several findings at one element are told with one text."""

    def __init__(self) -> None:
        self._told: dict[Node, str] = {}
        self._steps: dict[Node, str] = {}
        self._numbers: dict[Node, int] = {}

    def of(self, node: Node) -> str:
        """The XPath of an element."""
        told = self._told.get(node)
        if told is None:
            steps: list[str] = []
            above: Node | None = node
            while above is not None and above.element is not None:
                steps.append(self._steps.get(above) or self._step(above))
                above = above.parent
            told = self._told[node] = "".join(reversed(steps))
        return told

    def _step(self, node: Node) -> str:
        like = cast("Node", node.parent).by_tag[node.tag]
        if len(like) > 1 and node not in self._numbers:
            self._numbers.update((sibling, i) for i, sibling in enumerate(like, 1))
        step = self._steps[node] = f"{node.place.step}[{self._numbers.get(node, 1)}]"
        return step
