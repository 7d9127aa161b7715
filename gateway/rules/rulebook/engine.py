"""Runs a compiled sheet on a document.

What there is to ask of which elements is in the plan of their place (`plans.py`). Findings come in the order of SVRL:
by pattern, then document order, then the order of the asserts in their rule.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, DecimalException, localcontext
from pathlib import Path
from sys import intern
from time import monotonic
from types import CodeType, ModuleType
from typing import Any, Final, cast

from lxml import etree

from gateway.rules.rulebook.cache import Compiled, RulebookCache, compile_sheet
from gateway.rules.rulebook.compiler.table import Asked, Program
from gateway.rules.rulebook.locations import Locations
from gateway.rules.rulebook.outcome import Abort, Fired, Outcome
from gateway.rules.rulebook.plans import Plans, Trigger
from gateway.rules.rulebook.runtime import comparing, nodes, numbers, strings, values
from gateway.rules.rulebook.runtime.kept import UNSET
from gateway.rules.rulebook.runtime.tree import Node, Place, Tree, Trees
from gateway.rules.rulebook.runtime.values import DynamicError

#: Elements asked at once before the clock is looked at: a millisecond's work or so.
_PORTION: Final = 256
#: How much of the time for finding there is for telling.
_TELLING: Final = 0.25
#: A document of so many elements, none with a long text, is done before anybody looks at the clock.
_SMALL: Final = 1_000


class Run:
    """One run on one document: what the compiled functions call `d`."""

    __slots__ = ("_tree", "by_tag", "chosen", "ends", "fired", "kept", "large", "root", "stopped", "variables")

    def __init__(self, tree: Tree, program: Program, ends: float) -> None:
        self.ends = ends  #: when to stop, on the monotonic clock
        #: Is it worth looking at the clock while rules are asked?
        self.large = tree.has_long_texts or tree.size > _SMALL
        self._tree = tree
        self.root = tree.root
        self.by_tag = tree.by_tag
        self.kept: list[Any] = []  #: what is the same for the whole document
        #: The last value of each variable, and its node.
        self.variables: list[tuple[Node | None, Any]] = [(None, None)] * program.variables
        self.fired: list[tuple[int, Node]] = []
        self.stopped: list[tuple[int, Node, str]] = []
        self.chosen: dict[tuple[int, Node], int] = {}  #: the rule of a node in a mode; -1: none

    @property
    def nodes(self) -> Sequence[Node]:
        """All elements."""
        return self._tree.nodes

    def bearing(self, attribute: str) -> Sequence[Node]:
        """Elements among which are all that have this attribute."""
        return self._tree.nodes if attribute in self._tree.outline.attributes else ()

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
        self._trees.look_for(compiled.program.looked_for)
        self._functions = _executed(compiled.code)
        self._plans = Plans(compiled.program, self._functions)
        self._modes = [asked.mode for asked in compiled.program.asserts]
        self._top: Place | None = None

    @property
    def asserts(self) -> Sequence[Asked]:
        """Every assert and report of the sheet."""
        return self._program.asserts

    def run(self, document: etree._ElementTree, seconds: float = math.inf, most: int | None = None) -> Outcome:
        """Ask every rule. `document` must be parsed without comments and processing instructions.

        After `seconds` the run ends with what there is, and the outcome says so. Of more than `most` that fired, each
        rule is told as often as there is room for, and the others are counted; so are those that could not be computed.
        """
        tree = self._trees.of(document)
        if self._top is not self._trees.top:  # the places were forgotten, so are their plans
            self._top = self._trees.top
            self._plans.forget()
        run = Run(tree, self._program, monotonic() + seconds)
        with localcontext(numbers.EXACT):
            try:
                self._ask(tree, run)
            except _Late:
                return self._outcome(run, most, seconds, f"more than {seconds:g} s for one rule pack")
            return self._outcome(run, most, seconds)

    def _ask(self, tree: Tree, run: Run) -> None:
        run.look_at_the_clock()
        agenda = self._plans.agenda(tree.outline, run.look_at_the_clock)
        run.kept = [*agenda.kept]
        if run.large:
            agenda = agenda.watched()
        for place, ask in agenda.plain:
            ask(place.nodes, run)
        for places, picking, asking in agenda.questions:
            nodes = places[0].nodes if len(places) == 1 else [node for place in places for node in place.nodes]
            for portion in _portions(nodes, run):
                picked = portion if picking is None else picking(portion, run)
                if picked:
                    for ask in asking:
                        ask(picked, run)
        for choice in agenda.choices:
            for portion in _portions(choice.place.nodes, run):
                for candidate, picked in self._plans.parted(choice.mode, portion, run):
                    for ask in choice.asking[candidate.rule]:
                        ask(picked, run)
        for ask, triggers, place, most in agenda.guarded:
            if len(place.nodes) > most:
                contexts = self._contexts(triggers, run)
                if contexts:
                    ask(contexts, run)

    def _contexts(self, triggers: Sequence[Trigger], run: Run) -> Sequence[Node]:
        """The contexts that call for a guarded assert, and whose rule it belongs to."""
        contexts: Sequence[Node] = ()
        for trigger in triggers:
            called: Sequence[Node] = trigger.context.nodes
            if len(called) > 1 or trigger.attribute:
                called = _called_for(trigger)
            elif len(trigger.place.nodes) <= trigger.most:
                continue
            if not trigger.certain:
                called = [node for node in called if self._plans.rule_of(trigger.mode, node, run) == trigger.rule]
            if called:
                contexts = [*contexts, *called] if contexts else called
        return contexts if len(contexts) < 2 else list(dict.fromkeys(contexts))

    # --- results ---------------------------------------------------------------------------------------------

    def _outcome(self, run: Run, most: int | None, seconds: float, unfinished: str = "") -> Outcome:
        """What fired is told, however long it took to find; but a message may walk through half the document."""
        asserts = self._program.asserts
        places = Locations()
        run.ends = monotonic() + _TELLING * seconds
        fired: list[Fired] = []
        told = sorted(run.fired, key=self._as_in_svrl)
        if most is not None and len(told) > most:
            told = _some_of_each(told, most)
        for number, node in told:
            asked = asserts[number]
            message = asked.message
            if message is None:
                try:
                    run.look_at_the_clock()
                    message = strings.normalize_space(self._functions[f"m{number}"](node, run))
                except _Late:
                    unfinished = unfinished or f"more than {_TELLING * seconds:g} s to tell what one rule pack found"
                    break
                except DynamicError as error:
                    run.stopped.append((number, node, str(error)))
                    message = ""
            line = cast("int | None", node.element.sourceline)
            fired.append(Fired(asked.rule, asked.flag, asked.report, places.of(node), line, asked.test, message))
        aborts = [
            Abort(asserts[number].rule, places.of(node), node.element.sourceline, reason)
            for number, node, reason in sorted(run.stopped, key=self._as_in_svrl)[:most]
        ]
        omitted = len(run.fired) - len(fired) + len(run.stopped) - len(aborts)
        return Outcome(tuple(fired), tuple(aborts), unfinished, omitted)

    def _as_in_svrl(self, told: tuple[int, Node] | tuple[int, Node, str]) -> tuple[int, int, int]:
        """By pattern, then document order, then the order of the asserts."""
        return self._modes[told[0]], told[1].order, told[0]


def _some_of_each(fired: list[tuple[int, Node]], most: int) -> list[tuple[int, Node]]:
    """The first of each assert, as many of each as there is room for."""
    room = max(1, most // len({number for number, _ in fired}))
    seen: Counter[int] = Counter()
    told: list[tuple[int, Node]] = []
    for number, node in fired:
        seen[number] += 1
        if seen[number] <= room:
            told.append((number, node))
    return told


def _portions(nodes: list[Node], run: Run) -> Sequence[list[Node]] | Iterator[list[Node]]:
    """The nodes in portions, with a look at the clock before each."""
    return (nodes,) if len(nodes) <= _PORTION else _parts(nodes, run)


def _parts(nodes: list[Node], run: Run) -> Iterator[list[Node]]:
    for start in range(0, len(nodes), _PORTION):
        run.look_at_the_clock()
        yield nodes[start : start + _PORTION]


def _called_for(trigger: Trigger) -> Sequence[Node]:
    """The contexts for which elements at a place call for an assert, some more than once."""
    nodes = trigger.place.nodes
    if trigger.attribute:
        nodes = [node for node in nodes if trigger.attribute in node.attributes]
    for _ in range(trigger.levels):
        nodes = [node.parent for node in nodes]  # type: ignore[misc]  # a parent is known to be there
    if not trigger.most:
        return nodes
    if len(nodes) - len(set(nodes)) < trigger.most:  # too few, even if all beyond the first ones were of one context
        return ()
    return [node for node, number in Counter(nodes).items() if number > trigger.most]


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
        "HASTE": (DynamicError, TypeError, DecimalException),
        "UNSET": UNSET,
        "INF": math.inf,
    }
    exec(code, names)  # noqa: S102
    return names


#: What compiled rules may call.
_CALLABLE: Final[Mapping[ModuleType, str]] = {
    nodes: (
        "some text_or_none only_text the_text optional_text listed name_of local_name ordered union parents ancestors "
        "below preceding found sought candidates meant kept FAILED filled"
    ),
    numbers: "add subtract multiply divide modulo negative absolute round_half_up cents total",
    comparing: (
        "compare_numbers equal any_numbers compare_text any_texts any_values differs compare_values one truth truths "
        "must both either"
    ),
    strings: "lower_case normalize_space substring substring_before substring_after tokenize remembered",
    values: "DynamicError decimal double number boolean to_date text_of",
}
