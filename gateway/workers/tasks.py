"""What a worker does with one job: open a file into seeds, or judge a payload. Runs inside the pool's processes.

Here the floors of parsers and rules meet. Payloads taken out of an archive are made durable by the worker itself,
so that only terms and findings travel back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from gateway.domain.document import Kind
from gateway.domain.finding import Definition, Finding, Layer, Severity, Text
from gateway.domain.terms import key_terms, term_value
from gateway.domain.verdict import Judgement
from gateway.ledger.archive import Archive
from gateway.parsers.archive import ArchiveLimits
from gateway.parsers.open import open_file
from gateway.parsers.read import read_document
from gateway.parsers.reading import Payload
from gateway.routes.embed import NAME, NotEmbeddable, embed
from gateway.rules.judge import judge
from gateway.rules.packs import PackRegistry
from gateway.steps.house import Died, JudgeJob, OpenedFile, OpenJob, Seed

NOT_CARRIED = Definition(
    "INTAKE-ATTACHMENTS-NOT-CARRIED",
    Layer.INTAKE,
    Severity.HOLD,
    Text(
        "Les pièces jointes déposées à côté de la facture ({names}) ne peuvent pas partir avec elle : {reason_fr}.",
        "The attachments dropped beside the invoice ({names}) cannot go with it: {reason_en}.",
    ),
    Text(
        "Mettez les pièces dans la facture elle-même (BG-24), puis redéposez-la sous le même numéro.",
        "Put the attachments into the invoice itself (BG-24), then drop it again under the same number.",
    ),
)


def worker(
    archive_root: Path, limits: ArchiveLimits, pack_files: tuple[Path, ...] = ()
) -> Callable[[OpenJob | JudgeJob], OpenedFile | Judgement | Died]:
    """The function that serves jobs; schemas and packs are loaded once."""
    archive = Archive(archive_root)
    packs = PackRegistry.standard(pack_files)

    def work(job: OpenJob | JudgeJob) -> OpenedFile | Judgement | Died:
        if isinstance(job, OpenJob):
            return open_job(job, archive, limits)
        return judge_job(job, packs)

    return work


def open_job(job: OpenJob, archive: Archive, limits: ArchiveLimits) -> OpenedFile:
    """Open one archived file; its payloads are durable when this returns."""
    content = Path(job.path).read_bytes()
    opened = open_file(job.file_name, content, limits)
    seeds = tuple(_seed(payload, job, content, archive) for payload in opened.payloads)
    return OpenedFile(opened.kind, seeds, opened.findings)


def judge_job(job: JudgeJob, packs: PackRegistry) -> Judgement:
    """Judge one payload."""
    reading = read_document(Path(job.path).read_bytes())
    return judge(reading.document, reading.tree, job.facts, packs)


def _seed(payload: Payload, job: OpenJob, original: bytes, archive: Archive) -> Seed:
    content, transformation, findings = _carried(payload)
    if content is original or content == original:
        path, digest = "", hashlib.sha256(content).hexdigest()
    else:
        kept = archive.put_payload(content)
        path, digest = kept.path, kept.sha256
    document = payload.document
    return Seed(
        kind=document.kind,
        profile=document.profile,
        terms=key_terms(document),
        payload_sha256=digest,
        payload_size=len(content),
        payload_path=path,
        content_sha256=_identity(digest, payload.index_row),
        member=payload.member,
        transformation=transformation,
        index_row=dict(payload.index_row),
        reference=term_value(document, job.reference_term) if job.reference_term else "",
        findings=(*payload.findings, *findings),
    )


def _carried(payload: Payload) -> tuple[bytes, str, tuple[Finding, ...]]:
    """The bytes to deposit: as received, or with the attachments that stood beside them put inside."""
    if not payload.attachments or payload.document.kind in (Kind.PDF, Kind.UNKNOWN):
        return payload.content, "", ()
    try:
        return embed(payload.document.kind, payload.content, payload.attachments), NAME, ()
    except NotEmbeddable as reason:
        names = ", ".join(a.name for a in payload.attachments)
        text = getattr(reason, "text", None) or Text(str(reason), str(reason))
        return payload.content, "", (NOT_CARRIED.at(names=names, reason_fr=text.fr, reason_en=text.en),)


def _identity(digest: str, index_row: Mapping[str, str]) -> str:
    """Payload and sidecar row together (DESIGN 4.3)."""
    if not index_row:
        return digest
    row = json.dumps(dict(index_row), sort_keys=True, ensure_ascii=False).encode()
    return hashlib.sha256(digest.encode() + row).hexdigest()
