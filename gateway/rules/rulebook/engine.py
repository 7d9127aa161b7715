"""Runs a compiled sheet on a document.

Which rules may match is decided per place (chain of tags) and remembered; per document only their conditions and
asserts are asked, for the elements at that place. Findings come in the order of SVRL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from sys import intern
from types import ModuleType
from typing import Any, Final, cast

from lxml import etree

from gateway.rules.rulebook.compiler.program import Alternative, Asked, Program, compiled
from gateway.rules.rulebook.outcome import Abort, Fired, Outcome
from gateway.rules.rulebook.runtime import comparing, nodes, numbers, strings, values
from gateway.rules.rulebook.runtime.tree import Node, Place, Tree, Trees
from gateway.rules.rulebook.runtime.values import DynamicError
from gateway.rules.rulebook.stylesheet import read_stylesheet

_BLANKS: Final = re.compile(r"[ \t\r\n]+")


class Run:
    """One run on one document: what the compiled functions call `d`."""

    __slots__ = ("by_tag", "fired", "kept", "nodes", "root", "stopped", "variables")

    def __init__(self, tree: Tree) -> None:
        self.root = tree.root
        self.nodes = tree.nodes
        self.by_tag = tree.by_tag
        self.kept: dict[int, Any] = {}  #: what is the same for the whole document
        self.variables: dict[int, tuple[Node, Any]] = {}  #: the last value of each variable, and its node
        self.fired: list[tuple[int, Node]] = []
        self.stopped: list[tuple[int, Node, str]] = []


Condition = Callable[[Node, Run], object]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A rule that the place allows; `condition` None: it is for every node there."""

    rule: int
    condition: Condition | None
    main: Callable[[Node, Run], None] | None


@dataclass(frozen=True, slots=True)
class _Mode:
    """The candidates of one mode, the first that matches wins; `pruned_by`: (levels up, rules) that end the mode."""

    candidates: tuple[_Candidate, ...]
    pruned_by: tuple[tuple[int, frozenset[int]], ...]


@dataclass(slots=True)
class _Plan:
    """What there is to do at one place."""

    modes: Mapping[int, _Mode]
    active: list[tuple[int, _Mode]] = field(default_factory=list)  #: modes with something always to be asked
    triggers: list[tuple[int, int, int]] = field(default_factory=list)  #: (levels up, rule, assert)


