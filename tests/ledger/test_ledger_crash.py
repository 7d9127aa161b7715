"""Killed with SIGKILL in the middle of writing: what was committed is whole, what was not is absent."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import text

from gateway.clock import HandClock
from gateway.ledger.ledger import open_ledger
from tests.ledger.ledgers import NOON

WRITER = Path(__file__).with_name("writer.py")
GROUP = 20
KILLS = 4


def test_a_killed_writer_leaves_whole_groups_and_nothing_else(url):
    seed = int(os.environ.get("GATEWAY_TEST_SEED", random.randrange(10**6)))
    print(f"seed {seed} (GATEWAY_TEST_SEED replays it)")
    dice = random.Random(seed)
    ledger = open_ledger(url, HandClock(NOON))
    promised = 0
    for _ in range(KILLS):
        promised = max(promised, _write_until_killed(url, dice.randrange(2, 40), dice.uniform(0, 0.02)))
        with ledger.engine.connect() as connection:
            committed = connection.execute(text("SELECT coalesce(max(last), 0) FROM ack_sequence")).scalar_one()
            groups = connection.execute(
                text("SELECT sha256, count(*) FROM interchange WHERE state = 'archived' GROUP BY sha256")
            ).all()
            counts = {
                table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
                for table in ("interchange", "ack", "audit")
            }
        assert committed >= promised
        assert sorted((int(seq), n) for seq, n in groups) == [(seq, GROUP) for seq in range(1, committed + 1)]
        assert counts == {
            "interchange": committed * GROUP, "ack": committed * GROUP, "audit": 2 * committed * GROUP,
        }  # fmt: skip
    assert promised > 0
    if ledger.engine.dialect.name == "sqlite":
        with ledger.engine.connect() as connection:
            assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
    ledger.close()


def _write_until_killed(url: str, groups: int, seconds: float) -> int:
    """Kill the writer some `seconds` after so many groups; the last group that it said was committed."""
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, str(WRITER), url], stdout=subprocess.PIPE, text=True, cwd=root,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(root / "tests")])},
    )  # fmt: skip
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    said = [process.stdout.readline() for _ in range(groups)]
    time.sleep(seconds)
    process.kill()
    said += process.stdout.read().splitlines()
    process.wait()
    process.stdout.close()
    # The last line may be cut.
    return int(said[-2]) if len(said) > 1 else 0
