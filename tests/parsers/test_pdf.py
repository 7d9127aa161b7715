"""PDFs to what they are: Factur-X of every age, what only looks like it, and files that attack."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.domain.document import Kind
from gateway.domain.finding import Severity
from gateway.parsers import pdf as pdf_parser
from gateway.parsers.open import open_file
from gateway.parsers.pdf import read_pdf
from gateway.parsers.pdf_inside import Encrypted, look_inside
from gateway.parsers.reading import Reading
from tests.evil import (
    cii,
    order_x,
    pdf,
    pdf_bomb,
    pdf_metadata_bomb,
    pdf_object_stream_bomb,
    pdf_with_cyclic_names,
    pdf_with_wrong_types,
    ubl,
)

CORPUS = Path(os.environ.get("GATEWAY_CORPUS", Path(__file__).resolve().parents[2] / ".." / "shared" / "corpus"))

#: Invoice attachments that are no CII invoice, by the end of the path: why they are no Factur-X.
NOT_FACTURX = {
    "XML-002__facture.pdf": "its factur-x.xml holds another XML than a CII invoice",
    "MustangGnuaccountingBeispielRE-20140519_499.pdf": "a ZUGFeRD 1.0 release candidate, not marked in the manifest",
}


def rules(reading: Reading) -> list[str]:
    return [finding.rule for finding in reading.findings]


@pytest.mark.parametrize(
    "name",
    ["factur-x.xml", "FACTUR-X.XML", "zugferd-invoice.xml", "ZUGFeRD-invoice.xml", "xrechnung.xml", "x/factur-x.xml"],
)
def test_a_cii_under_any_historic_name_is_a_facturx(name: str) -> None:
    reading = read_pdf(pdf([(name, cii("FX-7"))]))

    assert reading.document.kind is Kind.FACTURX
    assert reading.document.number == "FX-7"
    assert reading.tree is not None
    assert reading.findings == ()


def test_an_invoice_that_is_only_associated_is_found_too() -> None:
    assert read_pdf(pdf([("factur-x.xml", cii())], tree=False)).document.kind is Kind.FACTURX


def test_the_other_files_of_a_facturx_are_its_attachments() -> None:
    reading = read_pdf(pdf([("bon.pdf", b"%PDF-1.4"), ("factur-x.xml", cii()), ("détail.csv", b"a;b")]))

    assert [(a.name, a.size, a.embedded) for a in reading.document.attachments] == [
        ("bon.pdf", 8, True),
        ("détail.csv", 3, True),
    ]


def test_a_pdf_without_data_is_held_with_the_row_to_fill_in() -> None:
    opened = open_file("Facture 12.pdf", pdf())

    (payload,) = opened.payloads
    (finding,) = payload.findings
    assert (opened.kind, finding.rule, finding.severity) == (Kind.PDF, "INTAKE-PDF-ALONE", Severity.HOLD)
    assert "Facture 12.pdf;;;;;380;A1;" in finding.remedy.fr
    assert "file_name;attachments;" in finding.remedy.en


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("order-x.xml", order_x(), "INTAKE-PDF-ORDER"),
        ("factur-x.xml", order_x(), "INTAKE-PDF-ORDER"),
        ("factur-x.xml", ubl(), "INTAKE-PDF-OTHER-XML"),
        ("invoice.xml", ubl(), "INTAKE-PDF-OTHER-XML"),
        ("data.xml", cii(), "INTAKE-PDF-OTHER-XML"),
        ("ZUGFeRD-invoice.xml", b'<r:CrossIndustryDocument xmlns:r="urn:ferd:CrossIndustryDocument:invoice:1p0"/>',
         "INTAKE-PDF-OTHER-XML"),
        ("factur-x.xml", cii().replace(b"CrossIndustryInvoice:100", b"CrossIndustryInvoice:1"),
         "INTAKE-PDF-OTHER-XML"),
    ],
)  # fmt: skip
def test_what_only_looks_like_a_facturx_is_a_pdf_and_says_why(name: str, content: bytes, rule: str) -> None:
    reading = read_pdf(pdf([(name, content)]))

    assert reading.document.kind is Kind.PDF
    assert rule in rules(reading)
    assert {f.severity for f in reading.findings} & {Severity.HOLD, Severity.FATAL}


def test_a_broken_invoice_xml_is_refused_as_a_facturx() -> None:
    reading = read_pdf(pdf([("factur-x.xml", cii()[:-40])]))

    assert reading.document.kind is Kind.FACTURX
    assert rules(reading) == ["IRR_SYNTAX"]


def test_a_doctype_inside_a_pdf_is_refused() -> None:
    reading = read_pdf(pdf([("factur-x.xml", b"<!DOCTYPE x [<!ENTITY e 'x'>]>" + cii()[38:])]))

    assert reading.document.kind is Kind.FACTURX
    assert rules(reading) == ["INTAKE-XML-DOCTYPE"]


def test_two_different_invoices_in_one_pdf_are_refused() -> None:
    reading = read_pdf(pdf([("factur-x.xml", cii("A")), ("zugferd-invoice.xml", cii("B"))]))

    assert rules(reading) == ["INTAKE-PDF-TWO-INVOICES"]


def test_the_same_invoice_under_two_names_is_one_invoice() -> None:
    reading = read_pdf(pdf([("ZUGFeRD-invoice.xml", cii("A")), ("factur-x.xml", cii("A"))]))

    assert (reading.document.number, reading.findings) == ("A", ())


def test_a_password_refuses_a_pdf_and_a_restriction_only_warns() -> None:
    locked = read_pdf(pdf([("factur-x.xml", cii())], encryption={"user": "secret", "owner": "o"}))
    restricted = read_pdf(pdf([("factur-x.xml", cii("R"))], encryption={"user": "", "owner": "o"}))

    assert rules(locked) == ["INTAKE-PDF-ENCRYPTED"]
    assert (rules(restricted), restricted.document.number) == (["INTAKE-PDF-RESTRICTED"], "R")


def test_a_pdf_cut_off_at_any_place_is_read_or_refused() -> None:
    whole = pdf([("factur-x.xml", cii())])

    for length in range(8, len(whole), 97):
        reading = read_pdf(whole[:length])
        assert reading.document.kind in (Kind.PDF, Kind.FACTURX)
        assert reading.findings or length > len(whole) - 20


@pytest.mark.parametrize("content", [pdf_with_cyclic_names(), pdf_with_wrong_types()], ids=["cycle", "types"])
def test_absurd_structures_are_walked_to_an_end(content: bytes) -> None:
    assert "INTAKE-PDF-ALONE" in rules(read_pdf(content))


BOMBS: dict[str, Callable[[], bytes]] = {
    "attachment": pdf_bomb,
    "other attachment": lambda: pdf_bomb(name=b"plan.png"),
    "two layers": lambda: pdf_bomb(layers=2),
    "metadata": pdf_metadata_bomb,
    "object stream": pdf_object_stream_bomb,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_in_bounded_memory_and_time(bomb: str, tmp_path: Path) -> None:
    path = tmp_path / "bomb.pdf"
    path.write_bytes(BOMBS[bomb]())
    assert path.stat().st_size < 1_000_000

    seconds, megabytes, found = in_a_process_of_its_own(path)

    # What qpdf cannot unpack on opening, it calls unreadable: no catalog is found.
    assert found == ["INTAKE-PDF-UNREADABLE" if bomb == "object stream" else "INTAKE-PDF-TOO-LARGE"]
    assert (seconds < 60, megabytes < 300) == (True, True), (seconds, megabytes)


def test_a_memory_ceiling_met_is_a_finding_not_an_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    def starved(_: bytes) -> None:
        raise MemoryError

    monkeypatch.setattr(pdf_parser.pdf_inside, "look_inside", starved)

    assert rules(read_pdf(pdf())) == ["INTAKE-PDF-TOO-LARGE"]


def in_a_process_of_its_own(path: Path) -> tuple[float, float, list[str]]:
    """Seconds, megabytes of resident memory at the peak, and rules found: no other test's memory counts."""
    program = (
        "import json,re,sys,time\n"
        "from gateway.parsers.open import open_file\n"
        "content=open(sys.argv[1],'rb').read(); start=time.monotonic(); o=open_file('a.pdf',content)\n"
        "print(json.dumps([time.monotonic()-start,"
        # Not ru_maxrss: it begins with what the test's own process had when it forked.
        "int(re.search(r'VmHWM:\\s+(\\d+)',open('/proc/self/status').read())[1])/1024,"
        "[f.rule for p in o.payloads for f in p.findings]+[f.rule for f in o.findings]]))"
    )
    run = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, check=True, timeout=60)
    seconds, megabytes, found = json.loads(run.stdout)
    return seconds, megabytes, found


