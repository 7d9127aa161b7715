"""The compiled official rules: against the engine of their publishers, against parsing, by number of lines, at start.

All times are those of the processor, so that what else the machine does counts for neither side. `tree and rules` is
all that a judgement adds to a parsed document: our tree, every rule, every message.
"""

from __future__ import annotations

import importlib.util
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from time import perf_counter, process_time
from typing import Final

from lxml import etree

from benchmarks import rules_growth
from benchmarks.corpus import CORPUS
from benchmarks.figures import bench
from benchmarks.oracle import Oracle, Stopped
from gateway.domain.facts import Facts
from gateway.parsers.read import read_document
from gateway.parsers.xml import parse_xml
from gateway.rules.packs import PackRegistry
from gateway.rules.rulebook.engine import Rulebook, load_rulebook
from gateway.rules.rulebook.runtime.tree import Trees
from gateway.rules.schema.pack import SchemaPack
from tests.rules.rulebook.big import SHEETS, Syntax, clean, parsed

#: The processor changes its speed from one second to the next: the more rounds, the less that counts.
_REPETITIONS: Final = 21
_DOCUMENTS: Final = 40
#: How long each engine works before it is the turn of the other.
_TURN_S: Final = 0.5
#: What a typical invoice breaks at most: nearly nothing of the base rules, some French ones when it is from abroad.
_FINDINGS: Final = (2, 12)
_LARGEST_BYTES: Final = 100_000
_LINES: Final = (10, 100, 1_000, 10_000)
_PAIRS: Final = {
    Syntax.UBL: ("rules_ubl_en_brfr", ("en16931-ubl", "br-fr-ubl")),
    Syntax.CII: ("rules_cii_fxen_brfr", ("facturx-en16931", "br-fr-cii")),
}
_DAY: Final = date(2026, 11, 23)


def main() -> None:
    """All figures."""
    documents = {syntax: list(_typical(syntax)) for syntax in Syntax}
    for syntax in Syntax:
        _against_oracle(syntax, documents[syntax])
    _against_parse_and_schema([content for syntax in Syntax for content in documents[syntax]])
    rules_growth.curves()
    rules_growth.starts()


# --- documents -------------------------------------------------------------------------------------------------


def _typical(syntax: Syntax) -> Iterator[bytes]:
    """Invoices of the corpus, valid or nearly, of every size up to 100 kB; ours where there is no corpus."""
    if not CORPUS.is_dir():
        print(f"rules: no corpus at {CORPUS} (GATEWAY_CORPUS): measured on invoices of our own")
        yield from (clean(syntax, lines) for lines in range(1, 20))
        return
    books = _books(_PAIRS[syntax][1])
    found: list[bytes] = []
    for row in map(json.loads, (CORPUS / "manifest.jsonl").read_text("utf-8").splitlines()):
        if row["kind"].startswith(syntax) and row.get("subkind") != "unit-case" and row["path"].endswith(".xml"):
            content = (CORPUS / row["path"]).read_bytes()
            if len(content) <= _LARGEST_BYTES and _is_nearly_valid(content, books):
                found.append(content)
    found.sort(key=len)
    step = max(1.0, len(found) / _DOCUMENTS)
    yield from (found[int(i * step)] for i in range(min(len(found), _DOCUMENTS)))


def _is_nearly_valid(content: bytes, books: Sequence[Rulebook]) -> bool:
    try:
        tree = parsed(content)
    except etree.XMLSyntaxError:
        return False
    outcomes = [book.run(tree) for book in books]
    return all(
        not outcome.aborts and len(outcome.fired) <= most for outcome, most in zip(outcomes, _FINDINGS, strict=True)
    )


def _books(names: Sequence[str]) -> list[Rulebook]:
    trees = Trees()
    return [load_rulebook(SHEETS[name], trees) for name in names]


# --- against the reference engine ------------------------------------------------------------------------------


#: All documents once, by one engine.
_Round = Sequence[Stopped | None]


@dataclass(frozen=True, slots=True)
class _Both:
    """Seconds of both engines for one document."""

    parse_s: float
    rules_s: float
    their_parse_s: float
    their_rules_s: float


