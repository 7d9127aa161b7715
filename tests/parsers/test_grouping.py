"""Which file of an archive goes with which invoice, and that none goes silently."""

from __future__ import annotations

import random
import time

import pytest

from gateway.domain.document import Kind
from gateway.domain.finding import Severity
from gateway.parsers.belonging import Head, assign
from gateway.parsers.open import open_file
from gateway.parsers.reading import Opened, Payload
from tests.evil import cii, pdf, tgz, ubl, zip_with_flags, zipped

REFERENCE = (
    "<cac:AdditionalDocumentReference><cbc:ID>BL-9</cbc:ID><cac:Attachment><cac:ExternalReference>"
    "<cbc:URI>bon.pdf</cbc:URI></cac:ExternalReference></cac:Attachment></cac:AdditionalDocumentReference>"
    "<cac:AdditionalDocumentReference><cbc:ID>plan.png</cbc:ID></cac:AdditionalDocumentReference>"
)


def lot(files: dict[str, bytes]) -> Opened:
    return open_file("lot.zip", zipped(files.items()))


def payloads(files: dict[str, bytes]) -> dict[str, Payload]:
    return {payload.member: payload for payload in lot(files).payloads}


def attached(files: dict[str, bytes]) -> dict[str, list[str]]:
    return {name: [file.name for file in p.attachments] for name, p in payloads(files).items()}


def rules(opened_or_payload: Opened | Payload) -> list[str]:
    return [finding.rule for finding in opened_or_payload.findings]


def test_files_named_after_an_invoice_belong_to_it_and_the_longest_name_wins() -> None:
    files = {
        "FA-1.xml": ubl("FA-1"),
        "FA-1-2.xml": cii("FA-1-2"),
        "FA-1.pdf": pdf(),
        "fa-1_annexe.PDF": pdf(),
        "FA-1-2 bon.csv": b"a;b",
        "FA-12.csv": b"a;b",
    }

    assert attached(files) == {"FA-1-2.xml": ["FA-1-2 bon.csv"], "FA-1.xml": ["FA-1.pdf", "fa-1_annexe.PDF"]}
    assert rules(lot(files)) == ["INTAKE-LEFTOVER"]


def test_references_of_the_invoice_find_their_files() -> None:
    files = {"FA-1.xml": ubl("FA-1", REFERENCE), "pj/bon.pdf": pdf(), "pj/plan.png": b"\x89PNG"}

    (payload,) = payloads(files).values()
    assert [file.name for file in payload.attachments] == ["bon.pdf", "plan.png"]
    assert [(a.name, a.size is not None, a.embedded) for a in payload.document.attachments] == [
        ("bon.pdf", True, False),
        ("plan.png", True, False),
    ]


def test_the_index_goes_before_names_and_may_share_a_file() -> None:
    index = b"file_name;attachments;partner_reference\nFA-1.xml;FA-2.csv|cgv.pdf;R1\nFA-2.xml;cgv.pdf;R2\n"
    files = {"index.csv": index, "FA-1.xml": ubl("FA-1"), "FA-2.xml": ubl("FA-2"), "FA-2.csv": b"1", "cgv.pdf": pdf()}

    assert attached(files) == {"FA-1.xml": ["FA-2.csv", "cgv.pdf"], "FA-2.xml": ["cgv.pdf"]}
    assert [p.index_row["partner_reference"] for p in payloads(files).values()] == ["R1", "R2"]


def test_a_file_the_index_announces_and_that_is_missing_holds_the_invoice() -> None:
    files = {"index.csv": b"file_name;attachments\nFA-1.xml;bon.pdf\nFA-9.xml;\n", "FA-1.xml": ubl("FA-1")}

    (payload,) = payloads(files).values()
    assert [(f.rule, f.severity) for f in payload.findings] == [("INTAKE-ATTACHMENT-MISSING", Severity.HOLD)]
    assert rules(lot(files)) == ["INTAKE-INDEX-NO-FILE"]


def test_an_unreadable_index_sends_nothing() -> None:
    found = lot({"index.csv": b"nom;numero\n", "FA-1.xml": ubl("FA-1")})

    assert (found.payloads, rules(found)) == ((), ["INTAKE-INDEX-UNREADABLE"])