def test_every_pdf_of_the_corpus_is_what_its_manifest_says(record_property: Callable[[str, object], None]) -> None:
    manifest = CORPUS / "manifest.jsonl"
    if not manifest.exists():
        pytest.skip(f"no corpus at {CORPUS}")
    entries = [entry for entry in map(json.loads, manifest.read_text().splitlines()) if "pdf" in entry]
    kinds: Counter[tuple[str, str]] = Counter()
    slowest = (0.0, "")

    for entry in entries:
        facts, path = entry["pdf"], entry["path"]
        content = (CORPUS / path).read_bytes()
        start = time.monotonic()
        opened = open_file(Path(path).name, content)
        slowest = max(slowest, (time.monotonic() - start, path))
        kinds[entry["kind"], opened.kind] += 1
        excused = entry.get("subkind") == "zugferd-1.0" or path.endswith(tuple(NOT_FACTURX))
        assert (opened.kind is Kind.FACTURX) == (bool(facts.get("invoice_xml")) and not excused), path
        found = [finding for part in (opened, *opened.payloads) for finding in part.findings]
        assert found or opened.kind is Kind.FACTURX, path
        assert all(f.message.fr and f.message.en for f in found), path
        if entry.get("subkind") == "order-x":
            assert "INTAKE-PDF-ORDER" in {f.rule for f in found}, path
        if content.startswith(b"%PDF") and facts["open"]:
            check_facts(content, facts, path)

    assert slowest[0] < 5, slowest
    record_property("slowest", slowest)
    record_property("peak_mb", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    assert kinds["facturx-pdf", Kind.FACTURX] > 100


def check_facts(content: bytes, facts: dict[str, object], path: str) -> None:
    try:
        inside = look_inside(content)
    except Encrypted:
        assert facts["encrypted"] and facts["password"] != "", path
        return
    assert inside.signed == facts["signed"], path
    assert inside.restricted == facts["encrypted"], path
    assert sorted(file.name for file in inside.files) == sorted(facts.get("attachments") or []), path  # type: ignore[call-overload]
