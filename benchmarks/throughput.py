"""Small UBL and CII files from drop to deposited and told: files a second, memory, and the time of each step.

The gateway runs here with its worker processes, the simulator in a process of its own on the same machine, so part
of the two processors goes to it. Flows hold 100 documents; every commit is durable. GATEWAY_BENCH_FILES sets how
many files (5,000), GATEWAY_BENCH_LEDGER the address of an empty PostgreSQL database (SQLite).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import requests

from benchmarks.figures import bench, children_of, peak_mb
from gateway.app import Gateway
from gateway.config import Configuration
from gateway.observability import configure_logging
from gateway.once import Goal, OneRun
from gateway.refresh import refresh_buyers
from tests.loop import BUYERS, ENVIRON, SECOND_SUPPLIER, SUPPLIER, write_configuration
from tests.simulator.paper import Paper

FILES = int(os.environ.get("GATEWAY_BENCH_FILES", "5000"))
LEDGER = os.environ.get("GATEWAY_BENCH_LEDGER", "")


def main() -> None:
    """Measure one run."""
    configure_logging("error", "console")
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as folder, simulator(Path(folder)) as chorus:
        config = write_configuration(Path(folder), chorus, documents_per_flow=100, ledger=LEDGER)
        config.write_text(config.read_text().replace("processes = 1", "processes = 2"))
        configuration = Configuration(config, ENVIRON)
        refresh_buyers(configuration, BUYERS)
        make_files(Path(folder))
        gateway = Gateway(configuration)
        spent = clocked(gateway)
        started = time.perf_counter()
        outcome = OneRun(gateway, Goal.DEPOSITED, timedelta(minutes=30)).run()
        seconds = time.perf_counter() - started
        peaks = [peak_mb(pid) for pid in (os.getpid(), *children_of(os.getpid()))]
        gateway.close()
        receipts = requests.get(f"{chorus.url}/_simulator/state", timeout=60).json()
        sent = sum(len(deposit["documents"]) for deposit in receipts["deposits"])
    assert outcome.reached and outcome.received == FILES and sent == FILES, (outcome, sent)
    bench("gateway_files_per_s", FILES / seconds, "files/s")
    bench("gateway_ms_per_file", 1000 * seconds / FILES, "ms")
    bench("gateway_peak_mb", max(peaks), "MB")
    for name, step_seconds in sorted(spent.items(), key=lambda item: -item[1]):
        bench(f"gateway_step_{name}_ms_per_file", 1000 * step_seconds / FILES, "ms")


def make_files(folder: Path) -> None:
    """Half UBL, half CII, two partners' worth of them in one folder."""
    for index in range(FILES):
        paper = Paper(number=f"B{index}", seller=(SUPPLIER, SECOND_SUPPLIER)[index % 2])
        inbox = folder / "erp" / "in"
        inbox.mkdir(parents=True, exist_ok=True)
        (inbox / f"{index:06d}.xml").write_bytes(paper.cii() if index % 4 > 1 else paper.ubl())


def clocked(gateway: Gateway) -> dict[str, float]:
    """Seconds that each step took, filled while it runs."""
    spent: dict[str, float] = defaultdict(float)

    def around(name: str, work: Callable[..., int]) -> Callable[..., int]:
        def run(**wishes: bool) -> int:
            started = time.perf_counter()
            try:
                return work(**wishes)
            finally:
                spent[name] += time.perf_counter() - started

        return run

    for step in (gateway.receive, gateway.open, gateway.judge, gateway.decide, gateway.deposit, gateway.tell):
        setattr(step, "run", around(step.name, step.run))  # noqa: B010
    make_pack = gateway.pack

    def pack(*, patient: bool) -> object:
        step = make_pack(patient=patient)
        setattr(step, "run", around(step.name, step.run))  # noqa: B010
        return step

    setattr(gateway, "pack", pack)  # noqa: B010
    return spent


class Chorus:
    """The simulator's addresses, in the shape that the configuration writer wants."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.token_url = f"{url}/api/oauth/token"


@contextmanager
def simulator(folder: Path) -> Iterator[Chorus]:
    """The simulator in a process of its own."""
    state = str(folder / "simulator.sqlite3")
    command = [sys.executable, "-m", "gateway.simulator", "--port", "0", "--state", state]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        url = next(word for line in process.stdout for word in line.split() if word.startswith("http"))
        yield Chorus(url)
    finally:
        process.terminate()
        process.wait(timeout=10)