def _against_oracle(syntax: Syntax, documents: Sequence[bytes]) -> None:
    """The oracle's rules without its parsing stand against our tree, rules and messages without parsing.

    Taken twice: each engine by itself in turns of half a second, the first round of which is not counted (both are
    warm, and so is the processor after its wait, as when a folder is judged); and document by document in turn (each
    finds the caches of the processor as the other has left them).
    """
    name, packs = _PAIRS[syntax]
    if importlib.util.find_spec("saxonche") is None:
        print(f"{name}: saxonche is not installed (the extra `reference`): nothing to compare with")
        return
    books = _books(packs)
    texts = [etree.tostring(parsed(content), encoding="unicode") for content in documents]
    with Oracle([SHEETS[pack] for pack in packs]) as oracle:
        same = [i for i in range(len(documents)) if _agree(oracle.stopped(texts[i]), _ours(documents[i], books))]
        contents, texts = [documents[i] for i in same], [texts[i] for i in same]
        ours: list[_Round] = []
        theirs: list[_Round] = []
        ours_in_turn: list[_Round] = []
        theirs_in_turn: list[_Round] = []
        for _ in range(_REPETITIONS):
            ours += _turn(lambda: [_ours(content, books) for content in contents])
            theirs += _turn(lambda: [oracle.stopped(text) for text in texts])
            pairs = [
                (_ours(content, books), oracle.stopped(text)) for content, text in zip(contents, texts, strict=True)
            ]
            ours_in_turn.append([our for our, _ in pairs])
            theirs_in_turn.append([their for _, their in pairs])
    medians = _medians(ours, theirs)
    bench(f"{name}_documents", len(medians), "documents")
    bench(f"{name}_ms", 1000 * median(each.rules_s for each in medians), "ms")
    bench(f"{name}_parse_ms", 1000 * median(each.parse_s for each in medians), "ms")
    bench(f"{name}_saxonche_ms", 1000 * median(each.their_rules_s for each in medians), "ms")
    bench(f"{name}_saxonche_parse_ms", 1000 * median(each.their_parse_s for each in medians), "ms")
    bench(f"{name}_vs_saxonche", _ratio(medians), "times")
    bench(f"{name}_with_parsing_vs_saxonche", _ratio_with_parsing(medians), "times")
    bench(f"{name}_in_turn_vs_saxonche", _ratio(_medians(ours_in_turn, theirs_in_turn)), "times")


def _turn(judge_all: Callable[[], _Round]) -> list[_Round]:
    """As many rounds as there is time for, one at least, after one that is not counted."""
    started = perf_counter()
    judge_all()
    rounds = [judge_all()]
    while perf_counter() - started < _TURN_S:
        rounds.append(judge_all())
    return rounds


def _ours(content: bytes, books: Sequence[Rulebook]) -> Stopped:
    started = process_time()
    tree = parse_xml(content)
    read = process_time()
    fired = sum(len(book.run(tree).fired) for book in books)
    return Stopped(read - started, process_time() - read, fired)


def _agree(theirs: Stopped | None, ours: Stopped) -> bool:
    """Did both do the same work? (What both say in full is compared in the tests.)"""
    return theirs is not None and theirs.fired == ours.fired


def _medians(ours: Sequence[_Round], theirs: Sequence[_Round]) -> list[_Both]:
    """Of each document. (The library crashes now and then: such a round has nothing for that document.)"""
    return [
        _Both(*_median_of(our), *_median_of(their))
        for our, their in zip(zip(*ours, strict=True), zip(*theirs, strict=True), strict=True)
    ]


def _median_of(rounds: _Round) -> tuple[float, float]:
    known = [stopped for stopped in rounds if stopped is not None]
    return median(each.parse_s for each in known), median(each.rules_s for each in known)


def _ratio(documents: Sequence[_Both]) -> float:
    return median(each.their_rules_s / each.rules_s for each in documents)


def _ratio_with_parsing(documents: Sequence[_Both]) -> float:
    return median((each.their_parse_s + each.their_rules_s) / (each.parse_s + each.rules_s) for each in documents)


# --- against parsing and the schema ----------------------------------------------------------------------------


def _against_parse_and_schema(documents: Sequence[bytes]) -> None:
    """Every pack that judges a document, as the registry chooses them, against what there was before the rules."""
    registry = PackRegistry.standard()
    facts = Facts(today=_DAY, issuers_known=False)
    known = [(content, read_document(content).document) for content in documents]
    runs: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for repetition in range(_REPETITIONS + 1):
        for i, (content, document) in enumerate(known):
            packs = [pack for pack in registry.for_document(document, facts) if pack.applies(document, facts)]
            schemas = [pack.run for pack in packs if isinstance(pack, SchemaPack)]
            rules = [pack.run for pack in packs if not isinstance(pack, SchemaPack)]
            started = process_time()
            tree = parse_xml(content)
            for ask in schemas:
                ask(document, tree, facts)
            read = process_time()
            for ask in rules:
                ask(document, tree, facts)
            if repetition:
                runs[i].append((read - started, process_time() - read))
    per_document = [tuple(map(median, zip(*each, strict=True))) for each in runs.values()]
    bench("rules_parse_xsd_ms", 1000 * median(before for before, _ in per_document), "ms")
    bench("rules_all_packs_ms", 1000 * median(after for _, after in per_document), "ms")
    bench("rules_vs_parse_xsd", median(after / before for before, after in per_document), "times")
