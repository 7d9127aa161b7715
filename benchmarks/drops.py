"""From the close of a file that the real `sftp` client puts to our own server until its decision stands in the ledger,
and until its acknowledgement stands in `out/`: how long, one drop after the other.

Folders are looked through once an hour here and nobody listens to their events, so that only what the server tells
counts. DROPS: how many (500).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import text

from benchmarks.figures import bench
from gateway.observability import configure_logging
from gateway.schedule import Service
from gateway.simulator import running_simulator
from gateway.transports.local import Look
from tests.loop import Loop, loop_in
from tests.simulator.paper import DEMANDS_EJ, Paper

_DROPS: Final = int(os.environ.get("DROPS", "500"))
_WARM: Final = 5
_PATIENCE_S: Final = 60.0
#: When each file was decided, and when the acknowledgement of it stood in `out/`.
_MOMENTS: Final = text(
    "SELECT i.file_name, d.at, f.written_at FROM interchange i JOIN document o ON o.interchange_id = i.id "
    "JOIN audit d ON d.subject = o.id AND d.what = 'judged>refused' "
    "LEFT JOIN ack a ON a.document_id = o.id AND a.level = 'decision' LEFT JOIN ack_file f ON f.id = a.file_id"
)


def main() -> None:
    """Drop, wait, and say how long it took."""
    if shutil.which("sftp") is None:
        print("drops: sftp (OpenSSH's client) is not installed: nothing measured")
        return
    configure_logging("error", "console")
    with tempfile.TemporaryDirectory() as home, running_simulator() as simulator:
        folder = Path(home)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "key"], check=True)
        with loop_in(folder / "gateway", simulator) as loop:
            _serving(loop, folder / "key.pub")
            service = Service(loop.gateway)
            closed = _closed(loop)
            service.start()
            try:
                for number in range(_WARM):  # the rule packs are loaded when they are first wanted
                    _drop(folder, service, number)
                    _decided(loop, number + 1)
                for number in range(_WARM, _WARM + _DROPS):
                    _drop(folder, service, number)
                moments = _decided(loop, _WARM + _DROPS)
            finally:
                service.stop()
    names = [f"F-{number}.xml" for number in range(_WARM, _DROPS + _WARM)]
    _tell("drop_to_decision", [(moments[name][0] - closed[name]).total_seconds() for name in names])
    _tell("drop_to_ack", [(moments[name][1] - closed[name]).total_seconds() for name in names])


def _serving(loop: Loop, public: Path) -> None:
    main = loop.folder / "gateway.toml"
    slow = main.read_text("utf-8").replace('rescan = "1s"', 'rescan = "1h"\nwatch = false')
    main.write_text(slow + '\n[sftp_server]\nlisten = "127.0.0.1:0"\n', "utf-8")
    partner = loop.folder / "partners.d" / "erp.toml"
    partner.write_text(partner.read_text("utf-8") + f'\n[login]\nkeys = "{public}"\n', "utf-8")
    loop.restart()


def _closed(loop: Loop) -> dict[str, datetime]:
    """When each file was closed: the moment at which the server tells it."""
    closed: dict[str, datetime] = {}
    registry = loop.gateway.closed
    note = registry.note

    def noting(folder: Path, look: Look) -> None:
        closed[look.name.decode()] = datetime.now(UTC)
        note(folder, look)

    registry.note = noting  # type: ignore[method-assign]
    return closed


def _drop(folder: Path, service: Service, number: int) -> None:
    assert service.front is not None
    invoice = folder / f"F-{number}.xml"
    invoice.write_bytes(Paper(number=f"F-{number}", buyer=DEMANDS_EJ).ubl())
    subprocess.run(
        ["sftp", "-q", "-b", "-", "-i", folder / "key", "-P", str(service.front.server.port),
         "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={folder / 'known'}",
         "-o", "IdentitiesOnly=yes", "erp@127.0.0.1"],
        input=f"put {invoice} in/{invoice.name}\n", text=True, capture_output=True, check=True,
    )  # fmt: skip


def _decided(loop: Loop, drops: int) -> dict[str, tuple[datetime, datetime]]:
    """When each was decided and told, once so many are."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        with loop.gateway.ledger.reading() as unit:
            rows = unit.connection.execute(_MOMENTS).all()
        told = {row[0]: (_moment(row[1]), _moment(row[2])) for row in rows if row[2] is not None}
        if len(told) == drops:
            return told
        if time.monotonic() > deadline:
            raise SystemExit(f"drops: {len(told)} of {drops} were told")
        time.sleep(0.1)


def _moment(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp).replace(tzinfo=UTC)


def _tell(name: str, seconds: list[float]) -> None:
    ordered = sorted(seconds)
    bench(f"{name}_drops", len(ordered), "drops")
    bench(f"{name}_median_ms", 1000 * ordered[len(ordered) // 2], "ms")
    bench(f"{name}_p99_ms", 1000 * ordered[int(len(ordered) * 0.99)], "ms")
