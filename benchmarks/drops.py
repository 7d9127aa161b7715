"""From the close of a file that the real `sftp` client puts into the running demo until its decision stands in the
ledger, and until its acknowledgement stands in `out/`: how long, one drop after the other.

The demo is a process of its own (`gateway demo --stay`), its time that of the machine; folders are looked through once
a second there, so that a wait for the next look would show. DROPS: how many (500).
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.figures import bench
from gateway.demo.bodies import COUNTY
from gateway.demo.invoices import ubl_invoice
from gateway.demo.scene import WORKSHOP
from gateway.demo.spec import InvoiceSpec

_DROPS: Final = int(os.environ.get("DROPS", "500"))
_WARM: Final = 5
_PATIENCE_S: Final = 60.0
#: When each file was decided, and when the acknowledgement of it stood in `out/`.
_MOMENTS: Final = (
    "SELECT i.file_name, d.at, f.written_at FROM interchange i JOIN document o ON o.interchange_id = i.id "
    "JOIN audit d ON d.subject = o.id AND d.what = 'judged>refused' "
    "JOIN ack a ON a.document_id = o.id AND a.level = 'decision' JOIN ack_file f ON f.id = a.file_id "
    "WHERE i.file_name LIKE 'drop-%' AND f.written_at IS NOT NULL"
)


def main() -> None:
    """Drop, wait, and say how long it took."""
    if shutil.which("sftp") is None:
        print("drops: sftp (OpenSSH's client) is not installed: nothing measured")
        return
    with tempfile.TemporaryDirectory() as home, _demo(Path(home) / "demo") as push:
        folder = Path(home)
        for number in range(_WARM):  # the rule packs are loaded when they are first wanted
            _drop(folder, push, number)
        _told(folder / "demo", _WARM)
        for number in range(_WARM, _WARM + _DROPS):
            _drop(folder, push, number)
        moments = _told(folder / "demo", _WARM + _DROPS)
        closed = _closed(folder / "demo")
    names = [_name(number) for number in range(_WARM, _WARM + _DROPS)]
    _tell("drop_to_decision", [(moments[name][0] - closed[name]).total_seconds() for name in names])
    _tell("drop_to_ack", [(moments[name][1] - closed[name]).total_seconds() for name in names])


@contextmanager
def _demo(folder: Path) -> Iterator[list[str]]:
    """The running demo, and the command with which its ERP pushes."""
    command = [sys.executable, "-m", "gateway", "demo", "--folder", str(folder), "--stay", "--speed", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = ""
        while "or drop them into" not in said:
            line = process.stdout.readline()
            if not line:
                raise SystemExit(f"drops: the demo has ended\n{said[-2000:]}")
            said += line
        (printed,) = (line for line in said.splitlines() if line.startswith("  sftp -P"))
        program, *rest = shlex.split(printed)
        yield [program, "-q", "-b", "-", *rest]
        process.send_signal(signal.SIGINT)


def _name(number: int) -> str:
    return f"drop-{number}.xml"


def _drop(folder: Path, push: list[str], number: int) -> None:
    """An invoice without the order number that its buyer demands."""
    invoice = folder / _name(number)
    today = datetime.now(UTC).date()
    invoice.write_bytes(ubl_invoice(InvoiceSpec(f"DROP-{number}", today, WORKSHOP, COUNTY.company)))
    subprocess.run(push, input=f"put {invoice} in/{invoice.name}\n", text=True, capture_output=True, check=True)


def _told(demo: Path, drops: int) -> dict[str, tuple[datetime, datetime]]:
    """When each was decided and told, once so many are."""
    deadline = time.monotonic() + _PATIENCE_S
    (ledger,) = (demo / "state").glob("ledger*.sqlite3")
    while True:
        with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as connection:
            told = {name: (_moment(at), _moment(to)) for name, at, to in connection.execute(_MOMENTS)}
        if len(told) == drops:
            return told
        if time.monotonic() > deadline:
            raise SystemExit(f"drops: {len(told)} of {drops} were told")
        time.sleep(0.1)


def _closed(demo: Path) -> dict[str, datetime]:
    """When each file was closed, as the server's audit has it: before anything is done with it."""
    lines = (json.loads(line) for line in (demo / "gateway.log").read_text("utf-8").splitlines() if line[:1] == "{")
    return {
        line["path"].removeprefix("/in/"): _moment(line["timestamp"])
        for line in lines
        if line.get("operation") == "put" and line["outcome"] == "ok"
    }


def _moment(stamp: str) -> datetime:
    found = datetime.fromisoformat(stamp)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _tell(name: str, seconds: list[float]) -> None:
    ordered = sorted(seconds)
    bench(f"{name}_drops", len(ordered), "drops")
    bench(f"{name}_median_ms", 1000 * ordered[len(ordered) // 2], "ms")
    bench(f"{name}_p99_ms", 1000 * ordered[int(len(ordered) * 0.99)], "ms")
