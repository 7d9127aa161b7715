"""One Schematron pack: the official sheets of an entry of packs.toml, run by whichever engine, told for people.

A rule that fired becomes a finding: its id, severity, text in both languages, remedy, term, place and line. What a
rule says each time is worked out when it first fires in a process, never again. A document whose root is not what the
sheet has rules for is not judged: no rule would match it, and silence would pass for consent.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from gateway.domain.document import Document, Kind
from gateway.domain.facts import Facts
from gateway.domain.finding import Definition, Finding, Layer, Severity, Text, printable
from gateway.domain.severities import CEILINGS
from gateway.domain.verdict import Missing
from gateway.rules.pack import PackResult, Tree
from gateway.rules.rulebook.catalogue import rules_of_pack
from gateway.rules.rulebook.outcome import Abort, Fired, Outcome, UncompilablePack
from gateway.rules.rulebook.place import readable_location
from gateway.rules.rulebook.texts.wording import Wording, published_id, reason_of, shown, wording_of
from gateway.rules.schema.terms import term_at
from gateway.rules.spec import PackSpec

#: A rule that fires on each of ten thousand lines is told on the first ones; every rule that fired is told.
RULE_LIMIT: Final = 10
FINDINGS_LIMIT: Final = 200
#: What is kept of what fired, to choose from: locations of deeply nested elements are long.
OUTCOME_LIMIT: Final = 2_000
#: An invoice of ten thousand lines takes two; the worker's own ceiling stands above all packs of a document.
SECONDS: Final = 8.0
ABORTS_LIMIT: Final = 20
_TEXT_LIMIT: Final = 1_200
#: Of a text that quotes the document, this much is looked at; the longest of the sheets' own has 1,300 characters.
_MESSAGE_LIMIT: Final = 4_000
_CII: Final = "{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}CrossIndustryInvoice"
#: The root that a document of a kind has.
ROOT_TAGS: Final = {
    Kind.UBL_INVOICE: "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice",
    Kind.UBL_CREDITNOTE: "{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote",
    Kind.CII: _CII,
    Kind.FACTURX: _CII,
}
#: Schematron leaves flags to the author; without one, a rule that is broken makes the document invalid.
SEVERITIES: Final = {
    "fatal": Severity.FATAL,
    "error": Severity.FATAL,
    "warning": Severity.WARNING,
    "information": Severity.INFO,
    "info": Severity.INFO,
}
MORE_RULE: Final = "PACK-MORE"
NOT_COMPUTED_RULE: Final = "PACK-RULE-NOT-COMPUTED"
_MORE: Final = Text(
    "… et {more} autres constats du jeu de règles {pack}.", "… and {more} more findings of the rule pack {pack}."
)
_NOT_COMPUTED: Final = Text(
    "La règle {rule} n'a pas pu être calculée sur cette facture : {reason_fr}.",
    "Rule {rule} could not be computed on this invoice: {reason_en}.",
)
_NOT_COMPUTED_REMEDY: Final = Text(
    "Vérifiez la valeur à cet endroit : le plus souvent un montant, une date ou un booléen mal écrit, ou un élément "
    "en double.",
    "Check the value at this place: most often an amount, a date or a boolean that is badly written, or an element "
    "that is there twice.",
)
_DROP_AGAIN: Final = Text(", puis redéposez la facture.", ", then drop the invoice again.")
_STOP: Final = Text(".", ".")
_CEILING: Final = re.compile(r"more than \S+ s\b|out of (?:memory|stack)")


class Rulebook(Protocol):
    """One sheet, ready to run: ours, or the reference engine's."""

    def run(self, tree: Tree, seconds: float, most: int) -> Outcome:
        """What fires on one document, in so many seconds, and told for so many at most."""
        ...


