"""Keeps going until every assert of a pack has fired, or the budget is spent; then asks why the rest has not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from gateway.rules.rulebook.outcome import Outcome
from tests.rules.rulebook.mutation.mutants import Mutants
from tests.rules.rulebook.mutation.reasons import never_asked

Engine = Callable[[bytes], Outcome]
#: Told of a mutant, by name and content, and what the (numbered) oracle says of it: the differences, and the asserts
#: on which both agree.
Compare = Callable[[str, bytes, Outcome], tuple[list[str], set[int]]]
#: Asserts aimed at in one document: many at first, for most do not disturb each other.
_TOGETHER: Final = (40, 20, 12, 8, 5, 3, 2)
_ROUNDS: Final = 3
#: Mutants that fire an assert alone, tried again among the other rules.
_AMONG_OTHERS: Final = 10
_ALONE: Final = 150


@dataclass(slots=True)
class Hunted:
    """What a hunt has seen. Asserts go by their number in the sheet."""

    mutants: int = 0
    aborted: int = 0
    fired: Counter[int] = field(default_factory=Counter)  #: documents in which the oracle fired an assert
    in_both: set[int] = field(default_factory=set)  #: fired at the same place with the same words by both
    tried: Counter[int] = field(default_factory=Counter)  #: mutants that aimed at an assert
    example: dict[int, str] = field(default_factory=dict)  #: a mutant that makes it fire
    stopped: dict[int, Counter[str]] = field(default_factory=dict)  #: what stopped the oracle when it was aimed at
    alone: dict[int, str] = field(default_factory=dict)  #: fires only where no other rule is asked: a mutant
    reasons: dict[int, str] = field(default_factory=dict)  #: why an assert has never fired
    differences: list[tuple[str, str]] = field(default_factory=list)  #: mutant, what differs


class _Hunt:
    def __init__(self, mutants: Mutants, oracle: Engine, seed: int, compare: Compare | None) -> None:
        self.seen = Hunted()
        self.mutants = mutants
        self.documents = list(mutants.documents)
        self.rng = Random(seed)
        self._oracle = oracle
        self._compare = compare

    def look(self, name: str, xml: bytes, aimed: Sequence[int] = ()) -> None:
        """One document through the engines."""
        seen, outcome = self.seen, self._oracle(xml)
        seen.mutants += 1
        seen.tried.update(aimed)
        if outcome.aborts:
            seen.aborted += 1
            for number in aimed:
                seen.stopped.setdefault(number, Counter())[outcome.aborts[0].reason] += 1
        for number in {int(fired.test) for fired in outcome.fired}:
            seen.fired[number] += 1
            seen.example.setdefault(number, name)
        if self._compare is not None:
            differences, agreed = self._compare(name, xml, outcome)
            seen.in_both |= agreed
            seen.differences += [(name, difference) for difference in differences]

    def aim(self, together: int, budget: int) -> None:
        """One round over all asserts that have not fired yet, so many in a document."""
        left = [number for number in range(len(self.mutants.asserts)) if not self.seen.fired[number]]
        self.rng.shuffle(left)
        for start in range(0, len(left), together):
            numbers = [number for number in left[start : start + together] if not self.seen.fired[number]]
            if numbers and self.seen.mutants < budget:
                self.look(*self.mutants.directed(self.rng.choice(self.documents), self.rng.randrange(10**9), numbers))

    def explain(self, number: int, solo: Callable[[int], Engine]) -> None:
        """Find out why an assert has not fired; the reason may go by the board when it fires on the way."""
        seen = self.seen
        if self.mutants.settled(number):
            seen.reasons[number] = "its test can say one thing only"
        elif why := never_asked(self.mutants, number):
            seen.reasons[number] = f"never asked: {why}"
        else:
            reason = self._alone(number, solo(number))
            if not seen.fired[number]:
                seen.reasons[number] = reason

    def _alone(self, number: int, oracle: Engine) -> str:
        seen = self.seen
        among_others = 0
        for seed in range(_ALONE):
            name, xml, aimed = self.mutants.directed(self.documents[seed % len(self.documents)], seed, [number])
            if not aimed or not oracle(xml).fired:
                continue
            seen.alone.setdefault(number, name)
            self.look(name, xml, aimed)
            among_others += 1
            if seen.fired[number] or among_others == _AMONG_OTHERS:
                break
        if seen.fired[number]:
            del seen.alone[number]
        stopped = seen.stopped.get(number, Counter())
        most = "; ".join(f"{count} × {reason}" for reason, count in stopped.most_common(2))
        if number in seen.alone:
            return f"fires alone ({seen.alone[number]}); among the other rules the engine stops: {most}"
        return f"unknown: {seen.tried[number]} mutants aimed at it, {stopped.total()} stopped the engine: {most}"


def hunt(
    mutants: Mutants,
    oracle: Engine,
    *,
    budget: int,
    seed: int = 0,
    per_assert: int = 60,
    compare: Compare | None = None,
    solo: Callable[[int], Engine] | None = None,
) -> Hunted:
    """Aim at the asserts that have not fired yet, then mutate wildly until `budget` mutants are made.

    `oracle` must be numbered. `compare` runs our engine on the same bytes; without it the hunt is for the oracle
    alone. `solo` gives the oracle for one assert alone, to find out why an assert does not fire among the others.
    """
    hunting = _Hunt(mutants, oracle, seed, compare)
    for document in hunting.documents:
        hunting.look(document, mutants.documents[document])
    for together in [together for together in _TOGETHER for _ in range(_ROUNDS)] + [1] * per_assert:
        hunting.aim(together, budget)
    for number in range(len(mutants.asserts)) if solo is not None else ():
        if not hunting.seen.fired[number]:
            assert solo is not None
            hunting.explain(number, solo)
    while hunting.seen.mutants < budget:
        hunting.look(*mutants.wild(hunting.rng.choice(hunting.documents), hunting.rng.randrange(10**9)))
    return hunting.seen
