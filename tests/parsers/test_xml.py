"""Hostile and broken XML: one finding each, never an exception of another kind, never unbounded memory."""

from __future__ import annotations

import codecs
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.finding import Finding, Severity
from gateway.parsers import xml as xml_module
from gateway.parsers.xml import MAX_DEPTH, MAX_NODES, XmlRefused, parse_xml

CORPUS = Path(os.environ.get("GATEWAY_CORPUS", Path(__file__).resolve().parents[2] / ".." / "shared" / "corpus"))


def refusal(content: bytes) -> Finding:
    with pytest.raises(XmlRefused) as caught:
        parse_xml(content)
    finding = caught.value.finding
    assert finding.severity is Severity.FATAL
    assert finding.message.fr and finding.message.en and finding.remedy.fr and finding.remedy.en
    return finding


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE a><a/>",
        b'<?xml version="1.0"?>\n<!-- c --><?pi x?>\n<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        codecs.BOM_UTF8 + b"<!DOCTYPE a><a/>",
        "<!DOCTYPE a><a/>".encode("utf-16"),
        "<!DOCTYPE a><a/>".encode("utf-16-be"),
        b"<!--" + b"x" * 100_000 + b"--><!DOCTYPE a><a/>",
        b"<!doctype a><a/>",
    ],
)
def test_a_doctype_is_refused_however_harmless_and_however_hidden(content: bytes) -> None:
    assert refusal(content).rule == "INTAKE-XML-DOCTYPE"


def test_a_doctype_cannot_hide_in_an_encoding_that_only_the_parser_knows() -> None:
    hidden = b'<?xml version="1.0" encoding="UTF-7"?>' + "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>".encode("utf-7")
    odd_declaration = b"<?xml version='1.0' encoding='UTF-8' encoding='UTF-7'?><a/>"

    assert refusal(hidden).rule == "INTAKE-XML-ENCODING"
    assert refusal(odd_declaration).rule == "INTAKE-XML-ENCODING"


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("", "utf-8"),
        ("UTF-8", "utf-8"),
        ("utf-8", "utf-8-sig"),
        ("UTF-16", "utf-16"),
        ("ISO-8859-1", "iso-8859-1"),
        ("iso-8859-15", "iso-8859-15"),
        ("windows-1252", "cp1252"),
    ],
)
def test_the_encodings_that_senders_use_are_read(declared: str, codec: str) -> None:
    declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    assert parse_xml(f"{declaration}<a>été</a>".encode(codec)).getroot().text == "été"


@pytest.mark.parametrize(
    "content",
    [
        b'<?xml version="1.0" encoding="utf-16"?><a/>',
        codecs.BOM_UTF16_LE + '<?xml version="1.0" encoding="utf-8"?><a/>'.encode("utf-16-le"),
        '<?xml version="1.0"?><a/>'.encode("utf-32"),
        '<?xml version="1.0" encoding="IBM037"?><a/>'.encode("cp037"),
        b'<?xml version="1.0" encoding="Shift_JIS"?><a/>',
    ],
)
def test_an_encoding_that_contradicts_the_bytes_or_is_not_taken_is_named(content: bytes) -> None:
    finding = refusal(content)
    assert finding.rule == "INTAKE-XML-ENCODING"
    assert "UTF-8" in finding.remedy.fr


@pytest.mark.parametrize(
    ("content", "line", "word"),
    [
        (b'<?xml version="1.0" encoding="UTF-8"?>\n<a>\n<b>\xe9</b></a>', 3, "encodage"),
        (b"<a>\n<b>1", 2, "avant la fin"),
        (b"<a>\n</a>\n<a/>", 3, "suit la fin"),
        (b"<a/>\0\0", 1, "suit la fin"),
        (b"<a>Dupont & Fils</a>", 1, "&"),
        (b"<a>&euro;</a>", 1, "&"),
        (b"<a>\n<b></a>", 2, "balise"),
        (b"<a>\x01</a>", 1, "caract"),
        (b"<p:a/>", 1, "pr\u00e9fixe"),
        (b"<a x='1' x='2'/>", 1, "deux fois"),
    ],
)
def test_a_syntax_error_tells_line_fault_and_remedy_in_plain_french(content: bytes, line: int, word: str) -> None:
    finding = refusal(content)
    assert finding.rule == "IRR_SYNTAX"
    assert finding.line == line
    assert word in finding.message.fr