class RulebookPacks:
    """Makes packs from entries; a sheet that several entries name is compiled once."""

    def __init__(self, load: Callable[[Path], Rulebook]) -> None:
        self._load = load
        #: By sheet and digest: of one path, two entries may have pinned different contents.
        self._loaded: dict[tuple[Path, str], Rulebook] = {}

    def __call__(self, spec: PackSpec) -> RulebookPack:
        """The pack of one entry. Raises `UncompilablePack`."""
        for root in dict.fromkeys(spec.roots.values()):
            sheet = spec.folder / root
            _check_roots(sheet, [kind for kind, of_kind in spec.roots.items() if of_kind == root])
            if (sheet, spec.sha256) not in self._loaded:
                self._loaded[sheet, spec.sha256] = self._load(sheet)
        books = {kind: self._loaded[spec.folder / root, spec.sha256] for kind, root in spec.roots.items()}
        return RulebookPack(spec, books)


@dataclass(frozen=True, slots=True)
class RulebookPack:
    """The sheets that `spec` pins, by kind of document."""

    spec: PackSpec
    books: dict[Kind, Rulebook]
    wordings: dict[tuple[str, str], Wording] = field(init=False, default_factory=dict)

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def layer(self) -> Layer:
        return self.spec.layer

    @property
    def version(self) -> str:
        return self.spec.version

    @property
    def sha256(self) -> str:
        return self.spec.sha256

    def applies(self, document: Document, facts: Facts) -> bool:
        """Kinds that have a sheet here."""
        return document.kind in self.books

    def run(self, document: Document, tree: Tree | None, facts: Facts) -> PackResult:
        """What fired; `not_judged` where the root is another or a rule could not be computed."""
        if tree is None:
            return PackResult.not_judged(Missing.ENGINE, "there is no XML tree to check")
        root = tree.getroot().tag
        if root != ROOT_TAGS[document.kind]:
            return PackResult.not_judged(Missing.ENGINE, f"it has no rules for the root {printable(str(root), 120)}")
        try:
            outcome = self.books[document.kind].run(tree, SECONDS, OUTCOME_LIMIT)
        except RecursionError:
            return PackResult.not_judged(Missing.CEILING, "the document is nested too deeply")
        findings = tuple(self._findings(outcome, document.kind, tree, facts))
        if outcome.unfinished:
            return PackResult.not_judged(Missing.CEILING, outcome.unfinished, findings)
        if outcome.aborts:
            return self._aborted(outcome.aborts[0], findings)
        return PackResult.of(findings)

    def _aborted(self, first: Abort, findings: tuple[Finding, ...]) -> PackResult:
        """Not judged: what is missing from the findings says nothing. What did fire is kept."""
        if _met_a_ceiling(first):
            return PackResult.not_judged(Missing.CEILING, printable(first.reason), findings)
        reason = f"rule {first.rule or '?'} could not be computed: {printable(first.reason, 200)}"
        return PackResult.not_judged(Missing.ENGINE, reason, findings, explained=True)

    def _not_computed(self, abort: Abort, kind: Kind, tree: Tree) -> Finding:
        definition = Definition(NOT_COMPUTED_RULE, self.layer, Severity.HOLD, _NOT_COMPUTED, _NOT_COMPUTED_REMEDY)
        location = readable_location(tree, abort.location)
        why = reason_of(abort.reason)
        rule = abort.rule or "?"
        return definition.at(
            term=term_at(kind, location),
            location=location,
            line=abort.line,
            rule=rule,
            reason_fr=why.fr,
            reason_en=why.en,
        )

    def _findings(self, outcome: Outcome, kind: Kind, tree: Tree, facts: Facts) -> Iterator[Finding]:
        """The gravest first where not all can be told, in the order of the report; then what could not be computed."""
        fired = outcome.fired
        modes = [mode for mode in self.spec.gravest if mode.on(facts.today)]
        judged: list[tuple[str, Severity]] = []
        for each in fired:
            rule = published_id(self.name, each.rule, each.message[:_MESSAGE_LIMIT])
            severity = SEVERITIES.get(each.flag, Severity.FATAL)
            for mode in modes:
                if severity.rank < mode.severity.rank and mode.covers(rule):
                    severity = mode.severity
            judged.append((rule, severity))
        told = _chosen(judged)
        for index in told:
            yield self._finding(fired[index], *judged[index], kind, tree, facts)
        aborts = () if outcome.aborts and _met_a_ceiling(outcome.aborts[0]) else outcome.aborts
        for abort in aborts[:ABORTS_LIMIT]:
            yield self._not_computed(abort, kind, tree)
        rest = len(fired) - len(told) + max(0, len(aborts) - ABORTS_LIMIT) + outcome.omitted
        if rest:
            more = Definition(MORE_RULE, self.layer, Severity.INFO, _MORE)
            yield more.at(more=rest, pack=self.name)

    def _finding(self, fired: Fired, rule: str, severity: Severity, kind: Kind, tree: Tree, facts: Facts) -> Finding:
        wording = self._wording(fired, rule)
        official = printable(shown(fired.message[:_MESSAGE_LIMIT]), _TEXT_LIMIT)
        location = readable_location(tree, fired.location)
        blocks = severity is Severity.FATAL and self.layer not in CEILINGS[facts.route]
        end = _DROP_AGAIN if blocks else _STOP
        remedy = wording.remedy
        return Finding(
            layer=self.layer,
            rule=rule,
            severity=severity,
            message=Text(official, wording.other) if wording.official_is_french else Text(wording.other, official),
            remedy=Text(f"{remedy.fr}{end.fr}", f"{remedy.en}{end.en}"),
            term=wording.term or term_at(kind, location),
            location=location,
            line=fired.line,
        )

    def _wording(self, fired: Fired, rule: str) -> Wording:
        """By id where there is one; by text where there is none."""
        key = (fired.rule, "" if fired.rule else fired.message)
        if not self.wordings:
            self.wordings.update(self._from_the_sheet())
        known = self.wordings.get(key)
        if known is None:
            known = wording_of(rule, fired.message[:_MESSAGE_LIMIT])
            if fired.rule:
                self.wordings[key] = known
        return known

    def _from_the_sheet(self) -> Iterator[tuple[tuple[str, str], Wording]]:
        """Rules whose text quotes the document, and those without an id: they are told by the text of the sheet."""
        for rule in rules_of_pack(self.spec):
            if rule.quotes or not rule.sheet_rule:
                key = (rule.sheet_rule, "" if rule.sheet_rule else rule.message)
                yield key, wording_of(rule.rule, rule.message)


