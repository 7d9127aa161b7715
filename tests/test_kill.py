"""Three hundred files through the loop while the gateway is killed with SIGKILL at forty random moments; on PostgreSQL
at ten.

The simulator's own refusal of duplicates is off, so that it cannot hide a double sending of ours: it must have
received every document exactly once. The seed is printed; GATEWAY_KILL_SEED replays it, GATEWAY_KILLS sets how
many kills, on either ledger.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.config import Configuration
from gateway.refresh import refresh_buyers
from gateway.simulator import running_simulator
from tests.ledger.ledgers import postgresql_schema
from tests.loop import BUYERS, ENVIRON, SUPPLIER, drop, write_configuration
from tests.simulator.paper import Paper

KILLS = int(os.environ.get("GATEWAY_KILLS", "0"))
FILES = 300
EJ_MANDATORY = "12345678200036"


@dataclass
class Dropped:
    """What was dropped, and what must have come of it."""

    files: dict[str, bytes] = field(default_factory=dict)
    partner: dict[str, str] = field(default_factory=dict)
    to_send: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)


@pytest.fixture
def seed() -> int:
    chosen = int(os.environ.get("GATEWAY_KILL_SEED", random.randrange(2**32)))
    print(f"replay with GATEWAY_KILL_SEED={chosen}")
    return chosen


@pytest.mark.parametrize(("ledger", "kills"), [("sqlite", KILLS or 40), ("postgresql", KILLS or 10)])
def test_kills_lose_nothing_and_send_nothing_twice(tmp_path: Path, seed: int, ledger: str, kills: int) -> None:
    chance = random.Random(seed)
    dropped = make_files(chance)
    with (
        nullcontext("") if ledger == "sqlite" else postgresql_schema() as url,
        running_simulator(clock="real", flow_delay_s=0.3, refuse_duplicates=False) as simulator,
    ):
        config = write_configuration(
            tmp_path, simulator, documents_per_flow=20, settle=("1500ms", "2500ms", "4s"), ledger=url
        )
        refresh_buyers(Configuration(config, ENVIRON), BUYERS)
        # Chorus Pro takes the flow at once and answers late: many kills fall between the two.
        simulator.fault("delay", "deposer/flux", times=FILES * 10, seconds=0.4, processed=True)
        names = list(dropped.files)
        killed = 0
        for turn in range(kills):
            for name in names[turn * FILES // kills : (turn + 1) * FILES // kills]:
                drop(tmp_path / dropped.partner[name] / "in", name, dropped.files[name])
            killed += run_and_kill(config, after_s=chance.uniform(0.5, 3.5))
        final = start(config)
        code = final.wait(timeout=240)
        assert code == 0, f"the last run, left alone, reaches its goal: {(tmp_path / 'stderr.txt').read_text()[-3000:]}"
        deposits = simulator.deposits()
    print(f"{killed} of {kills} runs were killed before they ended; {len(deposits)} flows")

    received = Counter(document["number"] for deposit in deposits for document in deposit["documents"])
    assert {n for n, times in received.items() if times > 1} == set(), "nothing is sent twice"
    assert set(received) == dropped.to_send, "nothing is lost, and nothing goes that should not"
    assert_folders_are_empty(tmp_path)
    assert_every_file_has_its_acks(tmp_path, dropped)
    assert_originals_are_kept(tmp_path, dropped)


def make_files(chance: random.Random) -> Dropped:
    """Single invoices, archives of three, refusals of each kind, and files dropped twice."""
    dropped = Dropped()
    index = 0
    while len(dropped.files) < FILES:
        index += 1
        partner = chance.choice(("erp", "edi"))
        lot = chance.random()
        if lot < 0.06:
            papers = [Paper(number=f"Z{index}-{i}", seller=SUPPLIER) for i in range(3)]
            add(dropped, f"lot{index}.zip", zipped([p.ubl() for p in papers]), partner)
            dropped.to_send.update(p.number for p in papers)
        elif lot < 0.12:
            paper = Paper(number=f"R{index}", seller=SUPPLIER, buyer=EJ_MANDATORY)
            add(dropped, f"sans-ej{index}.xml", paper.ubl(), partner)
            dropped.refused.add(paper.number)
        elif lot < 0.16:
            add(
                dropped,
                f"casse{index}.xml",
                b"<Invoice><a></b></Invoice>" + str(index).encode() + b"</Invoice>",
                partner,
            )
        elif lot < 0.20 and dropped.to_send:
            again = chance.choice([n for n in dropped.files if n.startswith("facture")])
            add(dropped, f"encore{index}.xml", dropped.files[again], dropped.partner[again])
        else:
            paper = Paper(number=f"F{index}", seller=SUPPLIER)
            content = paper.cii() if chance.random() < 0.3 else paper.ubl()
            add(dropped, f"facture{index}.xml", content, partner)
            dropped.to_send.add(paper.number)
    return dropped


def add(dropped: Dropped, name: str, content: bytes, partner: str) -> None:
    dropped.files[name] = content
    dropped.partner[name] = partner


def zipped(contents: list[bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for i, content in enumerate(contents):
            archive.writestr(zipfile.ZipInfo(f"{i}.xml"), content)
    return buffer.getvalue()


def start(config: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gateway", "run", "--once", "--until", "integrated", "--max-wait", "200s"]
    with (config.parent / "stderr.txt").open("ab") as log:
        return subprocess.Popen(
            [*command, "--config", str(config)],
            env={**os.environ, **ENVIRON},
            stdout=subprocess.DEVNULL,
            stderr=log,
        )


def run_and_kill(config: Path, after_s: float) -> bool:
    """Start a run and kill it after a while; False when it had ended by itself."""
    process = start(config)
    time.sleep(after_s)
    ended = process.poll() is not None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return not ended


def assert_folders_are_empty(folder: Path) -> None:
    for partner in ("erp", "edi"):
        assert list((folder / partner / "in").iterdir()) == []
        assert list((folder / partner / ".claimed").iterdir()) == []


def assert_every_file_has_its_acks(folder: Path, dropped: Dropped) -> None:
    rows = acks_of(folder)
    ids = Counter(row["ack_id"] for row in rows)
    assert {i for i, n in ids.items() if n > 1} == set(), "no ack is told twice"
    receipts = Counter(
        (row["partner"], row["file_name"]) for row in rows if row["level"] == "receipt" and not row["document_id"]
    )
    assert receipts == Counter((dropped.partner[n], n) for n in dropped.files), "each file has exactly one receipt"
    events = Counter((row["document_number"], row["event"]) for row in rows if row["level"] == "decision")
    expected = {(n, "deposited") for n in dropped.to_send} | {(n, "refused") for n in dropped.refused}
    assert set(events) == expected
    assert set(events.values()) == {1}, "each document has exactly one decision"
    sequences: dict[tuple[str, str], set[int]] = {}
    for row in rows:
        sequences.setdefault((row["partner"], row["level"]), set()).add(int(row["ack_seq"]))
    for key, numbers in sequences.items():
        assert numbers == set(range(1, len(numbers) + 1)), f"the sequence of {key} has a gap"


def acks_of(folder: Path) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for path in sorted((folder / "erp" / "out").glob("*.csv")):
        if ".findings." not in path.name:
            with path.open(newline="", encoding="utf-8") as file:
                rows.extend(csv.DictReader(file, delimiter=";"))
    for path in sorted((folder / "edi" / "out").glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            rows.append({key: "" if value is None else str(value) for key, value in row.items()})
    hidden = [p for partner in ("erp", "edi") for p in (folder / partner / "out").iterdir() if p.name.startswith(".")]
    assert hidden == [], "nothing half-written is left in out/"
    return rows


def assert_originals_are_kept(folder: Path, dropped: Dropped) -> None:
    kept = Counter(
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (folder / "state" / "archive" / "originals").rglob("*")
        if path.is_file()
    )
    wanted = Counter(hashlib.sha256(content).hexdigest() for content in dropped.files.values())
    assert kept == wanted, "every original is in the archive, byte for byte"
