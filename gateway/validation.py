"""`gateway validate`: judge files without a ledger, and say it as one JSON object a document (DESIGN 4.2).

Every path gives at least one line, whatever it is. Files are opened in the same kind of worker as in service, with
the same ceilings; one that kills its worker is told as not judged. With the reference engine, which is for comparison,
files are opened in this process, one after the other; only the engine itself has a process and ceilings of its own.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from gateway.buyers.gather import Defaults, Gatherer
from gateway.buyers.snapshot import open_snapshot
from gateway.domain import intake
from gateway.domain.document import Document, Kind
from gateway.domain.finding import Finding
from gateway.domain.issuer import Issuer, Route
from gateway.domain.severities import decide, on_route
from gateway.domain.terms import key_terms
from gateway.domain.verdict import Decision, Judgement, Missing, PackVerdict, Verdict
from gateway.parsers.archive import DEFAULT_LIMITS
from gateway.parsers.open import open_file
from gateway.parsers.read import read_document
from gateway.parsers.reading import Payload
from gateway.rules.judge import judge
from gateway.rules.packs import PackRegistry, reference_engines
from gateway.rules.reference import process as reference
from gateway.rules.reference.process import ReferenceProcess
from gateway.steps.house import Died
from gateway.workers.pool import Ceilings, Pool

_LIMIT_BYTES: Final = 100_000_000
_JUDGEABLE: Final = frozenset({Kind.UBL_INVOICE, Kind.UBL_CREDITNOTE, Kind.CII, Kind.FACTURX})


class Engine(StrEnum):
    """What runs the official sheets."""

    NATIVE = "native"
    REFERENCE = "reference"  #: saxonche


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be judged, and how."""

    route: Route
    day: date
    packs: frozenset[str] | None = None
    partner: str = ""
    issuers: tuple[Issuer, ...] | None = None
    snapshot: Path | None = None
    engine: Engine = Engine.NATIVE
    pack_files: tuple[Path, ...] = ()  #: further packs.toml files


@dataclass(frozen=True, slots=True)
class Judged:
    """One line of the answer."""

    path: str
    member: str
    kind: Kind
    profile: str
    number: str
    route: Route
    decision: Decision
    packs: tuple[PackVerdict, ...]
    findings: tuple[Finding, ...]

    @property
    def lacks_facts_only(self) -> bool:
        """Nothing failed, but a pack had no facts to judge by."""
        return any(p.missing is Missing.FACTS for p in self.packs)

    @property
    def not_judged(self) -> bool:
        """A pack failed on it, met a ceiling, or is not available."""
        return any(p.verdict is Verdict.NOT_JUDGED and p.missing is not Missing.FACTS for p in self.packs)

    def as_json(self, language: str) -> dict[str, Any]:
        """The object of DESIGN 4.2."""
        return {
            "path": self.path + (f"!{self.member}" if self.member else ""),
            "document": self.number,
            "kind": str(self.kind),
            "profile": self.profile,
            "route": str(self.route),
            "decision": str(self.decision),
            "packs": [
                {
                    "name": p.name,
                    "version": p.version,
                    "sha256": p.sha256,
                    "verdict": str(p.verdict),
                    "ms": p.ms,
                    **({"reason": p.reason or str(p.missing)} if p.verdict is Verdict.NOT_JUDGED else {}),
                }
                for p in self.packs
            ],
            "findings": [
                {
                    "layer": str(f.layer),
                    "pack": f.pack,
                    "rule": f.rule,
                    "severity": str(f.severity),
                    "term": f.term,
                    "location": f.location,
                    "line": f.line,
                    "message": f.message.in_language(language),
                    "remedy": f.remedy.in_language(language),
                }
                for f in self.findings
            ],
        }


def files_of(paths: Sequence[Path]) -> Iterator[Path]:
    """The files named, and those below the folders named, in order; links are not followed into folders."""
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if not p.is_dir())
        else:
            yield path