def test_an_index_with_two_rows_for_an_invoice_refuses_it() -> None:
    files = {"index.csv": b"file_name;number\nFA-1.xml;1\nFA-1.xml;2\n", "FA-1.xml": ubl("FA-1")}

    assert rules(payloads(files)["FA-1.xml"]) == ["INTAKE-INDEX-TWICE"]


def test_a_broken_invoice_is_refused_with_its_files_and_is_no_annex_of_another() -> None:
    files = {
        "FA.xml": ubl("FA"),
        "FA-2.xml": ubl("FA-2")[:-30],
        "FA-2.pdf": pdf(),
        "FA-3.xml": b"",
        "FA-4.xml": b"<x/>",
    }

    found = payloads(files)
    assert {name: rules(p) for name, p in found.items()} == {
        "FA.xml": [],
        "FA-2.xml": ["IRR_SYNTAX"],
        "FA-3.xml": ["IRR_VIDE_F"],
        "FA-4.xml": ["IRR_TYPE_F"],
    }
    assert [file.name for file in found["FA-2.xml"].attachments] == ["FA-2.pdf"]
    assert found["FA.xml"].attachments == ()


def test_the_readable_picture_of_an_invoice_is_no_second_invoice() -> None:
    same = {"FA-1.xml": cii("FA-1"), "FA-1.pdf": pdf([("factur-x.xml", cii("FA-1"))])}
    other = {"FA-1.xml": cii("FA-1"), "FA-1.pdf": pdf([("factur-x.xml", cii("FA-77"))])}

    assert attached(same) == {"FA-1.xml": ["FA-1.pdf"]}
    assert attached(other) == {"FA-1.pdf": [], "FA-1.xml": []}


def test_files_of_one_name_in_two_folders_go_each_with_its_own_folder() -> None:
    index = b"file_name;attachments\na/FA.xml;bon.pdf\nb/FB.xml;bon.pdf\n"
    files = {
        "index.csv": index,
        "a/FA.xml": ubl("A"),
        "b/FB.xml": ubl("B"),
        "a/bon.pdf": pdf(),
        "b/bon.pdf": pdf([("x.txt", b"b")]),
    }

    found = payloads(files)
    assert found["a/FA.xml"].attachments[0].content == files["a/bon.pdf"]
    assert found["b/FB.xml"].attachments[0].content == files["b/bon.pdf"]
    assert [len(p.attachments) for p in found.values()] == [1, 1]


def test_a_file_between_two_invoices_of_one_name_goes_to_neither() -> None:
    files = {"a/FA-1.xml": ubl("A"), "b/FA-1.xml": ubl("B"), "FA-1.csv": b"x", "b/FA-1_x.csv": b"y"}

    assert attached(files) == {"a/FA-1.xml": [], "b/FA-1.xml": ["FA-1_x.csv"]}
    assert rules(lot(files)) == ["INTAKE-LEFTOVER-AMBIGUOUS"]


def test_pdfs_alone_in_an_archive_are_held_and_beside_an_invoice_are_left_over() -> None:
    alone = lot({"12.pdf": pdf(), "13.pdf": pdf(), "note.txt": b"x"})
    beside = lot({"12.pdf": pdf(), "FA-1.xml": ubl()})

    assert [(p.document.kind, rules(p)) for p in alone.payloads] == [(Kind.PDF, ["INTAKE-PDF-ALONE"])] * 2
    assert "12.pdf" in alone.payloads[0].findings[0].remedy.fr
    assert rules(alone) == rules(beside) == ["INTAKE-LEFTOVER"]


