"""One XML Schema pack: the schemas of one syntax or profile, compiled when the pack is loaded.

A Factur-X is judged by the CII inside it. Findings are bounded: a file with ten thousand faults of one kind helps
nobody with the ten thousandth, and its messages must not eat the memory ceiling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lxml import etree

from gateway.domain.document import Document, Kind
from gateway.domain.facts import Facts
from gateway.domain.finding import Definition, Finding, Layer, Severity, Text
from gateway.domain.verdict import Missing
from gateway.rules.pack import PackResult, Tree
from gateway.rules.schema.check import faults
from gateway.rules.schema.messages import fault_of
from gateway.rules.schema.place import readable_path
from gateway.rules.schema.terms import term_at
from gateway.rules.spec import PackSpec

#: Chorus Pro gives this one code for every schema fault (domain facts 1.5, OCA #414).
SYNTAX_RULE: Final = "ERR_XSD_001"
PROFILE_RULE: Final = "FACTURX-XSD"
FINDINGS_LIMIT: Final = 50

_MORE: Final = Text("… et {more} autres fautes de schéma.", "… and {more} more schema faults.")
_NO_TREE: Final = "there is no XML tree to check"


@dataclass(frozen=True, slots=True)
class SchemaPack:
    """The schemas that `spec` pins. Not thread-safe: lxml keeps the faults of a run in the schema itself."""

    spec: PackSpec
    schemas: dict[Kind, etree.XMLSchema] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        compiled: dict[str, etree.XMLSchema] = {}
        for kind, root in self.spec.roots.items():
            if root not in compiled:
                compiled[root] = _compiled(self.spec.folder / root)
            self.schemas[kind] = compiled[root]

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
        """Kinds that have a schema here."""
        return document.kind in self.schemas

    def run(self, document: Document, tree: Tree | None, facts: Facts) -> PackResult:
        """Valid, or up to 50 findings with line, path and term."""
        if tree is None:
            return PackResult.not_judged(Missing.ENGINE, _NO_TREE)
        found = faults(self.schemas[document.kind], tree)
        findings = [_finding(entry, self.spec, document.kind, tree) for entry in _shown(found)]
        hidden = len(found) - FINDINGS_LIMIT
        if hidden > 0:
            findings.append(Definition(_rule_of(self.spec), self.layer, Severity.INFO, _MORE).at(more=hidden))
        return PackResult.of(findings)


def _compiled(path: Path) -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True, load_dtd=False, resolve_entities=False)
    return etree.XMLSchema(etree.parse(str(path), parser))


def _shown(found: Sequence[etree._LogEntry]) -> list[etree._LogEntry]:
    """The first faults. libxml2 tells a bad value twice (the facet, then the type): once is enough."""
    shown: list[etree._LogEntry] = []
    for entry in found[:FINDINGS_LIMIT]:
        if not (shown and _repeats(shown[-1], entry)):
            shown.append(entry)
    return shown


def _repeats(former: etree._LogEntry, entry: etree._LogEntry) -> bool:
    same_place = (former.line, former.path) == (entry.line, entry.path)
    return same_place and "[facet" in former.message and "is not a valid value" in entry.message


def _finding(entry: etree._LogEntry, spec: PackSpec, kind: Kind, tree: Tree) -> Finding:
    fault = fault_of(entry.message)
    location = readable_path(tree, entry.path or "")
    definition = Definition(_rule_of(spec), spec.layer, Severity.FATAL, fault.message, fault.remedy)
    return definition.at(
        term=term_at(kind, location, fault.missing),
        location=location,
        line=entry.line or None,
        **fault.values,
    )


def _rule_of(spec: PackSpec) -> str:
    return SYNTAX_RULE if spec.layer is Layer.XSD else PROFILE_RULE
