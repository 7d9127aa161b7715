"""What every step is given: the ledger, the archive, the clock, the configuration in force, and who opens bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from gateway.buyers.freshness import day_in_paris
from gateway.clock import Clock
from gateway.config.settings import Settings
from gateway.domain.document import Kind, Profile
from gateway.domain.facts import Facts
from gateway.domain.finding import Finding
from gateway.domain.issuer import Route
from gateway.domain.partner import Partner
from gateway.domain.terms import KeyTerms
from gateway.domain.verdict import Judgement
from gateway.ledger.archive import Archive
from gateway.ledger.ledger import Ledger
from gateway.routes.protocol import RouteClient


@dataclass(frozen=True, slots=True)
class OpenJob:
    """An archived file to be opened."""

    id: str
    path: str  #: absolute
    file_name: str
    reference_term: str = ""  #: the partner's key is to be taken from this term


@dataclass(frozen=True, slots=True)
class Seed:
    """A document found in a file, before it has a row. Its payload is durable in the archive."""

    kind: Kind
    profile: Profile
    terms: KeyTerms
    payload_sha256: str
    payload_size: int
    payload_path: str  #: relative to the archive; "" for the original file itself
    content_sha256: str
    member: str = ""
    transformation: str = ""
    index_row: Mapping[str, str] | None = None
    reference: str = ""  #: the term configured as partner_reference
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """What a file held."""

    kind: Kind
    seeds: tuple[Seed, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class JudgeJob:
    """A payload to be judged in the light of facts."""

    id: str
    path: str  #: absolute
    facts: Facts


@dataclass(frozen=True, slots=True)
class Died:
    """A worker died or met a ceiling with this job in hand."""

    reason: str


class Examiner(Protocol):
    """Opens and judges hostile bytes somewhere safe. Results come in any order, one for each job."""

    def open(self, jobs: Sequence[OpenJob]) -> Iterator[tuple[OpenJob, OpenedFile | Died]]: ...

    def judge(self, jobs: Sequence[JudgeJob]) -> Iterator[tuple[JudgeJob, Judgement | Died]]: ...


class Buyers(Protocol):
    """Gathers what rules may know beside the document: its issuer, its buyer, the service it names, the day."""

    def facts_for(self, terms: KeyTerms, partner: str) -> Facts: ...

    def learn(self, documents: Sequence[tuple[KeyTerms, str]]) -> None:
        """Ask for buyers never heard of, before documents (terms, partner) are judged."""
        ...


class Roster(Protocol):
    """The configuration in force; it may change between two rounds of a step, never within one."""

    @property
    def settings(self) -> Settings: ...


@dataclass(frozen=True, slots=True)
class House:
    """All the parts that steps work with."""

    ledger: Ledger
    archive: Archive
    clock: Clock
    roster: Roster
    examiner: Examiner
    buyers: Buyers
    routes: Mapping[Route, RouteClient]

    @property
    def settings(self) -> Settings:
        return self.roster.settings

    def partner(self, name: str) -> Partner | None:
        """The partner as configured now; None when it was taken out of the configuration."""
        return self.settings.partners.get(name)

    def today(self) -> date:
        """The day of deposit, in Paris."""
        return day_in_paris(self.clock.now())

    def language(self, partner: str) -> str:
        """The language in which `partner` is told things."""
        known = self.partner(partner)
        return known.acks.dialect.language if known else self.settings.gateway.language


class Step(Protocol):
    """One of the nine. `run` does one bounded round and says how many rows it dealt with; 0: nothing to do."""

    name: str

    def run(self) -> int: ...
