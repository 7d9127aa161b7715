"""One dropped file to what it holds: every kind, nothing raised, the same each time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.document import Kind
from gateway.domain.finding import Severity
from gateway.parsers import open as opening
from gateway.parsers.open import open_file
from tests.evil import cii, pdf, tgz, ubl, ubl_credit_note, zipped


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (ubl("N-1"), Kind.UBL_INVOICE),
        (ubl_credit_note("N-1"), Kind.UBL_CREDITNOTE),
        (cii("N-1"), Kind.CII),
        (pdf([("factur-x.xml", cii("N-1"))]), Kind.FACTURX),
    ],
)
def test_a_single_invoice_is_one_payload_with_the_bytes_received(content: bytes, kind: Kind) -> None:
    found = open_file("whatever.bin", content)

    (payload,) = found.payloads
    assert (found.kind, payload.document.kind, payload.document.number) == (kind, kind, "N-1")
    assert (payload.content, payload.member, payload.findings, found.findings) == (content, "", (), ())


def test_an_archive_gives_its_invoices_in_the_order_of_their_names() -> None:
    files = [("b.xml", ubl("B")), ("a/c.xml", cii("C")), ("F.pdf", pdf([("factur-x.xml", cii("F"))]))]

    found = open_file("lot", zipped(files))

    assert (found.kind, [p.member for p in found.payloads]) == (Kind.ARCHIVE, ["F.pdf", "a/c.xml", "b.xml"])
    assert [p.member for p in open_file("lot", tgz(reversed(files))).payloads] == ["F.pdf", "a/c.xml", "b.xml"]


@pytest.mark.parametrize(
    ("content", "rule", "says"),
    [
        (b"", "IRR_VIDE_F", "vide"),
        (b" \r\n", "IRR_VIDE_F", "vide"),
        (b"\x89PNG\r\n", "IRR_TYPE_F", "PNG"),
        (b"7z\xbc\xaf\x27\x1c", "IRR_TYPE_F", "7z"),
        (b"UNB+UNOC:3+", "IRR_TYPE_F", "EDIFACT"),
        (b"<html><body/></html>", "IRR_TYPE_F", "HTML"),
        (zipped([("[Content_Types].xml", b"<x/>"), ("word/document.xml", b"<x/>")]), "IRR_TYPE_F", "Office"),
        (zipped([("mimetype", b"application/vnd.oasis.opendocument.text")]), "IRR_TYPE_F", "LibreOffice"),
        (zipped([]), "INTAKE-ARCHIVE-NO-INVOICE", "aucune facture"),
        (b"PK\x03\x04 and no more", "INTAKE-ARCHIVE-DAMAGED", "endommagée"),
        (b"\x1f\x8b and no more", "INTAKE-ARCHIVE-DAMAGED", "endommagée"),
    ],
)
def test_what_is_no_invoice_is_refused_by_name(content: bytes, rule: str, says: str) -> None:
    found = open_file("x", content)

    assert found.payloads == ()
    assert (found.findings[0].rule, found.findings[0].severity) == (rule, Severity.FATAL)
    assert says in found.findings[0].message.fr
    assert found.findings[0].remedy.fr and found.findings[0].remedy.en


@pytest.mark.parametrize(
    ("error", "rule"),
    [(MemoryError(), "INTAKE-CEILING"), (RecursionError(), "INTAKE-CEILING"), (KeyError("x"), "INTAKE-READER-FAILED")],
)
def test_a_failure_of_our_own_is_a_finding(monkeypatch: pytest.MonkeyPatch, error: Exception, rule: str) -> None:
    def fail(_: bytes) -> None:
        raise error

    monkeypatch.setattr(opening, "read_document", fail)

    assert [f.rule for f in open_file("x.xml", ubl()).findings] == [rule]


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"%PDF-1.7\n", b"PK\x03\x04", b"\x1f\x8b\x08", b"<?xml", b"<Invoice"]),
)
def test_no_bytes_make_it_raise(content: bytes, start: bytes) -> None:
    found = open_file("x", start + content)

    assert found.findings or any(p.findings for p in found.payloads)


def test_a_broken_invoice_that_still_shows_its_number_is_refused_under_it() -> None:
    found = open_file("FA-1.xml", ubl("FA-1").replace(b"</cbc:Name>", b""))

    (payload,) = found.payloads
    assert (payload.document.number, [f.rule for f in payload.findings]) == ("FA-1", ["IRR_SYNTAX"])
