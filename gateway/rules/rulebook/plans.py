"""Which rules may match where: decided once per place (chain of tags), remembered while the process lives.

In each mode the rule of highest priority that matches a node is its rule, and no other is asked (XSLT 6.4). What the
chain of tags leaves open is a condition on the node. What there is to ask of documents that have the same places is
put together once for all of them: their agenda.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

from gateway.rules.rulebook.compiler.guards import ANYWHERE
from gateway.rules.rulebook.compiler.table import Alternative, Program
from gateway.rules.rulebook.runtime.kept import beginning
from gateway.rules.rulebook.runtime.tree import OUTLINE_PLACES, OUTLINES_KEPT, Node, Outline, Place

Picking = Callable[[Sequence[Node], Any], Sequence[Node]]
Asking = Callable[[Sequence[Node], Any], None]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rule that the place allows; `picking` None: it is for every node there."""

    rule: int
    picking: Picking | None


@dataclass(frozen=True, slots=True)
class Mode:
    """The candidates of one mode, the first that matches wins; `pruned_by`: (levels up, rules) that end the mode."""

    number: int
    candidates: tuple[Candidate, ...]
    pruned_by: tuple[tuple[int, frozenset[int]], ...]

    def is_always(self, rule: int) -> bool:
        """Is this the rule of every node here?"""
        first = self.candidates[0]
        return first.rule == rule and first.picking is None and not self.pruned_by


@dataclass(frozen=True, slots=True)
class Trigger:
    """Elements at `place` call for a guarded assert of a rule at `context` above, if more than `most` stand there."""

    place: Place
    context: Place
    asked: int
    rule: int
    mode: int
    most: int
    attribute: str  #: only elements that have it; "": all
    certain: bool  #: the rule is that of every node there

    @property
    def levels(self) -> int:
        """How far above the context is."""
        return self.place.depth - self.context.depth


@dataclass(frozen=True, slots=True)
class Plan:
    """What the sheet has for one place, whatever else the document holds."""

    modes: Mapping[int, Mode]
    triggers: tuple[Trigger, ...]


#: What is asked of the nodes at some places, or of those that the function picks among them.
Question = tuple[tuple[Place, ...], Picking | None, tuple[Asking, ...]]


@dataclass(frozen=True, slots=True)
class Choice:
    """A place where several rules may be that of a node in a mode, and what each asks."""

    place: Place
    mode: Mode
    asking: Mapping[int, tuple[Asking, ...]]


class Called(NamedTuple):
    """An assert that is asked when something calls for it: not when no more than `most` stand at `place`."""

    ask: Asking
    triggers: tuple[Trigger, ...]
    place: Place
    most: int  #: -1: ask the triggers


@dataclass(frozen=True, slots=True)
class Agenda:
    """All that there is to do on documents of one outline."""

    plain: tuple[tuple[Place, Asking], ...]  #: asked of all nodes at one place
    questions: tuple[Question, ...]
    choices: tuple[Choice, ...]
    guarded: tuple[Called, ...]
    kept: Sequence[Any]  #: what a run begins with

    def watched(self) -> Agenda:
        """The same for a large document: the clock is looked at before each node."""
        return replace(
            self,
            plain=tuple((place, _watched(ask)) for place, ask in self.plain),
            questions=tuple((at, picking, tuple(map(_watched, asking))) for at, picking, asking in self.questions),
            choices=tuple(
                replace(choice, asking={rule: tuple(map(_watched, asking)) for rule, asking in choice.asking.items()})
                for choice in self.choices
            ),
            guarded=tuple(called._replace(ask=_watched(called.ask)) for called in self.guarded),
        )


def _watched(ask: Asking) -> Asking:
    def one_by_one(nodes: Sequence[Node], run: Any) -> None:
        for node in nodes:
            run.look_at_the_clock()
            ask((node,), run)

    return one_by_one