def test_a_pdf_with_its_row_is_a_document_even_beside_invoices() -> None:
    header = b"file_name;number;issue_date;type_code;issuer_siret;buyer_siret;net;vat;gross;currency\n"
    whole = b"12.pdf;12;2026-01-31;380;12345678200010;11000201100044;10.00;2.00;12.00;EUR\n"
    files = {"index.csv": header + whole + b"13.pdf;13\n", "12.pdf": pdf(), "13.pdf": pdf(), "FA-1.xml": ubl()}

    found = payloads(files)
    assert {name: rules(p) for name, p in found.items()} == {
        "12.pdf": ["INTAKE-PDF-ROW"],
        "13.pdf": ["INTAKE-PDF-ROW-INCOMPLETE"],
        "FA-1.xml": [],
    }
    assert found["12.pdf"].index_row["gross"] == "12.00"
    assert "issue_date" in found["13.pdf"].findings[0].message.fr


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("FA-1_vide.pdf", b"", "IRR_VID_PJ"),
        ("FA-1_gros.csv", random.Random(1).randbytes(10 * 1024 * 1024 + 1), "IRR_TAILLE_PJ"),
        ("FA-1_" + "x" * 50 + ".csv", b"x", "IRR_NOM_PJ"),
        ("FA-1_macro.exe", b"MZ", "IRR_EXT_DOC"),
        ("FA-1_sans", b"x", "IRR_EXT_DOC"),
        ("FA-1_secret.pdf", pdf(encryption={"user": "s", "owner": "o"}), "INTAKE-ATTACHMENT-ENCRYPTED"),
    ],
)
def test_an_attachment_that_chorus_would_refuse_refuses_its_invoice(name: str, content: bytes, rule: str) -> None:
    (payload,) = lot({"FA-1.xml": ubl(), name: content}).payloads

    assert [(f.rule, f.severity) for f in payload.findings] == [(rule, Severity.FATAL)]


def test_a_damaged_attachment_refuses_its_invoice_rather_than_sending_it_without() -> None:
    content = zipped([("FA-1.xml", ubl()), ("FA-1.csv", b"aaaa;bbbb")], 0).replace(b"aaaa;bbbb", b"aaaa;bbxb")

    (payload,) = open_file("lot.zip", content).payloads
    assert (rules(payload), payload.attachments) == (["INTAKE-MEMBER-DAMAGED"], ())


def test_encrypted_members_become_refused_documents() -> None:
    found = open_file("lot.zip", zip_with_flags(zipped([("FA-1.xml", ubl()), ("FA-1.pdf", pdf())]), 1))

    (payload,) = found.payloads
    assert (payload.member, rules(payload)) == ("FA-1.xml", ["INTAKE-MEMBER-ENCRYPTED"] * 2)


def test_a_nested_archive_is_an_attachment_or_is_refused_by_name() -> None:
    inner = zipped([("FA-9.xml", ubl("FA-9"))])
    found = lot({"FA-1.xml": ubl(), "FA-1_photos.zip": inner, "autres.zip": inner, "notes.docx": inner})

    by_name = {p.member: p for p in found.payloads}
    assert [file.name for file in by_name["FA-1.xml"].attachments] == ["FA-1_photos.zip"]
    assert (by_name["autres.zip"].document.kind, rules(by_name["autres.zip"])) == (
        Kind.ARCHIVE,
        ["INTAKE-MEMBER-ARCHIVE"],
    )
    assert rules(found) == ["INTAKE-LEFTOVER"]


def test_an_archive_without_an_invoice_is_refused() -> None:
    found = lot({"note.txt": b"x"})

    assert (found.payloads, rules(found)) == ((), ["INTAKE-ARCHIVE-NO-INVOICE", "INTAKE-LEFTOVER"])


def test_thousands_of_leftovers_are_told_in_bounds() -> None:
    found = lot({"FA-1.xml": ubl(), **{f"{n}.txt": b"x" for n in range(500)}})

    assert len(found.findings) == 51
    assert "450" in found.findings[-1].message.fr


def test_ten_thousand_members_are_grouped_in_seconds() -> None:
    files = {f"FA-{n}.xml": ubl(f"FA-{n}") for n in range(4_000)} | {f"FA-{n}_bon.csv": b"x" for n in range(4_000)}
    content = tgz(files.items())

    start = time.monotonic()
    found = open_file("lot.tgz", content)

    assert time.monotonic() - start < 120, "a hang guard, no measure"
    assert len(found.payloads) == 4_000
    assert all([f.name for f in p.attachments] == [p.member[:-4] + "_bon.csv"] for p in found.payloads)


def test_an_xml_never_belongs_by_its_name_alone() -> None:
    heads = [Head("FA.xml", references=("detail.xml",))]

    found = assign(["FA-2.xml", "detail.xml", "FA-2.pdf"], heads)

    assert found.owners == {"detail.xml": ("FA.xml",)}


def test_a_number_after_the_name_makes_no_annex_but_a_word_does() -> None:
    found = assign(["FA-2.pdf", "FA_annexe.pdf", "FA.pdf"], [Head("FA.xml")])

    assert found.owners == {"FA_annexe.pdf": ("FA.xml",), "FA.pdf": ("FA.xml",)}