def _met_a_ceiling(abort: Abort) -> bool:
    """Is it the engine as a whole that stopped?"""
    return not abort.rule and not abort.location and _CEILING.match(abort.reason) is not None


def _chosen(judged: Iterable[tuple[str, Severity]]) -> list[int]:
    """Which findings are told: of each rule the first ones, the gravest rules before others."""
    seen: Counter[str] = Counter()
    ranked: list[tuple[int, bool, int]] = []
    for index, (rule, severity) in enumerate(judged):
        seen[rule] += 1
        if seen[rule] <= RULE_LIMIT:
            ranked.append((severity.rank, seen[rule] > 1, index))
    return sorted(index for _, _, index in sorted(ranked)[:FINDINGS_LIMIT])


def _check_roots(sheet: Path, kinds: Iterable[Kind]) -> None:
    """A sheet that never matches the root of a kind would find nothing wrong with any document of it."""
    text = sheet.read_text(encoding="utf-8")
    for kind in kinds:
        namespace, _, name = ROOT_TAGS.get(kind, "{}").removeprefix("{").partition("}")
        prefixes = {found[1] for found in re.finditer(rf'xmlns:([\w.-]+)\s*=\s*"{re.escape(namespace)}"', text)}
        matched = any(re.search(rf'match="[^"]*(?<![\w.:-]){prefix}:{name}(?![\w.-])', text) for prefix in prefixes)
        if not namespace or not matched:
            raise UncompilablePack(f"{sheet.name}: it has no rules for documents of kind {kind}")
