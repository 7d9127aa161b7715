"""Every file of the corpus opened and judged in one process: how long, which file is the slowest, how much memory."""

from __future__ import annotations

import os
import time
from datetime import date
from pathlib import Path

from benchmarks.figures import bench, peak_mb
from gateway.domain.issuer import Route
from gateway.validation import Wish, files_of, worker

CORPUS = Path(os.environ.get("GATEWAY_CORPUS", Path(__file__).parents[2] / "shared" / "corpus"))


def main() -> None:
    """Measure all files, each by itself."""
    if not CORPUS.is_dir():
        print(f"corpus: no folder {CORPUS} (GATEWAY_CORPUS): nothing measured")
        return
    work = worker(Wish(Route.CHORUS_API, date(2026, 11, 23)))
    timings = []
    for index, path in enumerate(files_of([CORPUS])):
        started = time.perf_counter()
        work((index, path))
        timings.append((time.perf_counter() - started, path))
    timings.sort()
    seconds, slowest = timings[-1]
    bench("corpus_files", len(timings), "files")
    bench("corpus_median_ms", 1000 * timings[len(timings) // 2][0], "ms")
    bench("corpus_slowest_ms", 1000 * seconds, "ms")
    bench("corpus_peak_mb", peak_mb(os.getpid()), "MB")
    print(f"slowest: {slowest.relative_to(CORPUS)}")
