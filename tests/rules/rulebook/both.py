"""Asks both engines the same: many expressions on many pieces of a document, in one sheet.

An error of one expression ends the whole run of the reference engine. So ours is asked first; what it could compute is
then asked of the reference engine in one run, and each thing that it could not compute in a run of its own, where the
reference engine has to fail too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lxml import etree

from gateway.rules.reference.engine import ReferenceRulebook
from gateway.rules.reference.process import ReferenceProcess
from gateway.rules.rulebook.engine import Rulebook, load_rulebook
from gateway.rules.rulebook.outcome import Outcome
from tests.rules.rulebook.sheets import Check, Function, Let, Rule, Value, write_sheet

_PIECE: Final = re.compile(r"^/cases\[1\]/case\[(\d+)\]$")
#: How often the reference engine is asked again for less, when it fails where ours did not, and from when on singly.
_HALVINGS: Final = 100
_ONE_BY_ONE: Final = 60

#: The expressions that are asked of each case, by number.
Asked = Mapping[int, Sequence[int]]


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """An expression and a case, by their numbers."""

    expression: int
    case: int


@dataclass(frozen=True, slots=True)
class Expressions:
    """A sheet of expressions in both engines."""

    expressions: Sequence[str]
    ours: Rulebook
    reference: ReferenceRulebook

    def differences(self, cases: Sequence[str]) -> list[str]:
        """In words, where the engines differ on the value of an expression (as a message shows it) in a piece of a
        document. An expression between `?` and `?` is the test of a report instead, between `!` and `!` of an assert.
        """
        return _Comparison(self, cases, _as_pieces).differences()


class BothEngines:
    """Ours and the reference engine on the same sheets."""

    def __init__(self, process: ReferenceProcess, folder: Path) -> None:
        self._process = process
        self._folder = folder
        self._sheets = 0

    def outcomes(
        self,
        patterns: Sequence[Sequence[Rule]],
        documents: Iterable[str],
        *,
        lets: Sequence[Let] = (),
        functions: Sequence[Function] = (),
    ) -> Iterator[tuple[Outcome, Outcome]]:
        """What ours and the reference engine say of whole documents, ours without the lines."""
        ours, reference = self._loaded(patterns, lets, functions)
        for document in documents:
            said = run(ours, document)
            yield said, _asked(reference, document, said)

    def asking(self, expressions: Sequence[str]) -> Expressions:
        """Ready to be asked of pieces of documents."""
        return self._asking(expressions, "case", "@asked")

    def differences(self, expressions: Sequence[str], cases: Sequence[str]) -> list[str]:
        """Where the engines differ on these expressions."""
        return self.asking(expressions).differences(cases)

    def differences_on_documents(
        self, expressions: Sequence[str], documents: Sequence[str], *, context: str = "/*", lets: Sequence[Let] = ()
    ) -> list[str]:
        """Where they differ on whole documents, each alone, for every element that `context` matches; `lets` are
        variables of each rule.
        """
        asking = self._asking(expressions, context, "/*/@asked", lets)
        return [said for document in documents for said in _Comparison(asking, [document], _as_document).differences()]

    def _asking(self, expressions: Sequence[str], context: str, asked: str, lets: Sequence[Let] = ()) -> Expressions:
        patterns = [
            [Rule(f"{context}[contains({asked}, ' {number} ')]", [*lets, _check(str(number), expression)])]
            for number, expression in enumerate(expressions)
        ]
        return Expressions(expressions, *self._loaded(patterns, (), ()))

    def _loaded(
        self, patterns: Sequence[Sequence[Rule]], lets: Sequence[Let], functions: Sequence[Function]
    ) -> tuple[Rulebook, ReferenceRulebook]:
        self._sheets += 1
        path = write_sheet(self._folder / f"s{self._sheets}.xsl", patterns, lets=lets, functions=functions)
        return load_rulebook(path), ReferenceRulebook(path, self._process)


def run(rulebook: Rulebook, document: str) -> Outcome:
    """What ours says of a document, without the lines, which the reference engine does not know."""
    parser = etree.XMLParser(remove_comments=True, remove_pis=True, huge_tree=True)
    outcome = rulebook.run(etree.fromstring(document.encode(), parser).getroottree())
    return Outcome(tuple(fired._replace(line=None) for fired in outcome.fired), outcome.aborts)


def _asked(reference: ReferenceRulebook, document: str, ours: Outcome) -> Outcome:
    """What the reference engine says; when that is another thing, what it says freshly compiled."""
    outcome = reference.run(document.encode())
    return outcome if outcome.fired == ours.fired else reference.run(document.encode(), fresh=True)


def _check(number: str, expression: str) -> Check:
    if expression[:1] in "?!" and expression[:1] == expression[-1:]:
        return Check(expression[1:-1], number, ("said",), report=expression[0] == "?")
    return Check("false()", number, ("[", Value(expression), "]"))


class _Comparison:
    """Of one sheet of expressions on some cases; `document` makes one of those that are asked."""

    def __init__(
        self, asking: Expressions, cases: Sequence[str], document: Callable[[Sequence[str], Asked], str]
    ) -> None:
        self._asking, self._cases, self._made = asking, cases, document
        self._said: list[str] = []

    def differences(self) -> list[str]:
        everything = [Pair(e, c) for e in range(len(self._asking.expressions)) for c in range(len(self._cases))]
        outcome = run(self._asking.ours, self._document(everything))
        failed = {_pair(abort.rule, abort.location): abort.reason for abort in outcome.aborts}
        self._compare([pair for pair in everything if pair not in failed], _HALVINGS)
        for pair, reason in failed.items():
            self._fails_too(pair, reason)
        return self._said

    def _compare(self, pairs: list[Pair], halvings: int) -> int:
        """Compare what ours could compute; where the reference engine cannot, find out what it is."""
        if not pairs:
            return halvings
        document = self._document(pairs)
        ours = run(self._asking.ours, document)
        reference = _asked(self._asking.reference, document, ours)
        if not reference.aborts:
            self._tell(ours, reference)
        elif len(pairs) == 1:
            self._note(pairs[0], "a value", f"fails: {reference.aborts[0].reason}")
        elif halvings <= 0:
            self._said.append(f"and more failures of the reference engine among {len(pairs)} pairs")
        else:
            size = 1 if len(pairs) <= _ONE_BY_ONE else len(pairs) // 2
            for start in range(0, len(pairs), size):
                halvings = self._compare(pairs[start : start + size], halvings - (size > 1))
        return halvings

    def _tell(self, ours: Outcome, reference: Outcome) -> None:
        expected = {(fired.rule, fired.location): fired for fired in reference.fired}
        for fired in ours.fired:
            wanted = expected.pop((fired.rule, fired.location), None)
            if fired != wanted:
                said = "not fired" if wanted is None else _shown(wanted.message)
                self._note(_pair(fired.rule, fired.location), _shown(fired.message), said)
        for wanted in expected.values():
            self._note(_pair(wanted.rule, wanted.location), "not fired", _shown(wanted.message))

    def _fails_too(self, pair: Pair, reason: str) -> None:
        document = self._made([self._cases[pair.case]], {0: [pair.expression]}).encode()
        if self._asking.reference.run(document).aborts:
            return
        reference = self._asking.reference.run(document, fresh=True)
        if not reference.aborts:
            said = _shown(reference.fired[0].message) if reference.fired else "not fired"
            self._note(pair, f"fails: {reason}", said)

    def _note(self, pair: Pair, ours: str, reference: str) -> None:
        expression, case = self._asking.expressions[pair.expression], self._cases[pair.case]
        self._said.append(f"{expression}  on  {case[:120]!r}:  ours {ours},  reference {reference}")

    def _document(self, pairs: Sequence[Pair]) -> str:
        asked: dict[int, list[int]] = {}
        for pair in pairs:
            asked.setdefault(pair.case, []).append(pair.expression)
        return self._made(self._cases, asked)


def _as_pieces(cases: Sequence[str], asked: Asked) -> str:
    """One document of all pieces, and each says what is asked of it; the others are empty, to keep their places."""
    pieces = "".join(
        f'<case asked="{_numbers(asked[number])}">{piece}</case>' if number in asked else "<case/>"
        for number, piece in enumerate(cases)
    )
    return f'<cases xmlns:n="urn:n" xmlns:m="urn:m">{pieces}</cases>'


def _as_document(cases: Sequence[str], asked: Asked) -> str:
    """The only document, whose root says what is asked."""
    return re.sub(r"^<[\w:.-]+", lambda root: f'{root[0]} asked="{_numbers(asked[0])}"', cases[0])


def _numbers(expressions: Iterable[int]) -> str:
    return "".join(f" {number} " for number in expressions)


def _pair(rule: str, location: str) -> Pair:
    piece = _PIECE.match(location)
    return Pair(int(rule), int(piece[1]) - 1 if piece else 0)


def _shown(message: str) -> str:
    return f"“{message[:200]}”"
