"""All packs, and a process with little memory and little time for each hostile document that they judge.

`Confined` starts `python -m tests.rules.rulebook.confined FOLDER` (FOLDER: a cache of compiled sheets) and asks it.
There the packs are loaded once; each document has a child of its own. What comes back is numbers: how much each pack
said, what its verdict is, and what that cost. Making the document and its tree is in the time of no pack.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from time import process_time
from types import TracebackType
from typing import Any, Final, Self

from lxml import etree

from gateway.domain.document import Document, Kind
from gateway.domain.facts import Facts
from gateway.domain.issuer import Route
from gateway.rules.pack import PackResult
from gateway.rules.rulebook.cache import RulebookCache
from gateway.rules.rulebook.engine import load_rulebook
from gateway.rules.rulebook.outcome import Outcome
from gateway.rules.rulebook.pack import Rulebook, RulebookPack
from gateway.rules.rulebook.runtime.tree import Trees
from gateway.rules.spec import PackSpec, packs_file, read_specs
from tests.rules.rulebook.big import SHEETS, Syntax, parsed, spoilt
from tests.rules.rulebook.hostile import MAKERS

_ROOT: Final = Path(__file__).parents[3]


class Watched:
    """One sheet, run by the pack that ships it, but with a ceiling of ours; what it said last is kept."""

    def __init__(self, name: str, book: Rulebook) -> None:
        self.name = name
        self._book = book
        spec, kind = _shipped(SHEETS[name])
        self._pack = RulebookPack(spec, {kind: self})
        self._document = Document(kind)
        self._seconds = 0.0
        self._took = 0.0
        self.outcome = Outcome(())

    def judge(self, tree: etree._ElementTree, seconds: float) -> PackResult:
        """What the pack makes of what the sheet says."""
        self._seconds, self._took = seconds, -1.0
        result = self._pack.run(self._document, tree, Facts(today=date(2026, 11, 23), route=Route.CHORUS_API))
        assert self._took >= 0, f"the sheet was not asked: {result.reason}"
        return result

    def run(self, tree: etree._ElementTree, seconds: float, most: int) -> Outcome:
        """For the pack, which asks for its own ceiling."""
        started = process_time()
        self.outcome = self._book.run(tree, self._seconds, most)
        self._took = process_time() - started
        return self.outcome

    def told(self, tree: etree._ElementTree, seconds: float) -> dict[str, Any]:
        """The same in numbers."""
        result = self.judge(tree, seconds)
        return {
            "pack": self.name,
            "fired": len(self.outcome.fired) + self.outcome.omitted,
            "unfinished": self.outcome.unfinished,
            "verdict": result.verdict,
            "missing": result.missing,
            "characters": sum(len(fired.location) + len(fired.message) for fired in self.outcome.fired),
            "seconds": round(self._took, 2),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }


def _shipped(sheet: Path) -> tuple[PackSpec, Kind]:
    """The pack that ships a sheet, and what it judges by it."""
    for spec in read_specs(packs_file()):
        for kind, root in spec.roots.items():
            if spec.folder / root == sheet:
                return spec, kind
    raise LookupError(sheet)


class Confined:
    """The packs in their process. A document whose child did not end well fails the test that asked."""

    def __init__(self, cache: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(cache)],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.communicate()

    def judge(self, name: str, size: int, seconds: float, megabytes: int, runaway_s: int) -> dict[str, dict[str, Any]]:
        """What each pack says of a document of this kind and size, by pack."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(name, size, seconds, megabytes, runaway_s, file=self._process.stdin, flush=True)
        said: dict[str, dict[str, Any]] = {}
        for line in self._process.stdout:
            each = json.loads(line)
            if "ended" in each:
                assert each["ended"] == 0, f"{name} of {size} ended with {each['ended']} after {list(said)}"
                return said
            said[each.pop("pack")] = each
        raise AssertionError("the packs could not be loaded")


# --- inside ----------------------------------------------------------------------------------------------------


def loaded(syntax: Syntax, cache: RulebookCache) -> tuple[Trees, list[Watched]]:
    """The packs of a syntax, each of which has judged a document before: its texts are there."""
    trees = Trees()
    books = [Watched(name, load_rulebook(sheet, trees, cache)) for name, sheet in syntax.sheets.items()]
    for book in books:
        book.judge(parsed(spoilt(syntax, 1)), float("inf"))
    return trees, books


def _judge(packs: Iterable[tuple[Syntax, Trees, list[Watched]]], name: str, size: int, seconds: float) -> None:
    for syntax, trees, books in packs:
        tree = MAKERS[name](syntax, size)
        trees.of(tree)
        for book in books:
            print(json.dumps(book.told(tree, seconds)), flush=True)
        del tree  # before the next one is made


def _confine(megabytes: int, runaway_s: int) -> None:
    """The kernel ends what takes more memory or more of the processor, or hangs."""
    limit = megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CPU, (runaway_s, runaway_s))
    signal.alarm(4 * runaway_s)


def main(folder: str) -> None:
    """Judge what is asked on the standard input, a line each."""
    cache = RulebookCache(Path(folder))
    packs = [(syntax, *loaded(syntax, cache)) for syntax in Syntax]
    for line in sys.stdin:
        name, size, seconds, megabytes, runaway_s = line.split()
        child = os.fork()
        if child == 0:
            try:
                _confine(int(megabytes), int(runaway_s))
                _judge(packs, name, int(size), float(seconds))
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
        _, status = os.waitpid(child, 0)
        print(json.dumps({"ended": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
