"""A pack of our own rules. Its digest is that of its source, so that a verdict can be traced to the code it ran."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.domain.document import Document, Kind
from gateway.domain.facts import Directory, Facts
from gateway.domain.finding import Layer, Severity
from gateway.domain.verdict import Missing
from gateway.rules.pack import PackResult, Tree
from gateway.rules.rule import Need, Rule
from gateway.rules.spec import digest_of


def source_digest(module_file: str, *patterns: str) -> str:
    """The digest of source files in the folder of `module_file`."""
    return digest_of(Path(module_file).parent, patterns)


@dataclass(frozen=True, slots=True)
class RulePack:
    """Rules that run together under one name."""

    name: str
    layer: Layer
    version: str
    sha256: str
    rules: Sequence[Rule]

    def applies(self, document: Document, facts: Facts) -> bool:
        """Every invoice whose terms could be read at all; whatever hid them has its own finding."""
        return document.kind not in (Kind.ARCHIVE, Kind.UNKNOWN) and (document.kind is not Kind.PDF or _read(document))

    def run(self, document: Document, tree: Tree | None, facts: Facts) -> PackResult:
        """All rules. What is wrong for certain is invalid, though other facts be missing."""
        if not _read(document):
            return PackResult.not_judged(Missing.ENGINE, "no term of the invoice could be read")
        findings = tuple(finding for rule in self.rules for finding in rule.run(document, facts))
        unknown = self._unknown(facts)
        certain = any(finding.severity is Severity.FATAL for finding in findings)
        if certain or not unknown:
            return PackResult.of(findings)
        return PackResult.not_judged(Missing.FACTS, unknown, findings)

    def _unknown(self, facts: Facts) -> str:
        """Why some rules of this pack could not judge; "" when all could."""
        needs = {rule.needs for rule in self.rules if facts.route in rule.routes}
        asks_directory = bool(needs & {Need.DIRECTORY, Need.BUYER})
        if asks_directory and facts.directory is Directory.MISSING:
            return "no snapshot of the buyers' directory"
        if asks_directory and facts.directory is Directory.STALE:
            return f"the snapshot of the buyers' directory is {facts.directory_age_days or '?'} days old"
        if needs & {Need.ISSUERS, Need.PARTNER} and not facts.issuers_known:
            return "the issuers are not known here"
        if Need.PARTNER in needs and not facts.partner:
            return "the partner is not known here"
        return ""


def _read(document: Document) -> bool:
    """Could anything be read that an invoice is known by?"""
    return bool(document.number or document.issued or document.line_count or document.source_lines)
