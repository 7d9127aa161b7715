"""The index file of an archive: `index.csv` at its root, one row for each invoice, in the partner's own hand.

It says which files belong to an invoice, carries the partner's own reference, and the data of a PDF. It comes out
of ERPs and spreadsheets, so UTF-8 with or without BOM and Windows-1252, `;`, `,` or tab are all read; what is read
is bounded, and a row that cannot be used is told, never guessed. Columns: `skeleton.COLUMNS`, `docs/index-file.md`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.domain.finding import Finding, printable
from gateway.parsers import archive_findings as told
from gateway.parsers.skeleton import COLUMNS

INDEX_NAME: Final = "index.csv"
_LIMIT_BYTES: Final = 10_000_000
_ROWS_LIMIT: Final = 50_000
_COLUMNS_LIMIT: Final = 100
_CELL_LIMIT: Final = 2_000
_ATTACHMENTS_LIMIT: Final = 100


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One row: its cells by column, empty ones left out. `line` counts from 1, the header included."""

    line: int
    cells: Mapping[str, str]

    @property
    def file_name(self) -> str:
        return self.cells["file_name"]

    @property
    def attachments(self) -> tuple[str, ...]:
        """Names listed in `attachments`, separated by `|`."""
        names = (name.strip() for name in self.cells.get("attachments", "").split("|"))
        return tuple(dict.fromkeys(name for name in names if name))[:_ATTACHMENTS_LIMIT]


@dataclass(frozen=True, slots=True)
class Index:
    """The rows by file name in small letters. `twice`: such names with several rows that differ."""

    rows: Mapping[str, IndexRow] = field(default_factory=dict)
    twice: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] = ()
    readable: bool = True


class _Unreadable(Exception):
    def __init__(self, fr: str, en: str) -> None:
        super().__init__(en)
        self.fr, self.en = fr, en


def read_index(content: bytes) -> Index:
    """The index in `content`. Never raises for what stands in it."""
    try:
        return _read(content)
    except _Unreadable as error:
        finding = told.INDEX_UNREADABLE.at(fault_fr=error.fr, fault_en=error.en, location=INDEX_NAME)
        return Index(findings=(finding,), readable=False)


def _read(content: bytes) -> Index:
    if len(content) > _LIMIT_BYTES:
        raise _Unreadable("il dépasse 10 Mo", "it exceeds 10 MB")
    text = _text(content)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), skipinitialspace=True)
    columns = _header(lines)
    findings = [
        told.INDEX_COLUMN.at(name=name, known=", ".join(COLUMNS), location=INDEX_NAME, line=1)
        for name in columns
        if name and name not in COLUMNS
    ]
    rows: dict[str, IndexRow] = {}
    twice: set[str] = set()
    for row in _rows(lines, columns, findings):
        key = row.file_name.casefold()
        first = rows.setdefault(key, row)
        if first is not row and first.cells != row.cells:
            twice.add(key)
    return Index(rows, frozenset(twice), tuple(findings))


def _text(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        # "Unicode text" saved by Excel.
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _delimiter(text: str) -> str:
    header = text[:10_000].lstrip("\r\n").split("\n", 1)[0]
    return max(";,\t", key=header.count)


def _header(lines: Iterator[list[str]]) -> list[str]:
    try:
        header = next((line for line in lines if any(cell.strip() for cell in line)), [])
    except csv.Error as error:
        raise _Unreadable("l'en-tête n'est pas du CSV", "its header is no CSV") from error
    columns = [printable(cell.strip(), 100).lower() for cell in header]
    if len(columns) > _COLUMNS_LIMIT:
        raise _Unreadable("il a plus de 100 colonnes", "it has more than 100 columns")
    if "file_name" not in columns:
        raise _Unreadable("la colonne file_name manque dans l'en-tête", "its header lacks the column file_name")
    if len(set(columns) - {""}) < len([name for name in columns if name]):
        raise _Unreadable("une colonne figure deux fois dans l'en-tête", "its header names a column twice")
    return columns


def _rows(lines: Iterator[list[str]], columns: list[str], findings: list[Finding]) -> Iterator[IndexRow]:
    # `line_num` is the reader's own: a quoted cell may span lines, and people look at lines.
    for number in range(_ROWS_LIMIT + 1):
        try:
            cells = next(lines, None)
        except csv.Error as error:
            raise _Unreadable("une cellule est démesurée", "a cell is beyond measure") from error
        if cells is None:
            return
        if number == _ROWS_LIMIT:
            break
        if not any(cell.strip() for cell in cells):
            continue
        row = _row(cells, columns, getattr(lines, "line_num", 0), findings)
        if row is not None:
            yield row
    raise _Unreadable("il a plus de 50 000 lignes", "it has more than 50,000 rows")


def _row(cells: list[str], columns: list[str], line: int, findings: list[Finding]) -> IndexRow | None:
    by_column = {
        name: printable(cell.strip(), _CELL_LIMIT)
        for name, cell in zip(columns, cells, strict=False)
        if name in COLUMNS and cell.strip()
    }
    fault: tuple[str, str] | None = None
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        fault = ("elle a plus de cellules que l'en-tête", "it has more cells than the header")
    elif "file_name" not in by_column:
        fault = ("file_name est vide", "file_name is empty")
    if fault is None:
        by_column["file_name"] = _path(by_column["file_name"])
        return IndexRow(line, by_column)
    if len(findings) < told.MOST_TOLD:
        findings.append(
            told.INDEX_ROW.at(at_line=line, fault_fr=fault[0], fault_en=fault[1], location=INDEX_NAME, line=line)
        )
    return None


def _path(name: str) -> str:
    """As names in archives are written here."""
    return name.replace("\\", "/").removeprefix("./")
