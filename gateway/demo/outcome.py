"""What really became of each file, read from the ledger, and whether it is what was foreseen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.demo.drops import DemoFile, End, Ending
from gateway.demo.scene import Scene
from gateway.domain.finding import Finding
from gateway.domain.states import DocumentState, InterchangeState
from gateway.ledger import statements as sql
from gateway.ledger.ledger import Ledger
from gateway.ledger.rows import DocumentRow, InterchangeRow
from gateway.ledger.unit import Unit
from gateway.transports.local import unescape_name

_D = DocumentState
_ENDS: Final = {
    _D.PAID: End.PAID,
    _D.FINAL: End.FINAL,
    _D.LIVE: End.WITH_BUYER,
    _D.REJECTED: End.REJECTED,
    _D.BOUNCED: End.BOUNCED,
    _D.HELD: End.HELD,
    _D.REFUSED: End.REFUSED,
}
_TO_AMEND: Final = {"A_RECYCLER": End.TO_RECYCLE, "SUSPENDUE": End.SUSPENDED}
_DUPLICATE_RULE: Final = "HISTORY-DUPLICATE"
_BOUNCED_RULE: Final = "CHORUS-BOUNCED"
_SYNTAX_RULES: Final = frozenset({"ERR_XSD_001", "IRR_SYNTAX"})
_MANY: Final = 10_000


@dataclass(frozen=True, slots=True)
class Result:
    """A file with what became of it. `told`: what helps people beside the why."""

    file: DemoFile
    shown_name: str
    endings: tuple[Ending, ...]
    told: tuple[str, ...]
    interchange_id: str = ""

    @property
    def as_foreseen(self) -> bool:
        return self.endings == self.file.endings


def results(ledger: Ledger, scene: Scene, files: Sequence[DemoFile]) -> list[Result]:
    """One result for each file, in their order."""
    with ledger.reading() as unit:
        received = _received(unit, {file.partner for file in files})
        return [_result(unit, scene, file, received[file.partner, file.name]) for file in files]


def _received(unit: Unit, partners: Iterable[str]) -> dict[tuple[str, str], list[InterchangeRow]]:
    """The files received under each name, the last first, so that each drop of a name can take its own."""
    rows = [
        row for partner in partners for state in InterchangeState for row in unit.interchanges(state, partner, _MANY)
    ]
    by_name: dict[tuple[str, str], list[InterchangeRow]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.id, reverse=True):
        by_name[row.partner, unescape_name(row.raw_name).decode()].append(row)
    return by_name


def _result(unit: Unit, scene: Scene, file: DemoFile, received: list[InterchangeRow]) -> Result:
    if not received:
        untouched = _lies_there(scene.inbox(file.partner) / file.name, file.content)
        return Result(file, file.name, (Ending(End.UNTOUCHED if untouched else End.UNFINISHED),), ("",))
    row = received.pop()
    if row.state is InterchangeState.DUPLICATE:
        return Result(file, row.file_name, (Ending(End.DUPLICATE),), ("",), row.id)
    documents = sorted(unit.documents_of_interchange(row.id), key=lambda d: d.position)
    if not documents:
        worst = _worst(row.findings)
        end = End.REFUSED if row.state is InterchangeState.REFUSED else End.UNFINISHED
        return Result(file, row.file_name, (Ending(end, worst.rule if worst else ""),), (_said(worst),), row.id)
    pairs = [_ending(unit, document) for document in documents]
    return Result(file, row.file_name, tuple(e for e, _ in pairs), tuple(t for _, t in pairs), row.id)


def _ending(unit: Unit, document: DocumentRow) -> tuple[Ending, str]:
    worst = _worst(document.findings)
    end = _ENDS.get(document.state, End.UNFINISHED)
    if document.state is _D.TO_AMEND:
        end = _TO_AMEND.get(document.native_status, End.UNFINISHED)
    match end:
        case End.REFUSED if worst is not None and worst.rule == _DUPLICATE_RULE:
            return Ending(End.DUPLICATE), ""
        case End.REFUSED | End.HELD | End.BOUNCED:
            return Ending(end, worst.rule if worst else ""), _said(worst)
        case End.REJECTED | End.TO_RECYCLE | End.SUSPENDED:
            statuses = unit.connection.execute(sql.STATUSES_OF_DOCUMENT, {"id_": document.id}).all()
            return Ending(end, statuses[-1].reason if statuses else ""), statuses[-1].comment if statuses else ""
        case End.WITH_BUYER:
            return Ending(end, document.native_status), ""
        case End.UNFINISHED:
            return Ending(end, str(document.state)), ""
    return Ending(end), ""


def _worst(findings: Sequence[Finding]) -> Finding | None:
    return min(findings, key=lambda finding: finding.severity.rank, default=None)


def _said(finding: Finding | None) -> str:
    """What helps beside the rule: Chorus Pro's own words, or the line where the syntax broke."""
    if finding is None:
        return ""
    if finding.rule == _BOUNCED_RULE:
        return finding.message.fr.partition(" : ")[2]
    return f"line {finding.line}" if finding.line and finding.rule in _SYNTAX_RULES else ""


def _lies_there(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content