@pytest.mark.parametrize("content", [b"", b"  \r\n\t "])
def test_an_empty_file_is_called_empty(content: bytes) -> None:
    assert refusal(content).rule == "IRR_VIDE_F"


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 257, 3000])
def test_deep_nesting_is_refused(depth: int) -> None:
    assert refusal(b"<a>" * depth + b"</a>" * depth).rule == "INTAKE-XML-LIMIT"
    assert parse_xml(b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH)


def test_deep_nesting_is_refused_in_a_file_large_enough_for_long_texts() -> None:
    padding = b"<p>" + b"x" * 10_000_000 + b"</p>"
    assert refusal(padding.join([b"<a>" * 300, b"</a>" * 300])).rule == "INTAKE-XML-LIMIT"


def test_too_many_nodes_are_refused_before_a_tree_is_built() -> None:
    assert refusal(b"<a>" + b"<b/>" * MAX_NODES + b"</a>").rule == "INTAKE-XML-LIMIT"


def test_too_many_bytes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_module, "MAX_BYTES", 1000)
    assert refusal(b"<a>" + b"x" * 1000 + b"</a>").rule == "INTAKE-XML-LIMIT"


def test_a_text_longer_than_the_limit_of_the_parser_is_taken_as_an_attachment_may_be() -> None:
    tree = parse_xml(b"<a>" + b"QUJD" * 4_000_000 + b"</a>")
    assert len(tree.getroot().text or "") == 16_000_000


def test_a_comment_inside_a_value_does_not_cut_it() -> None:
    assert parse_xml(b"<a>12<!-- x -->34<?p q?>56</a>").getroot().text == "123456"


INVOICE = b"""<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
<!-- a comment --><cbc:ID a="b">F-1 &amp; co</cbc:ID><cbc:Note><![CDATA[x]]></cbc:Note></Invoice>"""


def test_an_invoice_cut_anywhere_is_refused_with_a_place() -> None:
    for end in range(1, len(INVOICE)):
        assert refusal(INVOICE[:end]).rule in {"IRR_SYNTAX", "INTAKE-XML-ENCODING"}


@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_refused(content: bytes) -> None:
    parse_or_refuse(content)


@settings(max_examples=300)
@given(st.integers(0, len(INVOICE) - 1), st.binary(max_size=6), st.integers(0, 6))
def test_a_damaged_invoice_is_parsed_or_refused(place: int, inserted: bytes, removed: int) -> None:
    parse_or_refuse(INVOICE[:place] + inserted + INVOICE[place + removed :])


def parse_or_refuse(content: bytes) -> None:
    try:
        parse_xml(content)
    except XmlRefused as refused:
        assert refused.finding.message.fr


ATTACK_RUN = """
import json, resource, sys
from pathlib import Path
from gateway.parsers.read import read_document

def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
before = peak_mb()
told = {}
for name in sys.argv[1:]:
    reading = read_document(Path(name).read_bytes())
    told[name] = [reading.document.kind.value, [finding.rule for finding in reading.findings]]
print(json.dumps({"told": told, "grown_mb": peak_mb() - before}))
"""


def test_the_attack_files_of_the_corpus_are_refused_in_bounded_time_and_memory() -> None:
    files = [path for folder in ("defusedxml", "libxml2") for path in sorted((CORPUS / folder).rglob("*.*"))]
    files = [path for path in files if path.is_file() and path.parent.name in {"xml-attack", "other"}]
    if not files:
        pytest.skip(f"no corpus at {CORPUS}")

    run = subprocess.run(
        [sys.executable, "-c", ATTACK_RUN, *map(str, files)], capture_output=True, timeout=60, check=True
    )
    answer = json.loads(run.stdout)

    assert answer["grown_mb"] < 50
    for path in files:
        kind, rules = answer["told"][str(path)]
        assert kind == "unknown" and rules, path.name
        if b"<!DOCTYPE" in path.read_bytes() and path.suffix == ".xml" and path.parent.name == "xml-attack":
            assert rules == ["INTAKE-XML-DOCTYPE"], path.name
