"""The ready-made index row for a PDF that came alone: what a person copies, fills in and drops with the PDF.

Columns and their meaning are in `docs/index-file.md`; `index.py` reads them back.
"""

from __future__ import annotations

import csv
import io
from typing import Final

#: What may already be said of most invoices to the public sector.
_USUAL: Final = {"type_code": "380", "process": "A1", "currency": "EUR"}

#: Columns of an index file, in the order of the skeleton.
COLUMNS: Final = (
    "file_name",
    "attachments",
    "partner_reference",
    "number",
    "issue_date",
    "type_code",
    "process",
    "issuer_siret",
    "buyer_siret",
    "service_code",
    "ej",
    "contract",
    "net",
    "vat",
    "gross",
    "currency",
    "due_date",
    "iban",
    "comment",
)

#: Without these no invoice can be built around a PDF. Service and EJ depend on the buyer, so they are not here.
NEEDED_FOR_PDF: Final = (
    "number", "issue_date", "type_code", "issuer_siret", "buyer_siret", "net", "vat", "gross", "currency",
)  # fmt: skip


def header() -> str:
    """The first line of an index file."""
    return ";".join(COLUMNS)


def row(file_name: str) -> str:
    """The line to fill in for `file_name`."""
    line = io.StringIO()
    csv.writer(line, delimiter=";", lineterminator="").writerow(
        [file_name if column == "file_name" else _USUAL.get(column, "") for column in COLUMNS]
    )
    return line.getvalue()


def skeleton(file_name: str) -> str:
    """A whole index file with the line to fill in for `file_name`."""
    return f"{header()}\r\n{row(file_name)}\r\n"
