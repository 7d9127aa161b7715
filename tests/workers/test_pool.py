"""The pool: every job gets its answer, and no job takes anything with it but its worker."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.steps.house import Died
from gateway.workers.pool import Ceilings, Pool, WorkersUnavailable
from tests.workers.jobs import make, make_nothing

MIB = 1 << 20
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    """One for all tests: each leaves it fit for the next, which is a test in itself."""
    made = Pool(2, Ceilings(seconds=1.0, memory_bytes=200 * MIB), make)
    yield made
    made.close()


def test_every_job_comes_back_with_its_own_result(pool):
    jobs = [("echo", n) for n in range(200)]
    assert sorted((job[1], result) for job, result in pool.run(jobs)) == [(n, n) for n in range(200)]
    assert list(pool.run([])) == []


def test_jobs_run_in_other_processes_that_stay_for_the_next(pool):
    first = {result for _, result in pool.run([("pid", n) for n in range(20)])}
    again = {result for _, result in pool.run([("pid", n) for n in range(20)])}
    assert os.getpid() not in first
    assert again <= first
    assert len(first) <= 2


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        (("sleep", 60), "more than 1 s"),
        (("spin", 0), "more than 1 s"),
        (("allocate", 300 * MIB), "out of memory"),
        (("exit", 0), r"its worker died \(exit 0\)"),
        (("abort", 0), r"its worker died \(exit -6\)"),
        (("segfault", 0), r"its worker died \(exit -11\)"),
        (("raise", 0), "ValueError: ours"),
        (("unsendable", 0), "pickle"),
    ],
)
def test_a_job_that_breaks_its_ceiling_or_its_worker_dies_alone(pool, job, reason):
    others = [("echo", n) for n in range(6)]
    started = time.monotonic()
    results = list(pool.run([*others[:3], job, *others[3:]]))
    assert sorted(result for j, result in results if j[0] == "echo") == list(range(6))
    (died,) = [result for j, result in results if j == job]
    assert isinstance(died, Died)
    assert re.search(reason, died.reason), died
    assert time.monotonic() - started < 10
    assert [result for _, result in pool.run([("echo", "next")])] == ["next"]


def test_a_job_may_use_what_is_below_its_ceiling(pool):
    assert [r for _, r in pool.run([("allocate", 150 * MIB)] * 3)] == [150 * MIB] * 3
    assert [len(r) for _, r in pool.run([("large", 20 * MIB)] * 2)] == [20 * MIB] * 2


def test_what_a_worker_keeps_of_its_jobs_is_not_laid_to_the_charge_of_the_next(pool):
    """A library that leaks: the worker makes room for a fresh one before a job suffers from it."""
    assert [r for _, r in pool.run([("keep", 60 * MIB)] * 6)] == ["kept"] * 6


def test_a_worker_that_was_killed_while_idle_costs_no_job_its_life(pool):
    for pid in {result for _, result in pool.run([("pid", n) for n in range(8)])}:
        os.kill(pid, signal.SIGKILL)
    assert [result for _, result in pool.run([("echo", 1)])] == [1]


def test_a_worker_ended_by_the_service_manager_costs_no_job_its_life(tmp_path):
    """systemd sends SIGTERM to every process of a service at once, also to the one with an innocent job in hand."""
    pool: Pool = Pool(1, Ceilings(seconds=5.0), make)
    ended = 0
    for job, result in pool.run([("pid", 0), ("sleep", 0.5), ("echo", 1)]):
        if job[0] == "pid":
            subprocess.Popen(["sh", "-c", f"sleep 0.2; kill -TERM {result}"])
            continue
        assert result in ("slept", 1)
        ended += 1
    assert ended == 2
    with pytest.raises(WorkersUnavailable):
        list(pool.run([("terminate", 0)]))
    pool.close()


def test_a_full_disk_is_the_machines_trouble_not_the_jobs(pool):
    with pytest.raises(OSError, match="No space left"):
        list(pool.run([("no room", 0)] * 3))
    assert sorted(result for _, result in pool.run([("echo", n) for n in range(4)])) == [0, 1, 2, 3]


def test_workers_that_cannot_start_are_told_and_no_job_is_charged():
    pool: Pool = Pool(1, Ceilings(), make_nothing)
    with pytest.raises(WorkersUnavailable, match="could not be started"):
        list(pool.run([("echo", 1)] * 5))
    pool.close()


def test_a_caller_that_leaves_in_the_middle_leaves_nothing_behind(pool):
    running = pool.run([("echo", 1), ("sleep", 0.3), ("sleep", 0.3), ("sleep", 0.3)])
    assert next(running) is not None
    running.close()
    assert sorted(result for _, result in pool.run([("echo", n) for n in range(4)])) == [0, 1, 2, 3]


def test_random_deaths_lose_no_job_and_mix_up_no_result(pool):
    seed = int(os.environ.get("GATEWAY_TEST_SEED", random.randrange(10**6)))
    print(f"seed {seed} (GATEWAY_TEST_SEED replays it)")
    dice = random.Random(seed)
    jobs = [("exit", n) if dice.random() < 0.1 else ("echo", n) for n in range(25)]
    results = dict(pool.run(jobs))
    assert results.keys() == set(jobs)
    for (what, n), result in results.items():
        assert result == n if what == "echo" else isinstance(result, Died)


_PARENT = """
import sys, threading, time
from gateway.workers.pool import Ceilings, Pool
from tests.workers.jobs import make
if __name__ == "__main__":
    pool = Pool(2, Ceilings(seconds=1.0 if sys.argv[1] == "spin" else 60.0), make)
    print(*{pid for _, pid in pool.run([("pid", n) for n in range(20)])}, flush=True)
    for _ in pool.run([(sys.argv[1], 60)]):
        pass
"""


@pytest.mark.parametrize("in_hand", ["echo", "sleep", "spin"])
def test_workers_end_with_a_parent_that_was_killed(tmp_path, in_hand):
    """From a script, as the service runs; also with a job in hand that would last a minute, or for ever."""
    script = tmp_path / "parent.py"
    script.write_text(_PARENT + ("    time.sleep(60)\n" if in_hand == "echo" else ""))
    parent = subprocess.Popen(
        [sys.executable, str(script), in_hand], stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])},
    )  # fmt: skip
    assert parent.stdout
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert pids
    time.sleep(0.3)
    assert all(_runs(pid) for pid in pids)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 5
    while any(_runs(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_runs(pid) for pid in pids)


def test_closing_ends_the_workers():
    pool: Pool = Pool(2, Ceilings(), make)
    pids = {result for _, result in pool.run([("pid", n) for n in range(8)])}
    pool.close()
    assert not any(_runs(pid) for pid in pids)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