class Plans:
    """The plans of one sheet for the places of one table."""

    def __init__(self, program: Program, functions: Mapping[str, Any]) -> None:
        self._program = program
        self._functions = functions
        self._known: dict[Place, Plan] = {}
        self._agendas: dict[Outline, Agenda] = {}
        self._by_tag: dict[str, list[tuple[int, Alternative]]] = {}
        self._any_tag: list[tuple[int, Alternative]] = []
        self._guards: dict[tuple[str, ...], list[tuple[int, int, int, str]]] = {}
        self._anywhere: dict[int, list[tuple[str, int]]] = {}
        for number, rule in enumerate(program.rules):
            for alternative in rule.alternatives:
                uri, local = alternative.tests[0]
                exact = uri is not None and local != "*"
                tag = f"{{{uri}}}{local}" if uri else local
                (self._by_tag.setdefault(tag, []) if exact else self._any_tag).append((number, alternative))
            for chain, asked, most, attribute in rule.guards:
                if chain and chain[0] == ANYWHERE:
                    self._anywhere.setdefault(number, []).append((f"@{attribute}" if attribute else chain[1], asked))
                else:
                    self._guards.setdefault(chain, []).append((number, asked, most, attribute))
        self._longest = max((len(chain) for chain in self._guards), default=0)
        self._pruning = {rule.mode for rule in program.rules if not rule.descends}

    def forget(self) -> None:
        """The places are no longer in use."""
        self._known.clear()
        self._agendas.clear()

    def agenda(self, outline: Outline, look_at_the_clock: Callable[[], None]) -> Agenda:
        """What there is to do on documents of this outline."""
        known = self._agendas.get(outline)
        if known is None:
            known = self._agenda(outline, look_at_the_clock)
            if len(self._agendas) >= OUTLINES_KEPT:
                self._agendas.clear()
            if len(outline.places) <= OUTLINE_PLACES:
                self._agendas[outline] = known
        return known

    def of(self, place: Place) -> Plan:
        """The plan of a place."""
        plan = self._known.get(place)
        if plan is None:
            plan = self._known[place] = Plan(self._modes(place), self._triggers(place))
        return plan

    def _agenda(self, outline: Outline, look_at_the_clock: Callable[[], None]) -> Agenda:
        """Places at which the same is asked are asked together: an order of asking that findings do not show."""
        asking = [self._asking(number, outline) for number in range(len(self._program.rules))]
        questions: dict[tuple[Picking | None, int], list[Place]] = {}
        choices: list[Choice] = []
        triggers: dict[int, list[Trigger]] = {}
        for place in sorted(outline.places, key=_depth):  # the plan of a place asks for those above it
            look_at_the_clock()  # a hostile file has as many as it likes
            plan = self.of(place)
            for mode in plan.modes.values():
                theirs = {each.rule: asking[each.rule] for each in mode.candidates}
                if len(mode.candidates) == 1 and not mode.pruned_by:
                    questions.setdefault((mode.candidates[0].picking, mode.candidates[0].rule), []).append(place)
                elif any(theirs.values()):
                    choices.append(Choice(place, mode, theirs))
            for trigger in plan.triggers:
                triggers.setdefault(trigger.asked, []).append(trigger)
        return Agenda(
            tuple(
                (at[0], ask)
                for (picking, rule), at in questions.items()
                if _is_plain(picking, at)
                for ask in asking[rule]
            ),
            tuple(
                (tuple(at), picking, asking[rule])
                for (picking, rule), at in questions.items()
                if asking[rule] and not _is_plain(picking, at)
            ),
            tuple(choices),
            tuple(
                Called(
                    self._functions[f"a{asked}"],
                    tuple(theirs),
                    theirs[0].place,
                    theirs[0].most if len(theirs) == 1 else -1,
                )
                for asked, theirs in triggers.items()
            ),
            beginning(self._program.kept, self._program.empties, outline.tags),
        )

    def _asking(self, rule: int, outline: Outline) -> tuple[Asking, ...]:
        """The functions that ask a rule's asserts, without those that need what these documents have nowhere."""
        names = [
            self._program.rules[rule].main,
            *dict.fromkeys(f"a{asked}" for name, asked in self._anywhere.get(rule, ()) if outline.has(name)),
        ]
        return tuple(self._functions[name] for name in names if name)

    def parted(self, mode: Mode, elements: Sequence[Node], run: Any) -> Iterator[tuple[Candidate, Sequence[Node]]]:
        """The elements of a place by their rules in a mode."""
        rest = [node for node in elements if not self._pruned(mode, node, run)] if mode.pruned_by else elements
        for candidate in mode.candidates:
            picked = rest if candidate.picking is None else candidate.picking(rest, run)
            if picked:
                for node in picked:
                    run.chosen[mode.number, node] = candidate.rule
                yield candidate, picked
            if len(picked) == len(rest):
                return
            if picked:
                gone = set(picked)
                rest = [node for node in rest if node not in gone]

    def chosen(self, mode: Mode, node: Node, run: Any) -> Candidate | None:
        """The rule of a node in a mode, if any."""
        if self._pruned(mode, node, run):
            return None
        for candidate in mode.candidates:
            if candidate.picking is None or candidate.picking((node,), run):
                return candidate
        return None

    def rule_of(self, number: int, node: Node, run: Any) -> int:
        """The number of the rule of a node in a mode, -1 for none; remembered in the run."""
        key = (number, node)
        if key not in run.chosen:
            candidate = self.chosen(self.of(node.place).modes[number], node, run)
            run.chosen[key] = -1 if candidate is None else candidate.rule
        return cast("int", run.chosen[key])

    def _pruned(self, mode: Mode, node: Node, run: Any) -> bool:
        """Does a rule of an ancestor end the mode? The topmost is asked first, so that each is asked once."""
        return any(
            self.rule_of(mode.number, up(node, levels), run) in rules for levels, rules in reversed(mode.pruned_by)
        )

    def _modes(self, place: Place) -> Mapping[int, Mode]:
        found: dict[int, list[tuple[float, int, Alternative]]] = {}
        for number, alternative in (*self._by_tag.get(place.tag, ()), *self._any_tag):
            if self._stands(alternative, place):
                rule = self._program.rules[number]
                found.setdefault(rule.mode, []).append((-rule.priority, -number, alternative))
        return {
            mode: Mode(mode, self._candidates(entries), self._prunes(mode, place)) for mode, entries in found.items()
        }

    def _stands(self, alternative: Alternative, place: Place) -> bool:
        above: Place | None = place
        for uri, local in alternative.tests:
            if above is None or above.parent is None or not _named(above.tag, uri, local):
                return False
            above = above.parent
        if alternative.anchored and (above is None or above.parent is not None):
            return False
        return not alternative.by_place or bool(self._functions[alternative.by_place](place))

    def _candidates(self, entries: list[tuple[float, int, Alternative]]) -> tuple[Candidate, ...]:
        """By priority, the last of the sheet first."""
        candidates: list[Candidate] = []
        for _, number, alternative in sorted(entries, key=lambda entry: entry[:2]):
            picking = self._functions[alternative.by_node] if alternative.by_node else None
            candidates.append(Candidate(-number, picking))
            if picking is None:
                break
        return tuple(candidates)

    def _prunes(self, mode: int, place: Place) -> tuple[tuple[int, frozenset[int]], ...]:
        """The ancestors at which a rule may end this mode for all that is below."""
        if mode not in self._pruning:
            return ()
        found: list[tuple[int, frozenset[int]]] = []
        above, levels = place.parent, 1
        while above is not None and above.parent is not None:
            at = self.of(above).modes.get(mode)
            ends = {c.rule for c in at.candidates if not self._program.rules[c.rule].descends} if at else set()
            if ends:
                found.append((levels, frozenset(ends)))
            above, levels = above.parent, levels + 1
        return tuple(found)

    def _triggers(self, place: Place) -> tuple[Trigger, ...]:
        found: list[Trigger] = []
        chain: tuple[str, ...] = ()
        above: Place | None = place
        for _ in range(self._longest):
            if above is None or above.parent is None:
                break
            chain, above = (above.tag, *chain), above.parent
            for rule, asked, most, attribute in self._guards.get(chain, ()):
                mode = self.of(above).modes.get(self._program.rules[rule].mode)
                if mode is not None and any(candidate.rule == rule for candidate in mode.candidates):
                    certain = mode.is_always(rule)
                    found.append(Trigger(place, above, asked, rule, mode.number, most, attribute, certain))
        return tuple(found)


def _is_plain(picking: Picking | None, places: Sequence[Place]) -> bool:
    return picking is None and len(places) == 1


def _depth(place: Place) -> int:
    return place.depth


def up(node: Node, levels: int) -> Node:
    """The ancestor so many levels up, which is known to be there."""
    for _ in range(levels):
        node = node.parent  # type: ignore[assignment]
    return node


def _named(tag: str, uri: str | None, local: str) -> bool:
    if uri is None:
        return True
    if local == "*":
        return tag.startswith(f"{{{uri}}}")
    return tag == (f"{{{uri}}}{local}" if uri else local)
