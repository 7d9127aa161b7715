"""Unit cases: fragments of documents, each with the rules that its publisher says must fire on it, or must not.

CEN and Peppol publish them in test sets, files of many fragments. The corpus has both: its manifest has each fragment
once, with what all sets say of it; the sets say besides which rules are in scope, and how often one must fire. Where a
set gives no number it means once: so counts the publishers' own tool (vefa-validator).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from lxml import etree

from gateway.domain.finding import Severity
from gateway.rules.rulebook.catalogue import rules_of
from gateway.rules.rulebook.outcome import Outcome
from gateway.rules.rulebook.pack import SEVERITIES
from gateway.rules.rulebook.texts.wording import published_id
from tests.rules.rulebook.big import SHEETS, Syntax

#: What judges by the norm. The library ships no CII sheet of CEN's; Factur-X's of that profile has its rules.
NORM: Final = {Syntax.UBL: "en16931-ubl", Syntax.CII: "facturx-en16931"}
LEVELS: Final = {"fatal": Severity.FATAL, "error": Severity.FATAL, "warning": Severity.WARNING}
_VEFA: Final = "{http://difi.no/xsd/vefa/validator/1.0}"
_CII_ROOT: Final = "{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}CrossIndustryInvoice"


@dataclass(frozen=True, slots=True)
class Expected:
    """A rule that must fire."""

    level: str
    times: int | None  #: None: at least once


@dataclass(frozen=True, slots=True)
class UnitCase:
    """A fragment, and what its source says of it; about other rules it says nothing."""

    name: str
    source: str
    xml: bytes
    fires: Mapping[str, Expected]
    silent: frozenset[str]

    @property
    def rules(self) -> frozenset[str]:
        """All that something is said of, by their published ids."""
        return self.silent | self.fires.keys()

    @property
    def fragment(self) -> tuple[str, bytes]:
        """The same for a fragment wherever it stands."""
        return self.source, etree.tostring(etree.fromstring(self.xml), method="c14n", exclusive=True)

    @property
    def norm(self) -> str:
        """The pack of the norm for its syntax."""
        return NORM[self._syntax]

    @property
    def pack(self) -> str:
        """The pack that has all its rules, the norm's before others; "" when there is none."""
        return next((pack for pack in (self.norm, *self._syntax.sheets) if self.rules <= rules_in(pack)), "")

    @property
    def _syntax(self) -> Syntax:
        return Syntax.CII if etree.fromstring(self.xml).tag == _CII_ROOT else Syntax.UBL


@cache
def rules_in(pack: str) -> frozenset[str]:
    """The published ids of a pack."""
    return frozenset(rule.rule for rule in rules_of(SHEETS[pack], pack))


def cases_of_manifest(corpus: Path) -> Iterator[UnitCase]:
    """As the manifest has them."""
    for row in _rows(corpus, "unit-case"):
        levels, times = row.get("expected_levels", {}), row.get("expected_counts", {})
        yield UnitCase(
            row["path"],
            row["source"],
            (corpus / row["path"]).read_bytes(),
            {rule: Expected(levels.get(rule, "error"), times.get(rule)) for rule in row["expected_rules"]},
            frozenset(row.get("expected_not_rules", ())),
        )


def cases_of_test_sets(corpus: Path) -> Iterator[UnitCase]:
    """As the publishers have them: a rule in scope that is not said to fire must not."""
    for row in _rows(corpus, "unit-testset"):
        root = etree.parse(corpus / row["path"]).getroot()
        for number, test in enumerate(root.findall(f"{_VEFA}test"), 1):
            said = [*root.findall(f"{_VEFA}assert/*"), *test.findall(f"{_VEFA}assert/*")]
            (fragment,) = (each for each in test.iterchildren(etree.Element) if not each.tag.startswith(_VEFA))
            fires = {
                _text(each): Expected(level, int(each.get("number", "1")))
                for level in LEVELS
                for each in said
                if each.tag == f"{_VEFA}{level}"
            }
            named = {_text(each) for each in said if each.tag in (f"{_VEFA}scope", f"{_VEFA}success")}
            xml = etree.tostring(fragment, with_tail=False)
            yield UnitCase(f"{row['path']} test {number}", row["source"], xml, fires, frozenset(named - fires.keys()))


def differences(case: UnitCase, pack: str, outcome: Outcome) -> list[str]:
    """In words, where what fired is not what the source says; none when it is."""
    found: defaultdict[str, list[Severity]] = defaultdict(list)
    for fired in outcome.fired:
        found[published_id(pack, fired.rule, fired.message)].append(SEVERITIES.get(fired.flag, Severity.FATAL))
    said = [f"{abort.rule} was not computed: {abort.reason}" for abort in outcome.aborts]
    for rule in sorted(case.rules):
        expected, times = case.fires.get(rule), len(found[rule])
        if expected is None:
            said += [f"{rule} fired {times} ×, and must not"] if times else []
        elif times != (expected.times or max(times, 1)):
            said.append(f"{rule} fired {times} ×, and must {expected.times or 'once or more'}")
        elif set(found[rule]) != {LEVELS[expected.level]}:
            said.append(f"{rule} is {', '.join(sorted(set(found[rule])))}, and must be {expected.level}")
    return said


def all_said(cases: Iterable[UnitCase]) -> dict[tuple[str, bytes], tuple[frozenset[tuple[str, str]], frozenset[str]]]:
    """By fragment, what all cases with it say: the rules that fire with their levels, and those that do not."""
    said: dict[tuple[str, bytes], tuple[frozenset[tuple[str, str]], frozenset[str]]] = {}
    for case in cases:
        fires, silent = said.get(case.fragment, (frozenset(), frozenset()))
        levels = {(rule, expected.level) for rule, expected in case.fires.items()}
        said[case.fragment] = fires | levels, silent | case.silent
    return said


def _rows(corpus: Path, subkind: str) -> Iterator[dict[str, Any]]:
    for line in (corpus / "manifest.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        if row.get("subkind") == subkind:
            yield row


def _text(element: etree._Element) -> str:
    return (element.text or "").strip()
