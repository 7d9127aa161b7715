"""Telling: acknowledgement files appear whole, once, in order and on schedule, whatever happens to us or to `out/`."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.acks.outbox import Outbox
from gateway.domain.states import AckState
from gateway.once import Goal
from tests.loop import Loop
from tests.simulator.paper import DEMANDS_EJ, Paper

REFUSED = Paper(number="R-1", buyer=DEMANDS_EJ)


def out(loop: Loop, partner: str = "erp") -> list[str]:
    return sorted(path.name for path in (loop.folder / partner / "out").iterdir())


def sequences(loop: Loop, partner: str, level: str) -> list[int]:
    return sorted({int(row["ack_seq"]) for row in loop.acks(partner) if row["level"] == level})


def refuse(loop: Loop, number: str, partner: str = "erp") -> None:
    loop.drop(f"{number}.xml", Paper(number=number, buyer=DEMANDS_EJ).ubl(), partner)
    loop.take()


def test_a_tick_makes_one_file_a_level_and_an_interchange_its_own(loop: Loop) -> None:
    for number in ("1", "2"):
        refuse(loop, f"R-{number}")
        refuse(loop, f"E-{number}", "edi")
    loop.gateway.tell.run()

    assert [re.sub(r"_\d{8}T\d{6}Z", "", name) for name in out(loop)] == [
        "erp_decision_00000001.csv",
        "erp_decision_00000001.findings.csv",
        "erp_receipt_00000001.csv",
    ]
    assert out(loop, "edi") == [
        "E-1.decision.00000001.jsonl",
        "E-1.receipt.00000001.jsonl",
        "E-2.decision.00000002.jsonl",
        "E-2.receipt.00000002.jsonl",
    ]
    row = json.loads((loop.folder / "edi/out/E-1.decision.00000001.jsonl").read_text())
    assert row["findings"][0]["rule"] == "CHORUS-EJ-MISSING"


def test_sequences_have_no_gap_over_restarts(loop: Loop) -> None:
    for number in range(1, 5):
        refuse(loop, f"R-{number}")
        refuse(loop, f"E-{number}", "edi")
        loop.gateway.tell.run()
        loop.restart()
        loop.gateway.tell.run()

    for partner in ("erp", "edi"):
        for level in ("receipt", "decision"):
            assert sequences(loop, partner, level) == [1, 2, 3, 4]
    assert len({row["ack_id"] for row in loop.acks()}) == len(loop.acks()) == 8


def test_killed_between_fixing_and_writing_the_same_file_appears(loop: Loop) -> None:
    refuse(loop, "R-1")
    folder = loop.folder / "erp" / "out"
    folder.rmdir()
    loop.gateway.tell.run()  # fixed in the ledger; nowhere to write
    with loop.gateway.ledger.reading() as unit:
        fixed = {n: c for f in unit.ack_files(AckState.OWED, "erp", 10) for n, c in unit.ack_parts(f.id)}
    assert fixed
    folder.mkdir()
    loop.simulator.advance(timedelta(hours=5))
    loop.restart()
    loop.gateway.tell.run()

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == fixed


def test_killed_between_writing_and_noting_it_nothing_is_told_twice(loop: Loop) -> None:
    refuse(loop, "R-1")
    folder = loop.folder / "erp" / "out"
    folder.rmdir()
    loop.gateway.tell.run()
    folder.mkdir()
    with loop.gateway.ledger.reading() as unit:
        files = unit.ack_files(AckState.OWED, "erp", 10)
        parts = [unit.ack_parts(file.id) for file in files]
    for part in parts:
        Outbox(folder).write([_Named(name, content) for name, content in part])
    before = out(loop)
    loop.restart()
    loop.gateway.tell.run()

    assert out(loop) == before
    assert len(loop.acks()) == 2


class _Named:
    def __init__(self, name: str, content: bytes) -> None:
        self.name, self.content = name, content


@pytest.mark.parametrize("trouble", ["missing", "a file", "a link"])
def test_an_out_folder_in_trouble_is_tried_again_and_the_order_kept(loop: Loop, trouble: str, tmp_path: Path) -> None:
    folder = loop.folder / "erp" / "out"
    refuse(loop, "R-1")
    folder.rmdir()
    if trouble == "a file":
        folder.write_text("")
    if trouble == "a link":
        (tmp_path / "elsewhere").mkdir()
        folder.symlink_to(tmp_path / "elsewhere")
    assert loop.gateway.tell.run() == 0
    with loop.gateway.ledger.reading() as unit:
        assert unit.any_ack_owed(["erp"])

    refuse_while_out_is_gone = Paper(number="R-2", buyer=DEMANDS_EJ).ubl()
    if not folder.exists() or trouble != "missing":
        folder.unlink(missing_ok=True)
    folder.mkdir(exist_ok=True)
    loop.drop("R-2.xml", refuse_while_out_is_gone)
    loop.take()
    loop.gateway.tell.run()

    decisions = [row for row in loop.acks() if row["level"] == "decision"]
    assert [(row["ack_seq"], row["document_number"]) for row in decisions] == [("1", "R-1"), ("2", "R-2")]


def test_one_partners_trouble_is_no_other_partners(loop: Loop) -> None:
    refuse(loop, "R-1")
    refuse(loop, "E-1", "edi")
    (loop.folder / "erp" / "out").rmdir()
    loop.gateway.tell.run()

    assert len(out(loop, "edi")) == 2


def test_a_full_disk_leaves_nothing_half_written(loop: Loop, full_disk: Callable[[Path], Path]) -> None:
    refuse(loop, "R-1")
    filler = full_disk(loop.folder / "erp" / "out")
    assert loop.gateway.tell.run() == 0
    assert out(loop) == [filler.name]

    filler.unlink()
    assert loop.gateway.tell.run() == 2


@pytest.fixture
def full_disk() -> Iterator[Callable[[Path], Path]]:
    """Mounts a small disk at a folder, full but for a file that may be removed."""
    mounted: list[Path] = []

    def mount(folder: Path) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
        if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
            pytest.skip("no right to mount a small disk here")
        mounted.append(folder)
        filler = folder / "filler"
        try:
            with filler.open("wb", buffering=0) as file:
                while file.write(b"x" * 4096):
                    pass
        except OSError as fault:
            if not filler.exists() or not filler.stat().st_size:
                pytest.skip(f"a small disk takes nothing here: {fault}")
        return filler

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=False)


def test_a_pick_up_is_noticed_when_all_parts_are_taken(loop: Loop) -> None:
    refuse(loop, "R-1")
    loop.gateway.tell.run()
    assert loop.gateway.tell.notice_pick_ups() == 0
    folder = loop.folder / "erp" / "out"
    main, child = (next(folder.glob(f"erp_decision_*Z{end}")) for end in (".csv", ".findings.csv"))
    main.unlink()
    assert loop.gateway.tell.notice_pick_ups() == 0  # its findings are still there
    child.unlink()
    assert loop.gateway.tell.notice_pick_ups() == 1

    with loop.gateway.ledger.reading() as unit:
        assert [file.level for file in unit.ack_files(AckState.PICKED_UP, "erp", 10)] == ["decision"]


def test_an_out_folder_that_cannot_be_read_is_no_pick_up(loop: Loop) -> None:
    refuse(loop, "R-1")
    loop.gateway.tell.run()
    (loop.folder / "erp" / "out").rename(loop.folder / "erp" / "away")

    assert loop.gateway.tell.notice_pick_ups() == 0


# --- schedules ----------------------------------------------------------------------------------------------------


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def told_at(loop: Loop, moments: list[datetime]) -> list[datetime]:
    """Refuse one document before each moment, look, and say at which moments something was told."""
    told = []
    for number, moment in enumerate(moments):
        loop.simulator.advance(moment - loop.simulator.now())
        loop.drop(f"R-{number}.xml", Paper(number=f"R-{number}", buyer=DEMANDS_EJ).ubl())
        loop.take()
        if loop.gateway.tell.run():
            told.append(moment)
    return told


def cron_loop(loops: Callable[..., Loop], start: str, line: str) -> Loop:
    lines = "\n".join(f'{level} = "{line}"' for level in ("receipts", "decisions", "lifecycle"))
    loop = loops(options={"start": at(start)}, schedules=lines)
    loop.gateway.tell.run()  # the service has been running
    return loop


def test_rows_wait_for_the_hour_of_their_schedule_even_after_days_without_any(loops: Callable[..., Loop]) -> None:
    loop = cron_loop(loops, "2026-06-01T07:00:00+02:00", "0 6 * * *")
    for _ in range(48):
        loop.simulator.advance(timedelta(hours=1))
        loop.gateway.tell.run()
    hours = [at("2026-06-03T10:00:00+02:00") + timedelta(hours=n) for n in range(24)]

    assert told_at(loop, hours) == [at("2026-06-04T06:00:00+02:00")]


def test_a_tick_missed_while_we_were_down_is_told_once_at_the_start(loops: Callable[..., Loop]) -> None:
    loop = cron_loop(loops, "2026-06-01T07:00:00+02:00", "0 6 * * *")
    loop.drop("R-1.xml", REFUSED.ubl())
    loop.take()
    assert loop.gateway.tell.run() == 0
    loop.simulator.advance(timedelta(days=3, hours=5))  # three ticks pass
    loop.restart()

    assert loop.gateway.tell.run() == 2
    assert loop.gateway.tell.run() == 0


@pytest.mark.parametrize(
    ("start", "line", "hits"),
    [
        # 02:30 comes twice in October, and runs once, the first time.
        ("2026-10-25T00:10:00+02:00", "30 2 * * *", ["2026-10-25T02:40:00+02:00"]),
        # 02:30 never comes in March: it runs at 03:30.
        ("2027-03-28T00:10:00+01:00", "30 2 * * *", ["2027-03-28T03:40:00+02:00"]),
        # Every hour is every hour that passes.
        (
            "2026-10-25T00:10:00+02:00",
            "30 * * * *",
            [f"2026-10-2{day}T{hour}:40:00Z" for day, hour in ((4, 22), (4, 23), (5, "00"), (5, "01"), (5, "02"))],
        ),
    ],
)
def test_both_nights_when_the_clock_changes(loops: Callable[..., Loop], start: str, line: str, hits: list[str]) -> None:
    loop = cron_loop(loops, start, line)
    moments = [at(start) + timedelta(minutes=30 * n) for n in range(1, 11)]

    assert told_at(loop, moments) == [at(hit) for hit in hits]


def test_every_row_is_told_exactly_once_and_in_the_columns_of_the_contract(loop: Loop) -> None:
    refuse(loop, "R-1")
    loop.gateway.tell.run()
    (path,) = (loop.folder / "erp" / "out").glob("erp_decision_*Z.csv")
    with path.open(newline="", encoding="utf-8") as file:
        header = next(csv.reader(file, delimiter=";"))
    assert header[:8] == ["ack_version", "ack_seq", "ack_id", "environment", "level", "source", "event", "occurred_at"]
    assert loop.gateway.tell.run() == 0


def test_a_partner_that_leaves_the_old_files_is_still_seen_to_take_the_new_ones(loop: Loop) -> None:
    for index in range(4):
        loop.drop(f"f{index}.xml", Paper(number=f"P-{index}").ubl(), partner="edi")
    loop.run(Goal.ACKED)
    files = sorted((loop.folder / "edi" / "out").glob("*.jsonl"))

    files[-1].unlink()

    assert loop.gateway.tell.notice_pick_ups() == 1
