"""What a rule of our own is: one function that decides, and beside it everything else there is to say of the rule.

From the decorator come the findings, `gateway rules show`, docs/rules.md and two tests. The function only decides:
it builds no text, chooses no severity, looks nothing up. Where the severity depends on what we know (an aged
directory, the sandbox), the decorator says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import ModuleType
from typing import Any, Final

from gateway.domain.document import Document
from gateway.domain.facts import Directory, Facts
from gateway.domain.finding import Definition, Finding, Layer, Severity, Text
from gateway.domain.issuer import Route
from gateway.domain.reasons import Reason

EVERY_ROUTE: Final = frozenset(Route)
LEGACY_ROUTES: Final = frozenset({Route.CHORUS_API, Route.CHORUS_EDI})


class Need(StrEnum):
    """What must be known for a rule to judge; where it is not, the pack says so instead of `valid`."""

    NOTHING = ""
    DIRECTORY = "directory"  #: a snapshot, of any age
    BUYER = "buyer"  #: a snapshot, and the buyer in it (its absence is another rule's finding)
    ISSUERS = "issuers"  #: the list of our issuers
    PARTNER = "partner"  #: that list, and who sends


@dataclass(frozen=True, slots=True)
class At:
    """A fault at one term; `values` fill the rule's texts, in which `{where}` is the term."""

    term: str
    values: Mapping[str, object]


Faults = Iterator[At]
Check = Callable[[Document, Facts], Faults]


def at(term: str, **values: object) -> At:
    """The fault that a rule yields."""
    return At(term, values)


@dataclass(frozen=True, slots=True)
class Sample:
    """A document and what is known beside it."""

    document: Document
    facts: Facts


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, whole."""

    id: str
    layer: Layer
    check: Check
    asks: str
    terms: tuple[str, ...]
    source: str
    severity: Severity
    message: Text
    remedy: Text
    fires: Sample
    passes: Sample
    foresees: Reason | None = None  #: the State's rejection reason that this prevents
    needs: Need = Need.NOTHING
    routes: frozenset[Route] = EVERY_ROUTE
    when_aged: Severity | None = None  #: instead, when the directory snapshot is older than a day
    in_sandbox: Severity | None = None  #: instead, on the qualification portal

    def run(self, document: Document, facts: Facts) -> Iterator[Finding]:
        """The findings on one document; whether the rule can judge at all is `known`'s business."""
        if facts.route not in self.routes or not self.known(facts):
            return
        definition = Definition(self.id, self.layer, self.severity_for(facts), self.message, self.remedy)
        for fault in self.check(document, facts):
            line = document.line_of(fault.term)
            yield definition.at(term=fault.term, line=line, where=fault.term, **dict[str, Any](fault.values))

    def known(self, facts: Facts) -> bool:
        """Is everything known that the rule asks about?"""
        match self.needs:
            case Need.NOTHING:
                return True
            case Need.DIRECTORY:
                return facts.directory is not Directory.MISSING
            case Need.BUYER:
                return facts.directory is not Directory.MISSING and facts.buyer is not None
            case Need.ISSUERS:
                return facts.issuers_known
            case Need.PARTNER:
                return facts.issuers_known and bool(facts.partner)

    def severity_for(self, facts: Facts) -> Severity:
        """The severity that counts with these facts. A stale directory accuses nobody: it can at most hold."""
        severity = self.severity
        if facts.sandbox and self.in_sandbox is not None:
            severity = self.in_sandbox
        if self.needs not in (Need.DIRECTORY, Need.BUYER):
            return severity
        if facts.directory is Directory.AGED and self.when_aged is not None:
            return self.when_aged
        if facts.directory is Directory.STALE and severity is Severity.FATAL:
            return Severity.HOLD
        return severity


def rule(
    rule_id: str,
    *,
    layer: Layer = Layer.CHORUS,
    asks: str,
    terms: tuple[str, ...],
    source: str,
    fr: str,
    en: str,
    remedy_fr: str,
    remedy_en: str,
    fires: Sample,
    passes: Sample,
    severity: Severity = Severity.FATAL,
    foresees: Reason | None = None,
    needs: Need = Need.NOTHING,
    routes: frozenset[Route] = EVERY_ROUTE,
    when_aged: Severity | None = None,
    in_sandbox: Severity | None = None,
) -> Callable[[Check], Rule]:
    """Turn a check into a `Rule`. Modules of rules are read with `rules_in`: there is no hidden list."""

    def whole(check: Check) -> Rule:
        return Rule(
            id=rule_id,
            layer=layer,
            check=check,
            asks=asks,
            terms=terms,
            source=source,
            severity=severity,
            message=Text(fr, en),
            remedy=Text(remedy_fr, remedy_en),
            fires=fires,
            passes=passes,
            foresees=foresees,
            needs=needs,
            routes=routes,
            when_aged=when_aged,
            in_sandbox=in_sandbox,
        )

    return whole


def rules_in(modules: Iterable[ModuleType]) -> tuple[Rule, ...]:
    """The rules of these modules, in the order in which they are written."""
    return tuple(each for module in modules for each in vars(module).values() if isinstance(each, Rule))