class Rulebook:
    """One sheet, ready to run. Not for several threads at once."""

    def __init__(self, program: Program, code: Any = None, trees: Trees | None = None) -> None:
        self._program = program
        self._trees = trees or Trees()
        self._functions = _executed(code or compile(program.source, "rulebook", "exec"))
        self._plans: dict[Place, _Plan] = {}
        self._top: Place | None = None
        self._by_tag: dict[str, list[tuple[int, Alternative]]] = {}
        self._any_tag: list[tuple[int, Alternative]] = []
        self._guards: dict[tuple[str, ...], list[tuple[int, int]]] = {}
        for number, rule in enumerate(program.rules):
            for alternative in rule.alternatives:
                uri, local = alternative.tests[0]
                exact = uri is not None and local != "*"
                tag = f"{{{uri}}}{local}" if uri else local
                (self._by_tag.setdefault(tag, []) if exact else self._any_tag).append((number, alternative))
            for chain, asked in rule.guards:
                self._guards.setdefault(chain, []).append((number, asked))
        self._longest = max((len(chain) for chain in self._guards), default=0)
        self._pruning = {rule.mode for rule in program.rules if not rule.descends}

    @property
    def asserts(self) -> Sequence[Asked]:
        """Every assert and report of the sheet."""
        return self._program.asserts

    def run(self, document: etree._ElementTree) -> Outcome:
        """Ask every rule. `document` must be parsed without comments and processing instructions."""
        tree = self._trees.of(document)
        if self._top is not self._trees.top:  # the places were forgotten, so are their plans
            self._top, self._plans = self._trees.top, {}
        run = Run(tree)
        triggered: dict[Node, set[tuple[int, int]]] = {}
        for place, elements in tree.by_place.items():
            plan = self._plans.get(place) or self._planned(place)
            for levels, rule, asked in plan.triggers:
                for node in elements:
                    triggered.setdefault(_up(node, levels), set()).add((rule, asked))
            for _, mode in plan.active:
                for node in elements:
                    candidate = self._chosen(mode, node, run)
                    if candidate is not None and candidate.main is not None:
                        candidate.main(node, run)
        for node, pairs in triggered.items():
            self._ask(node, pairs, run)
        return self._outcome(run)

    # --- per place -------------------------------------------------------------------------------------------

    def _planned(self, place: Place) -> _Plan:
        candidates: dict[int, list[tuple[float, int, Alternative]]] = {}
        for number, alternative in (*self._by_tag.get(place.tag, ()), *self._any_tag):
            if self._stands(alternative, place):
                rule = self._program.rules[number]
                candidates.setdefault(rule.mode, []).append((rule.priority, number, alternative))
        plan = _Plan({mode: self._mode(mode, place, found) for mode, found in candidates.items()})
        plan.active = [(number, m) for number, m in plan.modes.items() if any(c.main is not None for c in m.candidates)]
        self._plans[place] = plan
        chain: tuple[str, ...] = ()
        above: Place | None = place
        for levels in range(1, self._longest + 1):
            if above is None or above.parent is None:
                break
            chain, above = (above.tag, *chain), above.parent
            for number, asked in self._guards.get(chain, ()):
                mode = self._plans_of(above).modes.get(self._program.rules[number].mode)
                if mode is not None and any(candidate.rule == number for candidate in mode.candidates):
                    plan.triggers.append((levels, number, asked))
        return plan

    def _plans_of(self, place: Place) -> _Plan:
        return self._plans.get(place) or self._planned(place)

    def _stands(self, alternative: Alternative, place: Place) -> bool:
        above: Place | None = place
        for uri, local in alternative.tests:
            if above is None or above.parent is None or not _named(above.tag, uri, local):
                return False
            above = above.parent
        if alternative.anchored and (above is None or above.parent is not None):
            return False
        return not alternative.by_place or bool(self._functions[alternative.by_place](place))

    def _mode(self, mode: int, place: Place, found: list[tuple[float, int, Alternative]]) -> _Mode:
        """The candidates: by priority, the last of the sheet first (XSLT 6.4)."""
        candidates: list[_Candidate] = []
        for _, number, alternative in sorted(found, key=lambda entry: (-entry[0], -entry[1])):
            condition = self._functions[alternative.by_node] if alternative.by_node else None
            main = self._program.rules[number].main
            candidates.append(_Candidate(number, condition, self._functions[main] if main else None))
            if condition is None:
                break
        return _Mode(tuple(candidates), self._prunes(mode, place))

    def _prunes(self, mode: int, place: Place) -> tuple[tuple[int, frozenset[int]], ...]:
        """The ancestors at which a rule may end this mode for all that is below."""
        if mode not in self._pruning:
            return ()
        found: list[tuple[int, frozenset[int]]] = []
        above, levels = place.parent, 1
        while above is not None and above.parent is not None:
            at = self._plans_of(above).modes.get(mode)
            ends = {c.rule for c in at.candidates if not self._program.rules[c.rule].descends} if at else set()
            if ends:
                found.append((levels, frozenset(ends)))
            above, levels = above.parent, levels + 1
        return tuple(found)

    # --- per node --------------------------------------------------------------------------------------------

    def _chosen(self, mode: _Mode, node: Node, run: Run) -> _Candidate | None:
        """The rule that matches the node, if any."""
        for levels, rules in mode.pruned_by:
            above = _up(node, levels)
            at = self._plans_of(above.place).modes[self._program.rules[next(iter(rules))].mode]
            ended = self._chosen(at, above, run)
            if ended is not None and ended.rule in rules:
                return None
        for candidate in mode.candidates:
            if candidate.condition is None or candidate.condition(node, run):
                return candidate
        return None

    def _ask(self, node: Node, pairs: set[tuple[int, int]], run: Run) -> None:
        """The guarded asserts that something below the node calls for."""
        modes = self._plans_of(node.place).modes
        chosen: dict[int, int | None] = {}
        for rule, asked in pairs:
            mode = self._program.rules[rule].mode
            if mode not in chosen:
                candidate = self._chosen(modes[mode], node, run)
                chosen[mode] = candidate.rule if candidate is not None else None
            if chosen[mode] == rule:
                self._functions[f"a{asked}"](node, run)

    # --- results ---------------------------------------------------------------------------------------------

    def _outcome(self, run: Run) -> Outcome:
        asserts = self._program.asserts
        places = _Locations()
        fired: list[Fired] = []
        for number, node in sorted(run.fired, key=lambda pair: (asserts[pair[0]].mode, pair[1].order, pair[0])):
            asked = asserts[number]
            message = asked.message
            if message is None:
                try:
                    message = _BLANKS.sub(" ", self._functions[f"m{number}"](node, run)).strip(" ")
                except DynamicError as error:
                    run.stopped.append((number, node, str(error)))
                    message = ""
            line = cast("int | None", node.element.sourceline)
            fired.append(Fired(asked.rule, asked.flag, asked.report, places.of(node), line, asked.test, message))
        aborts = [
            Abort(asserts[number].rule, places.of(node), node.element.sourceline, reason)
            for number, node, reason in run.stopped
        ]
        return Outcome(tuple(fired), tuple(aborts))


