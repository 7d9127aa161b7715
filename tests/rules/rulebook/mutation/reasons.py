"""Why an assert is never asked: other rules take its nodes, or end the visit above them."""

from __future__ import annotations

from collections import Counter
from typing import Final

from lxml import etree

from gateway.rules.rulebook.sheet import Template
from tests.rules.rulebook.mutation.guess import Scope
from tests.rules.rulebook.mutation.mutants import Mutants

_LOOKS: Final = 12


def never_asked(mutants: Mutants, number: int) -> str:
    """What keeps the rule of this assert from each node that it would be for; "" if it gets one of those tried."""
    template, _ = mutants.asserts[number]
    rivals = _rivals(mutants, template)
    pruning = [other for other in mutants.stylesheet.templates if other.mode == template.mode and not other.descends]
    whys: Counter[str] = Counter()
    for seed in range(_LOOKS):
        for document in mutants.documents:
            node, scope = mutants.context(document, seed, template)
            if node is None or not mutants.matches(template, node, scope):
                continue
            taker = next((rival for rival in rivals if mutants.matches(rival, node, scope)), None)
            if taker is not None:
                whys[f"its nodes are taken by the rule of {_shown(taker)}"] += 1
                continue
            end = _end(mutants, pruning, node, scope)
            if end is None:
                return ""
            whys[f"the rule of {_shown(end)} ends the visit above its nodes"] += 1
    return whys.most_common(1)[0][0] if whys else ""


def _end(mutants: Mutants, pruning: list[Template], node: etree._Element, scope: Scope) -> Template | None:
    """The rule without `apply-templates` that is run on an element above."""
    for above in node.iterancestors():
        for template in pruning:
            if mutants.matches(template, above, scope) and not any(
                mutants.matches(rival, above, scope) for rival in _rivals(mutants, template)
            ):
                return template
    return None


def _rivals(mutants: Mutants, template: Template) -> list[Template]:
    """The rules of the same pattern that go before this one where both match: of equals, the last one wins."""
    order = {id(other): index for index, other in enumerate(mutants.stylesheet.templates)}
    return [
        other
        for other in mutants.stylesheet.templates
        if other.mode == template.mode and (other.priority, order[id(other)]) > (template.priority, order[id(template)])
    ]


def _shown(template: Template) -> str:
    return f"line {template.line} ({' '.join(template.match.split())})"