def validate(paths: Sequence[Path], wish: Wish, processes: int, ceilings: Ceilings) -> Iterator[Judged]:
    """Judge files in worker processes; the lines come in the order of the paths."""
    if wish.engine is Engine.REFERENCE:
        yield from _by_reference(paths, wish, ceilings)
        return
    pool: Pool[tuple[int, Path], tuple[Judged, ...]] = Pool(processes, ceilings, worker, (wish,))
    try:
        waiting: dict[int, tuple[Judged, ...]] = {}
        following = 0
        for (index, path), result in pool.run(list(enumerate(paths))):
            waiting[index] = (_died(path, wish, result),) if isinstance(result, Died) else result
            while following in waiting:
                yield from waiting.pop(following)
                following += 1
    finally:
        pool.close()


def _by_reference(paths: Sequence[Path], wish: Wish, ceilings: Ceilings) -> Iterator[Judged]:
    """A worker of the pool may have no process of its own, and its memory ceiling would be the library's too."""
    with ReferenceProcess(reference.Ceilings(seconds=ceilings.seconds)) as process:
        work = _work(wish, PackRegistry.standard(wish.pack_files, engines=reference_engines(process)))
        for index, path in enumerate(paths):
            try:
                yield from work((index, path))
            except Exception as error:  # a worker would have told it in the same way
                yield _died(path, wish, Died(f"{type(error).__name__}: {error}"))


def worker(wish: Wish) -> Callable[[tuple[int, Path]], tuple[Judged, ...]]:
    """The function that judges one file in a worker process."""
    return _work(wish, PackRegistry.standard(wish.pack_files))


def _work(wish: Wish, packs: PackRegistry) -> Callable[[tuple[int, Path]], tuple[Judged, ...]]:
    issuers = None if wish.issuers is None else {issuer.siret: issuer for issuer in wish.issuers}
    snapshot = open_snapshot(wish.snapshot) if wish.snapshot else None
    gatherer = Gatherer(wish.day, snapshot, issuers, defaults=Defaults(route=wish.route, sandbox=True))

    def work(job: tuple[int, Path]) -> tuple[Judged, ...]:
        return tuple(_judge_file(job[1], wish, packs, gatherer))

    return work


def _judge_file(path: Path, wish: Wish, packs: PackRegistry, gatherer: Gatherer) -> Iterator[Judged]:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        yield _line(path, wish, "", Document(Kind.UNKNOWN), Judgement(findings=(intake.NOT_A_FILE.at(name=path.name),)))
        return
    if status.st_size > _LIMIT_BYTES:
        finding = intake.TOO_LARGE.at(name=path.name, size=status.st_size, limit=_LIMIT_BYTES)
        yield _line(path, wish, "", Document(Kind.UNKNOWN), Judgement(findings=(finding,)))
        return
    opened = open_file(path.name, path.read_bytes(), DEFAULT_LIMITS)
    if not opened.payloads or (opened.kind is Kind.ARCHIVE and opened.findings):
        yield _line(path, wish, "", Document(opened.kind), Judgement(findings=opened.findings))
    for payload in opened.payloads:
        yield _line(path, wish, payload.member, payload.document, _judge_payload(payload, wish, packs, gatherer))


def _judge_payload(payload: Payload, wish: Wish, packs: PackRegistry, gatherer: Gatherer) -> Judgement:
    if payload.document.kind not in _JUDGEABLE:
        return Judgement(findings=payload.findings)
    reading = read_document(payload.content)
    facts = gatherer.facts_for(key_terms(payload.document), wish.partner, wish.route)
    judged = judge(reading.document, reading.tree, facts, packs, wish.packs)
    return Judgement(judged.packs, (*payload.findings, *judged.findings))


def _line(path: Path, wish: Wish, member: str, document: Document, judgement: Judgement) -> Judged:
    findings = on_route(judgement.findings, wish.route)
    return Judged(
        path=str(path),
        member=member,
        kind=document.kind,
        profile=str(document.profile),
        number=document.number,
        route=wish.route,
        decision=decide(findings),
        packs=judgement.packs,
        findings=findings,
    )


def _died(path: Path, wish: Wish, died: Died) -> Judged:
    pack = PackVerdict("intake", "", "", Verdict.NOT_JUDGED, missing=Missing.CEILING, reason=died.reason)
    finding = intake.QUARANTINED.at(name=path.name, reason=died.reason)
    return _line(path, wish, "", Document(Kind.UNKNOWN), Judgement((pack,), (finding,)))