def load_rulebook(sheet: Path, trees: Trees | None = None) -> Rulebook:
    """Read and compile one sheet. Raises `UncompilablePack`."""
    return Rulebook(compiled(read_stylesheet(sheet)), trees=trees)


def _executed(code: Any) -> dict[str, Any]:
    """The functions of a compiled module. Its text is ours, made from parsed expressions, never pasted from a sheet."""
    names: dict[str, Any] = {
        **{name: getattr(module, name) for module, known in _CALLABLE.items() for name in known.split()},
        "intern": intern,
        "regex": re.compile,
        "Decimal": Decimal,
        "UNSET": object(),
    }
    exec(code, names)  # noqa: S102
    return names


#: What compiled rules may call.
_CALLABLE: Final[Mapping[ModuleType, str]] = {
    nodes: (
        "some text_or_none only_text the_text optional_text listed name_of local_name ordered union parents ancestors "
        "below preceding first_of_each found filled"
    ),
    numbers: "add subtract multiply divide modulo negative absolute round_half_up total",
    comparing: ("compare_numbers equal any_numbers any_values differs compare_values one truth truths must"),
    strings: "normalize_space substring substring_before substring_after tokenize",
    values: "DynamicError decimal double number boolean to_date text_of",
}


def _named(tag: str, uri: str | None, local: str) -> bool:
    if uri is None:
        return True
    if local == "*":
        return tag.startswith(f"{{{uri}}}")
    return tag == (f"{{{uri}}}{local}" if uri else local)


def _up(node: Node, levels: int) -> Node:
    for _ in range(levels):
        node = cast("Node", node.parent)
    return node


class _Locations:
    """Locations as the sheets write them: every step with its namespace and its number among its like."""

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
        if node not in self._known:
            if node not in self._numbers:
                like = cast("Node", node.parent).by_tag[node.tag]
                self._numbers.update((sibling, i) for i, sibling in enumerate(like, 1))
            uri, _, local = node.tag[1:].partition("}") if node.tag[0] == "{" else ("", "", node.tag)
            name = f"*:{local}[namespace-uri()='{uri}']" if uri else local
            self._known[node] = f"/{name}[{self._numbers[node]}]"
        return self._known[node]
