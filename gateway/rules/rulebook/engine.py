"""Runs a compiled sheet on a document.

What there is to ask of which elements is in the plan of their place (`plans.py`). Findings come in the order of SVRL:
by pattern, then document order, then the order of the asserts in their rule.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from sys import intern
from time import monotonic
from types import CodeType, ModuleType
from typing import Any, Final, cast

from lxml import etree

from gateway.rules.rulebook.cache import Compiled, RulebookCache, compile_sheet
from gateway.rules.rulebook.compiler.program import Asked
from gateway.rules.rulebook.locations import Locations
from gateway.rules.rulebook.outcome import Abort, Fired, Outcome
from gateway.rules.rulebook.plans import Plans, Trigger, up
from gateway.rules.rulebook.runtime import comparing, nodes, numbers, strings, values
from gateway.rules.rulebook.runtime.tree import Node, Place, Tree, Trees, collection_paused
from gateway.rules.rulebook.runtime.values import DynamicError

#: Elements asked at once before the clock is looked at: a millisecond's work or so.
_PORTION: Final = 512
_BLANKS: Final = re.compile(r"[ \t\r\n]+")


class Run:
    """One run on one document: what the compiled functions call `d`."""

    __slots__ = ("by_tag", "chosen", "ends", "fired", "kept", "nodes", "root", "stopped", "variables")

    def __init__(self, tree: Tree, ends: float) -> None:
        self.ends = ends  #: when to stop, on the monotonic clock
        self.root = tree.root
        self.nodes = tree.nodes
        self.by_tag = tree.by_tag
        self.kept: dict[int, Any] = {}  #: what is the same for the whole document
        self.variables: dict[int, tuple[Node, Any]] = {}  #: the last value of each variable, and its node
        self.fired: list[tuple[int, Node]] = []
        self.stopped: list[tuple[int, Node, str]] = []
        self.chosen: dict[tuple[int, Node], int] = {}  #: the rule of a node in a mode; -1: none

    def look_at_the_clock(self) -> None:
        """Raises `_Late` when the time is up."""
        if monotonic() > self.ends:
            raise _Late


class _Late(Exception):
    """The time is up."""


class Rulebook:
    """One sheet, ready to run. Not for several threads at once."""

    def __init__(self, compiled: Compiled, trees: Trees | None = None) -> None:
        self._program = compiled.program
        self._trees = trees or Trees()
        self._functions = _executed(compiled.code)
        self._plans = Plans(compiled.program, self._functions)
        self._top: Place | None = None

    @property
    def asserts(self) -> Sequence[Asked]:
        """Every assert and report of the sheet."""
        return self._program.asserts

    def run(self, document: etree._ElementTree, seconds: float = math.inf) -> Outcome:
        """Ask every rule. `document` must be parsed without comments and processing instructions.

        After `seconds` the run ends with what there is, and the outcome says so.
        """
        with collection_paused():
            tree = self._trees.of(document)
            if self._top is not self._trees.top:  # the places were forgotten, so are their plans
                self._top = self._trees.top
                self._plans.forget()
            run = Run(tree, monotonic() + seconds)
            try:
                self._ask(tree, run)
            except _Late:
                return self._outcome(run, f"more than {seconds:g} s for one rule pack")
            return self._outcome(run)

    def _ask(self, tree: Tree, run: Run) -> None:
        wanted: dict[int, dict[Node, None]] = {}
        for place, elements in tree.by_place.items():
            plan = self._plans.of(place)
            for trigger in plan.triggers:
                contexts = _called_for(trigger, elements)
                if contexts:
                    wanted.setdefault(trigger.asked, {}).update(contexts)
            for mode in plan.active:
                for start in range(0, len(elements), _PORTION):
                    run.look_at_the_clock()
                    portion = elements[start : start + _PORTION] if len(elements) > _PORTION else elements
                    for candidate, picked in self._plans.parted(mode, portion, run):
                        if candidate.main is not None:
                            candidate.main(picked, run)
        for asked, found in wanted.items():
            run.look_at_the_clock()
            self._ask_guarded(asked, found, run)

    def _ask_guarded(self, asked: int, contexts: Iterable[Node], run: Run) -> None:
        """A guarded assert, of those contexts whose rule it belongs to."""
        rule, mode = self._program.asserts[asked].template, self._program.asserts[asked].mode
        theirs: list[Node] = []
        for node in contexts:
            chosen = run.chosen.get((mode, node))
            if chosen is None:
                candidate = self._plans.chosen(self._plans.of(node.place).modes[mode], node, run)
                chosen = run.chosen[mode, node] = -1 if candidate is None else candidate.rule
            if chosen == rule:
                theirs.append(node)
        self._functions[f"a{asked}"](theirs, run)

    # --- results ---------------------------------------------------------------------------------------------

    def _outcome(self, run: Run, unfinished: str = "") -> Outcome:
        asserts = self._program.asserts
        places = Locations()
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
        return Outcome(tuple(fired), tuple(aborts), unfinished)


def _called_for(trigger: Trigger, elements: list[Node]) -> dict[Node, None]:
    """The contexts for which elements at a place call for an assert."""
    if trigger.most and len(elements) <= trigger.most:
        return {}
    contexts = dict.fromkeys(up(node, trigger.levels) for node in elements)
    if trigger.most:
        tag = elements[0].tag
        return {node: None for node in contexts if len(node.by_tag[tag]) > trigger.most}
    return contexts


def load_rulebook(sheet: Path, trees: Trees | None = None, cache: RulebookCache | None = None) -> Rulebook:
    """One sheet, from the cache if it is there. `trees` is for all packs of one thread. Raises `UncompilablePack`."""
    return Rulebook(cache.load(sheet) if cache is not None else compile_sheet(sheet), trees)


def _executed(code: CodeType) -> dict[str, Any]:
    """The functions of a compiled module. Its text is ours, made from parsed expressions, never pasted from a sheet."""
    names: dict[str, Any] = {
        **{name: getattr(module, name) for module, known in _CALLABLE.items() for name in known.split()},
        "intern": intern,
        "regex": re.compile,
        "BLANKS": values.BLANKS,
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
