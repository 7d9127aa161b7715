"""The documents that mutants start from: those of the corpus that a pack finds valid or nearly so.

Chosen by kind, profile and what the oracle says, never by name: small ones first, for each is run thousands of times,
and of those as few as show all the elements that they know together.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from lxml import etree

from gateway.parsers.xml import parse_xml
from gateway.rules.rulebook.outcome import Outcome

_SMALL_BYTES: Final = 60_000
_CANDIDATES: Final = 80
_NEARLY: Final = 3  #: findings
_CHOSEN: Final = 10
_INDEX: Final = re.compile(r"\[\d+\]")


def profile_of(sheet: Path) -> str:
    """The Factur-X profile that a sheet is for, "" for the sheets that are for any."""
    folder = sheet.parent.name
    return folder.removeprefix("facturx-") if folder.startswith("facturx-") else ""


def candidates(corpus: Path, sheet: Path) -> dict[str, bytes]:
    """The documents that the sheet is for, the smallest first."""
    wanted = "cii" if "cii" in sheet.parent.name or profile_of(sheet) else "ubl"
    profiles = {row["path"]: row.get("facturx_profile", "") for row in _rows(corpus / "measured.jsonl")}
    found = [
        row
        for row in _rows(corpus / "manifest.jsonl")
        if row["kind"].startswith(wanted)
        and row.get("subkind") is None
        and row["size"] <= _SMALL_BYTES
        and profiles.get(row["path"], "") == (profile_of(sheet) or profiles.get(row["path"], ""))
    ]
    found.sort(key=lambda row: (row["size"], row["path"]))
    return {row["path"]: (corpus / row["path"]).read_bytes() for row in found}


def start_documents(corpus: Path, sheet: Path, oracle: Callable[[bytes], Outcome]) -> dict[str, bytes]:
    """The chosen ones, by path."""
    known = candidates(corpus, sheet)
    step = max(1, len(known) // _CANDIDATES)
    judged: list[tuple[int, str, frozenset[str]]] = []
    for path in list(known)[::step]:
        outcome = oracle(known[path])
        if not outcome.aborts:
            judged.append((len(outcome.fired), path, _places(known[path])))
    fewest = min(count for count, _, _ in judged)
    good = [entry for entry in judged if entry[0] <= fewest + _NEARLY]
    chosen: dict[str, bytes] = {}
    seen: set[str] = set()
    while good and len(chosen) < _CHOSEN:
        best = max(good, key=lambda entry: (len(entry[2] - seen) / (1 + len(known[entry[1]]) / 20_000), entry[1]))
        if chosen and not best[2] - seen:
            break
        good.remove(best)
        seen |= best[2]
        chosen[best[1]] = known[best[1]]
    return chosen


def _places(xml: bytes) -> frozenset[str]:
    """The chains of tags in it."""
    tree = parse_xml(xml)
    return frozenset(_INDEX.sub("", tree.getelementpath(element)) for element in tree.iter(etree.Element))


def _rows(path: Path) -> list[Mapping[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
