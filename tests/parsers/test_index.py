"""The index file as ERPs and spreadsheets write it, and as attackers do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.parsers.index import read_index
from gateway.parsers.skeleton import COLUMNS, NEEDED_FOR_PDF, skeleton

TABLE = "file_name;attachments;partner_reference\r\nFA-1.xml;a.pdf | é.pdf|a.pdf;SAP-é-1\r\n"


@pytest.mark.parametrize(
    "content",
    [
        TABLE.encode(),
        TABLE.encode("utf-8-sig"),
        TABLE.encode("cp1252"),
        TABLE.encode("utf-16"),
        TABLE.replace(";", ",").encode(),
        TABLE.replace(";", "\t").encode(),
        TABLE.replace("\r\n", "\n").encode(),
        TABLE.replace("file_name", ' "FILE_NAME" ').encode(),
        b"\r\n" + TABLE.encode() + b";;\r\n\r\n",
    ],
)
def test_each_way_in_which_programs_write_csv_reads_the_same(content: bytes) -> None:
    index = read_index(content)

    (row,) = index.rows.values()
    assert (row.file_name, row.attachments) == ("FA-1.xml", ("a.pdf", "é.pdf"))
    assert row.cells["partner_reference"] == "SAP-é-1"
    assert index.findings == ()


def test_the_skeleton_reads_back_with_the_usual_values_filled_in() -> None:
    (row,) = read_index(skeleton('Facture; "12".pdf').encode()).rows.values()

    assert row.file_name == 'Facture; "12".pdf'
    assert {key: row.cells[key] for key in ("type_code", "process", "currency")} == {
        "type_code": "380",
        "process": "A1",
        "currency": "EUR",
    }
    assert set(NEEDED_FOR_PDF) < set(COLUMNS)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"name;number\nFA-1.xml;1",
        b"file_name;file_name\na;b",
        b"file_name;" + b"x;" * 200,
        b"file_name\n" + b"a" * 200_000,
        b"file_name\n" + b"a\n" * 50_001,
        b"x" * 10_000_001,
    ],
    ids=["empty", "blank", "no file_name", "column twice", "columns", "cell", "rows", "size"],
)
def test_an_index_that_cannot_be_trusted_is_unreadable_and_says_why(content: bytes) -> None:
    index = read_index(content)

    assert not index.readable
    assert [finding.rule for finding in index.findings] == ["INTAKE-INDEX-UNREADABLE"]


def test_rows_that_cannot_be_used_are_told_with_their_line() -> None:
    index = read_index(b"file_name;number;colour\nFA-1.xml;1;red\n;2;\nFA-3.xml;3;;4\n")

    assert list(index.rows) == ["fa-1.xml"]
    assert [(f.rule, f.line) for f in index.findings] == [
        ("INTAKE-INDEX-COLUMN", 1),
        ("INTAKE-INDEX-ROW", 3),
        ("INTAKE-INDEX-ROW", 4),
    ]


def test_two_different_rows_for_one_file_are_told_and_two_equal_ones_are_not() -> None:
    index = read_index(b"file_name;number\na.pdf;1\nA.PDF;2\nb.pdf;3\nb.pdf;3\n")

    assert index.twice == {"a.pdf"}


def test_cells_keep_no_control_characters() -> None:
    (row,) = read_index('file_name;comment\na.pdf;"x\ny\u202e\0"\n'.encode()).rows.values()

    assert row.cells["comment"] == "x y��"


@given(st.binary(max_size=300))
def test_no_bytes_make_it_raise(content: bytes) -> None:
    read_index(content)
    read_index(b"file_name;number\n" + content)
