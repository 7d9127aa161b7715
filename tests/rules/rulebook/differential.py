"""Compares our engine with the reference engine on documents and on mutants of them.

`compare` tells the differences of two outcomes, `Differential` runs both engines on the same bytes and keeps count.
What makes the mutants is in `mutation/`; `benchmarks/differential.py` runs it on a large scale.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Final, Self

from gateway.parsers.xml import parse_xml
from gateway.rules.reference.engine import ReferenceRulebook
from gateway.rules.reference.process import ReferenceProcess
from gateway.rules.rulebook.engine import load_rulebook
from gateway.rules.rulebook.outcome import Fired, Outcome
from gateway.rules.rulebook.sheet import Stylesheet
from gateway.rules.rulebook.stylesheet import read_stylesheet
from tests.rules.rulebook.mutation.hunt import Hunted, hunt
from tests.rules.rulebook.mutation.mutants import Mutants
from tests.rules.rulebook.mutation.numbered import NumberedOracle, number_sheet
from tests.rules.rulebook.mutation.starts import start_documents

__all__ = ["Differential", "Engine", "Hunted", "compare", "hunt", "mutants", "native_of", "oracle_of"]

Engine = Callable[[bytes], Outcome]
#: Id, flag, is it a report, location, message: what both engines must say alike.
Said = tuple[str, str, bool, str, str]
#: Values in the reason of an abort, so that reasons of one kind are counted together.
_VALUES: Final = re.compile(r"""\{.*\}|"[^"]*"|'[^']*'|\d+""", re.DOTALL)
#: How many documents on which only the reference engine stops are asked again of a sheet compiled anew, per reason.
_ASKED_AGAIN: Final = 3


def native_of(sheet: Path) -> Engine:
    """Our engine on bytes, read as the product reads them."""
    rulebook = load_rulebook(sheet)
    return lambda xml: rulebook.run(parse_xml(xml))


def oracle_of(sheet: Path, process: ReferenceProcess, *, fresh: bool = False) -> Engine:
    """The reference engine on bytes."""
    rulebook = ReferenceRulebook(sheet, process)
    return lambda xml: rulebook.run(xml, fresh=fresh)


def said(fired: Fired) -> Said:
    """What is compared."""
    return fired.rule, fired.flag, fired.report, fired.location, fired.message


def compare(native: Outcome, reference: Outcome) -> list[str]:
    """The differences in words; none when both say the same in the same order.

    Where the reference engine stopped it has said nothing, so there is nothing to differ from.
    """
    if reference.aborts:
        return []
    differences = [
        f"only ours stopped: {abort.rule} at {_place(abort.location)}: {abort.reason}" for abort in native.aborts
    ]
    ours, theirs = [said(fired) for fired in native.fired], [said(fired) for fired in reference.fired]
    differences += [
        f"only ours fired {count} ×: {_shown(one)}" for one, count in (Counter(ours) - Counter(theirs)).items()
    ]
    differences += [
        f"ours did not fire {count} ×: {_shown(one)}" for one, count in (Counter(theirs) - Counter(ours)).items()
    ]
    if not differences and ours != theirs:
        index = next(index for index, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b)
        differences.append(f"in another order: {_shown(ours[index])} before {_shown(theirs[index])}")
    return differences


def mutants(xml: bytes, seed: int, stylesheet: Stylesheet) -> Iterator[tuple[str, bytes]]:
    """Mutants of one document without end, wild ones and ones that aim at a rule; each has its name."""
    maker = Mutants(stylesheet, {"document": xml})
    rng = Random(seed)
    while True:
        number = rng.randrange(10**9)
        if rng.random() < 0.5:
            yield maker.wild("document", number)
        else:
            name, mutant, _ = maker.directed("document", number, [rng.randrange(len(maker.asserts))])
            yield name, mutant


class Differential:
    """Both engines on one pack."""

    def __init__(self, sheet: Path, corpus: Path, process: ReferenceProcess, native: Engine | None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="differential-")
        self._process = process
        self.stylesheet = read_stylesheet(sheet)
        self.oracle = NumberedOracle(number_sheet(self.stylesheet, Path(self._folder.name)), process)
        self._official = oracle_of(sheet, process, fresh=True)
        self.native = native
        self.mutants = Mutants(self.stylesheet, start_documents(corpus, sheet, self.oracle))
        self.both_stopped = 0
        self.settled_afresh = 0  #: differences that a freshly compiled reference engine did not show
        self.only_reference_stopped: Counter[str] = Counter()  #: by reason
        self.example: dict[str, str] = {}  #: of each of these reasons, a mutant

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def solo(self, number: int) -> Engine:
        """The reference engine for one assert alone."""
        return NumberedOracle(number_sheet(self.stylesheet, Path(self._folder.name), number), self._process)

    def hunt(self, budget: int, seed: int, *, per_assert: int = 60, reasons: bool = True) -> Hunted:
        """Mutants until each assert has fired, then the reasons of those that do not (where asked for), then other
        mutants until the budget is spent.
        """
        seen = hunt(
            self.mutants,
            self.oracle,
            budget=budget,
            seed=seed,
            per_assert=per_assert,
            compare=self.compared if self.native is not None else None,
            solo=self.solo if reasons else None,
        )
        for number, name in seen.alone.items() if self.native is not None else ():
            seen.differences += [(name, f"alone: {difference}") for difference in self._alone(number, name)]
        return seen

    def compared(self, name: str, xml: bytes, reference: Outcome) -> tuple[list[str], set[int]]:
        """The differences on one document, and the asserts on which both agree (the oracle's are numbered)."""
        assert self.native is not None
        native = self.native(xml)
        if reference.aborts:
            self._stopped(name, xml, native, reference)
            return [], set()
        differences = compare(native, reference)
        if differences and not compare(native, self._official(xml)):
            self.settled_afresh += 1
            differences = []
        left = Counter(said(fired) for fired in native.fired)
        agreed = set()
        for fired in reference.fired:
            if left[said(fired)]:
                left[said(fired)] -= 1
                agreed.add(int(fired.test))
        return differences, agreed

    def _stopped(self, name: str, xml: bytes, native: Outcome, reference: Outcome) -> None:
        if native.aborts:
            self.both_stopped += 1
            return
        reason = _VALUES.sub("…", reference.aborts[0].reason)
        if self.only_reference_stopped[reason] < _ASKED_AGAIN and not self._official(xml).aborts:
            self.settled_afresh += 1
            return
        self.only_reference_stopped[reason] += 1
        self.example.setdefault(reason, name)

    def _alone(self, number: int, name: str) -> list[str]:
        """The differences on an assert that fires in the reference engine only where no other is asked."""
        assert self.native is not None
        xml = self.mutants.again(name)
        _, assertion = self.mutants.asserts[number]
        ours = [
            fired
            for fired in self.native(xml).fired
            if (fired.rule, fired.report, fired.test) == (assertion.rule, assertion.report, assertion.test)
        ]
        theirs = self.solo(number)(xml).fired
        missing = Counter(said(fired) for fired in theirs) - Counter(said(fired) for fired in ours)
        return [f"ours did not fire {count} ×: {_shown(one)}" for one, count in missing.items()]


def _shown(one: Said) -> str:
    rule, flag, report, location, message = one
    kind = "report" if report else "assert"
    return f"{rule or kind} ({flag or 'no flag'}) at {_place(location)}: {message[:200]}"


def _place(location: str) -> str:
    """A location without its namespaces."""
    return re.sub(r"\*:([\w.-]+)\[namespace-uri\(\)='[^']*'\]", r"\1", location)
