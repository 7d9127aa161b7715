"""Acknowledgements as CSV in the partner's dialect: the core rows, and the findings as a child file.

Two readers share these files: an ERP job that matches on keys, and a clerk who opens them in Excel, where a cell
that begins with = + - or @ is a formula, quoted or not. Such a cell gets one apostrophe in front; a plain signed
number (an amount, a phone number) is left alone, and a reader that needs the exact text takes one apostrophe off
where a cell matches `'+[=+@-]`. No other cell is changed.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

from gateway.acks.cells import money, shown
from gateway.domain.ack import CORE_COLUMNS, FINDING_COLUMNS, Ack
from gateway.domain.partner import Dialect

#: Full-width forms are formulas to some spreadsheets too; leading blanks do not protect.
_FORMULA: Final = re.compile("[\\s']*[=+\\-@＝＋－＠]")
_NUMBER: Final = re.compile(r"[+-][0-9][0-9 .,]*")


def core(acks: Iterable[Ack], dialect: Dialect) -> bytes:
    """The core rows under their header."""
    rows = ([getattr(ack.row, column) for column in CORE_COLUMNS] for ack in acks)
    return _file(CORE_COLUMNS, rows, dialect)


def findings(acks: Iterable[Ack], dialect: Dialect) -> bytes:
    """The findings of all rows, joined on `ack_id`."""
    rows = ([getattr(finding, column) for column in FINDING_COLUMNS] for ack in acks for finding in ack.findings)
    return _file(FINDING_COLUMNS, rows, dialect)


def _file(columns: Sequence[str], rows: Iterable[Sequence[object]], dialect: Dialect) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=dialect.separator, lineterminator=dialect.newline)
    writer.writerow(columns)
    writer.writerows(list(_cells(columns, row, dialect)) for row in rows)
    return out.getvalue().encode("utf-8-sig" if dialect.bom else "utf-8")


def _cells(columns: Sequence[str], row: Sequence[object], dialect: Dialect) -> Iterator[str]:
    for column, value in zip(columns, row, strict=True):
        if isinstance(value, Decimal):
            yield money(value).replace(".", dialect.decimal)
        else:
            yield _no_formula(shown(column, value) or "")


def _no_formula(cell: str) -> str:
    if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell):
        return "'" + cell
    return cell
