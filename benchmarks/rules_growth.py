"""The compiled official rules by number of lines, at the start of a process, and in memory (part of `rules`)."""

from __future__ import annotations

import gc
import multiprocessing
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, Final

from benchmarks.figures import bench
from gateway.rules.rulebook.cache import RulebookCache
from gateway.rules.rulebook.engine import Rulebook, load_rulebook
from gateway.rules.rulebook.runtime.tree import Trees
from tests.rules.rulebook.big import SHEETS, Syntax, clean, grouped, parsed, spoilt

#: Number of lines, and how often each is measured.
_LINES: Final = {10: 9, 100: 7, 1_000: 3, 10_000: 2}
_TREE: Final = "tree"


# --- by number of lines ----------------------------------------------------------------------------------------


def curves() -> None:
    """Every pack, and the tree that they share, on clean lines, lines that each break rules, and lines in groups."""
    growth: dict[str, float] = {}
    for syntax in Syntax:
        trees = Trees()
        books = {name: load_rulebook(sheet, trees) for name, sheet in syntax.sheets.items()}
        for make in (clean, spoilt, grouped):
            points = [_point(make(syntax, lines), times, trees, books) for lines, times in _LINES.items()]
            for name in points[0]:
                label = f"{name if name != _TREE else f'{name}_{syntax}'}_{make.__name__}"
                growth[label] = _curve(label, [point[name] for point in points])
    steepest = max(growth, key=lambda label: growth[label])
    print(f"steepest from 1,000 to 10,000 lines: {steepest}")
    bench("rules_linear_worst", growth[steepest], "times")


def _point(content: bytes, times: int, trees: Trees, books: Mapping[str, Rulebook]) -> dict[str, float]:
    """Seconds of each pack on one document."""
    runs: dict[str, list[float]] = defaultdict(list)
    for _ in range(times):
        document = parsed(content)
        started = process_time()
        trees.of(document)
        runs[_TREE].append(process_time() - started)
        for name, book in books.items():
            started = process_time()
            book.run(document)
            runs[name].append(process_time() - started)
    return {name: median(each) for name, each in runs.items()}


def _curve(label: str, seconds: Sequence[float]) -> float:
    """Print it, and tell how many times as long a line takes among 10,000 as among 1,000."""
    for lines, each in zip(_LINES, seconds, strict=True):
        bench(f"rules_{label}_{lines}_lines_ms", 1000 * each, "ms")
    (_, _, fewer, more), (*_, before, last) = _LINES, seconds
    bench(f"rules_{label}_per_line_us", 1e6 * last / more, "µs")
    growth = last / before / (more / fewer)
    bench(f"rules_linear_{label}", growth, "times")
    return growth


# --- at start --------------------------------------------------------------------------------------------------


def starts() -> None:
    """New processes: the packs of a UBL invoice, compiled and from the cache; all packs, and what they weigh."""
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as name:
        folder = Path(name) / "cache"
        needed = ("en16931-ubl", "br-fr-ubl")
        bench("rules_cold_start_ubl_ms", 1000 * _elsewhere(_start, folder, needed)[0], "ms")
        bench("rules_cached_start_ubl_ms", 1000 * _elsewhere(_start, folder, needed)[0], "ms")
        seconds, megabytes = _elsewhere(_start, folder, tuple(SHEETS))
        bench("rules_cold_start_all_ms", 1000 * seconds, "ms")
        bench("rules_memory_compiling_mb", megabytes, "MB")
        seconds, megabytes = _elsewhere(_start, folder, tuple(SHEETS))
        bench("rules_cached_start_all_ms", 1000 * seconds, "ms")
        bench("rules_memory_mb", megabytes, "MB")


def _start(folder: Path, names: Sequence[str]) -> tuple[float, float]:
    """Seconds to load the packs, and the memory that they take when each has judged a document."""
    gc.collect()
    before = _resident_mb()
    started = process_time()
    trees, cache = Trees(), RulebookCache(folder)
    books = {name: load_rulebook(SHEETS[name], trees, cache) for name in names}
    seconds = process_time() - started
    for syntax in Syntax:
        document = parsed(clean(syntax, 5))
        for name in syntax.sheets.keys() & books.keys():
            books[name].run(document)
    gc.collect()
    return seconds, _resident_mb() - before


def _resident_mb() -> float:
    status = Path("/proc/self/status").read_text("ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1000


def _elsewhere(work: Callable[..., Any], *arguments: object) -> Any:
    """What `work` gives in a new process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)
