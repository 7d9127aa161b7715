"""The whole corpus through `gateway validate`, as its users would type it: a line for each path, no traceback, no
process over 300 MB, and the verdicts that the corpus promises for AIFE's own samples."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from lxml import etree

from gateway.domain import routing
from gateway.parsers.read import read_document

CORPUS = Path(os.environ.get("GATEWAY_CORPUS", Path(__file__).parents[2] / "shared" / "corpus"))
needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS} (GATEWAY_CORPUS)")
pytestmark = needs_corpus

#: Runs a command and prints, last on stderr, the most that any process below it had resident (kB).
_MEASURED = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""
MOST_MB = 300
#: AIFE's sample whose settlement stands where its delivery should (corpus README, item 4; measured.jsonl).
FAILS_PLAIN_CII = "FSO1116A_P01.xml"


class Run:
    """One run of the command over the corpus."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "gateway", "validate", "--json", "--route", "chorus-api", str(CORPUS)]
        done = subprocess.run([sys.executable, "-c", _MEASURED, *command], capture_output=True, text=True, timeout=900)
        self.code = done.returncode
        self.errors = done.stderr
        self.peak_mb = int(done.stderr.splitlines()[-1]) / 1000
        self.lines: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def run() -> Run:
    return Run()


@pytest.fixture(scope="module")
def manifest() -> list[Mapping[str, Any]]:
    return [json.loads(line) for line in (CORPUS / "manifest.jsonl").read_text("utf-8").splitlines()]


def test_every_path_gets_a_line_and_nothing_is_printed_beside(run: Run, manifest: list[Mapping[str, Any]]) -> None:
    told = {line["path"].partition("!")[0] for line in run.lines}
    missing = {entry["path"] for entry in manifest if str(CORPUS / entry["path"]) not in told}

    assert missing == set()
    assert "Traceback" not in run.errors
    assert run.code in (1, 3), "much of the corpus is invalid on purpose"


def test_no_process_takes_more_than_300_mb(run: Run) -> None:
    print(f"peak {run.peak_mb:.0f} MB")
    assert run.peak_mb < MOST_MB


def test_no_file_is_beyond_our_readers(run: Run) -> None:
    """A ceiling met or a reader that failed is told as such; in the corpus there is no reason for either."""
    beyond = {"INTAKE-QUARANTINED", "INTAKE-READER-FAILED", "INTAKE-CEILING"}
    assert [line["path"] for line in run.lines if beyond & {f["rule"] for f in line["findings"]}] == []


def test_a_line_has_the_agreed_shape(run: Run) -> None:
    for line in run.lines:
        assert {"path", "document", "kind", "profile", "route", "decision", "packs", "findings"} <= line.keys()
        for pack in line["packs"]:
            assert {"name", "version", "sha256", "verdict", "ms"} <= pack.keys()
        for finding in line["findings"]:
            wanted = {"layer", "pack", "rule", "severity", "term", "location", "message", "remedy"}
            assert wanted <= finding.keys()


def test_every_refusal_says_why_and_what_to_do(run: Run) -> None:
    for line in run.lines:
        fatal = [f for f in line["findings"] if f["severity"] == "fatal"]
        assert bool(fatal) == (line["decision"] == "refuse"), line["path"]
        assert all(f["message"] and f["remedy"] for f in fatal), line["path"]


def aife(run: Run) -> list[dict[str, Any]]:
    return [x for x in run.lines if "aife-chorus-pro" in x["path"] and Path(x["path"]).suffix in (".xml", ".pdf")]


def test_of_aifes_samples_only_the_known_one_fails_the_plain_schema(run: Run) -> None:
    samples = aife(run)
    failing = {
        Path(line["path"]).name
        for line in samples
        if any(f["layer"] == "xsd" and f["severity"] == "fatal" for f in line["findings"])
    }

    assert len(samples) == 33
    assert failing == {FAILS_PLAIN_CII}


def test_no_aife_sample_is_refused_for_a_modern_layer(run: Run) -> None:
    for line in aife(run):
        modern = [f for f in line["findings"] if f["layer"] in ("facturx", "en16931", "br-fr")]
        assert [f for f in modern if f["severity"] in ("fatal", "hold")] == [], line["path"]


def test_every_aife_sample_parses_to_issuer_number_and_buyer() -> None:
    for path in sorted((CORPUS / "aife-chorus-pro").rglob("FSO*")):
        document = read_document(path.read_bytes()).document
        assert document.number, path.name
        assert routing.seller_identifier(document), path.name
        assert routing.buyer_siret(document), path.name


_RAM = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"


def test_service_ej_and_contract_of_every_aife_sample_are_those_that_stand_in_the_file() -> None:
    """Read here a second way: by plain XPath, and in a PDF from its attachment."""
    carried = 0
    for path in sorted((CORPUS / "aife-chorus-pro").rglob("FSO*")):
        document = read_document(path.read_bytes()).document
        tree = etree.fromstring(embedded(path) if path.suffix == ".pdf" else path.read_bytes())
        agreement = "//r:ApplicableHeaderTradeAgreement/r:{}"
        for found, xpath in (
            (routing.service_code(document).value, "BuyerReference"),
            (routing.ej(document).value, "BuyerOrderReferencedDocument/r:IssuerAssignedID"),
            (document.contract, "ContractReferencedDocument/r:IssuerAssignedID"),
        ):
            written = tree.xpath(agreement.format(xpath), namespaces={"r": _RAM})
            texts = [(element.text or "").strip() for element in written]
            assert found == next(filter(None, texts), ""), (path.name, xpath)
            carried += bool(found)
    assert carried, "some samples carry them"


def embedded(path: Path) -> bytes:
    """The one XML attachment of a Factur-X."""
    with pikepdf.open(path) as pdf:
        return next(file.get_file().read_bytes() for name, file in pdf.attachments.items() if name.endswith(".xml"))


def test_attacks_are_refused(run: Run, manifest: list[Mapping[str, Any]]) -> None:
    attacks = {
        str(CORPUS / e["path"]) for e in manifest if e["kind"] == "xml-attack" and e.get("subkind") != "harmless-xml"
    }
    refused = {line["path"] for line in run.lines if line["decision"] == "refuse"}
    assert attacks <= refused
