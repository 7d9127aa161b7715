"""What every rule pack is, whatever engine it runs on: something small with a name, a hash and a `run`.

XSD, our own rules, and later the compiled Schematron stand behind `Pack`; `judge.py` knows nothing else of them.
A pack that cannot be trusted on the day (absent, altered, out of its dates) is an `UnavailablePack`: it runs, and
says so, so that its silence is never taken for consent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from lxml import etree

from gateway.domain.document import Document
from gateway.domain.facts import Facts
from gateway.domain.finding import Finding, Layer, Severity
from gateway.domain.verdict import Missing, Verdict

Tree = etree._ElementTree


@dataclass(frozen=True, slots=True)
class PackResult:
    """What one pack says of one document. `missing` and `reason` tell why it did not judge."""

    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    missing: Missing = Missing.NOTHING
    reason: str = ""
    explained: bool = False  #: the findings themselves say why it did not judge, and what to do

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> PackResult:
        """Invalid when any finding would refuse or hold the document."""
        found = tuple(findings)
        objects = any(f.severity in (Severity.FATAL, Severity.HOLD) for f in found)
        return cls(Verdict.INVALID if objects else Verdict.VALID, found)

    @classmethod
    def not_judged(
        cls, missing: Missing, reason: str, findings: tuple[Finding, ...] = (), *, explained: bool = False
    ) -> PackResult:
        """The pack did not judge; what it saw on the way is kept."""
        return cls(Verdict.NOT_JUDGED, findings, missing, reason, explained)


class Pack(Protocol):
    """One set of rules of one version. `sha256` is the digest of what was really loaded."""

    @property
    def name(self) -> str: ...

    @property
    def layer(self) -> Layer: ...

    @property
    def version(self) -> str: ...

    @property
    def sha256(self) -> str: ...

    def applies(self, document: Document, facts: Facts) -> bool:
        """Does this pack concern the document at all?"""
        ...

    def run(self, document: Document, tree: Tree | None, facts: Facts) -> PackResult:
        """Judge. Whatever it raises is told as `not_judged`, never as valid."""
        ...


@dataclass(frozen=True, slots=True)
class UnavailablePack:
    """Stands where a pack should have run. `sha256` is what was found, which may not be what was pinned."""

    name: str
    layer: Layer
    version: str
    sha256: str
    reason: str

    def applies(self, document: Document, facts: Facts) -> bool:
        """Always: it is only made for documents that the real pack covers."""
        return True

    def run(self, document: Document, tree: Tree | None, facts: Facts) -> PackResult:
        """Not judged, and why."""
        return PackResult.not_judged(Missing.UNAVAILABLE, self.reason)
