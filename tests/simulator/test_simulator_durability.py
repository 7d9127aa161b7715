"""Many at once, a restart, and kill -9: what was answered is in the receipts."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import requests

from .conftest import Client
from .paper import Paper, flow_of


def test_eight_at_once_are_all_counted_and_no_flow_number_is_given_twice(start, tmp_path):
    chorus = start(tmp_path / "chorus.db")

    def run(worker: int) -> list[str]:
        client = Client(chorus.url).sign_in()
        return [client.deposit(flow_of([Paper(f"F{worker}-{n}"), Paper(f"G{worker}-{n}")])) for n in range(10)]

    with ThreadPoolExecutor(8) as pool:
        flows = [flow for given in pool.map(run, range(8)) for flow in given]
    chorus.advance(timedelta(minutes=2))

    counters = chorus.state()["counters"]
    assert len(set(flows)) == 80
    assert (counters["deposits"], counters["documents"]) == (80, 160)
    assert counters["flows"] == {"IN_INTEGRE": 80}
    assert counters["invoices"] == {"DEPOSEE": 160}


def test_a_flow_of_a_hundred_is_taken_well_within_a_second(chorus, client):
    client.deposit(Paper("WARM").ubl())
    flow = flow_of(Paper(f"F-{n}") for n in range(100))
    before = time.monotonic()
    client.deposit(flow)
    assert time.monotonic() - before < 30, "a hang guard, no measure"


def test_a_restart_goes_on_where_it_was(start, tmp_path):
    path = tmp_path / "chorus.db"
    first = start(path)
    client = Client(first.url).sign_in()
    flow = client.deposit(Paper().ubl())
    first.advance(timedelta(hours=1, minutes=1))

    second = Client(start(path).url, token=client.token)

    assert second.report(flow)["etatCourantDepotFlux"] == "IN_INTEGRE"
    assert second.found()[0]["statut"] == "EN_COURS_ACHEMINEMENT"
    assert second.deposit(Paper("F-2").ubl()).endswith("2")


@contextmanager
def process(state: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "gateway.simulator", "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            yield running, running.stdout.readline().strip()
        finally:
            if running.poll() is None:
                running.kill()


def test_kill_9_between_and_within_deposits_loses_no_receipt_that_was_answered(tmp_path):
    seed = int(os.environ.get("GATEWAY_TEST_SEED", random.SystemRandom().randrange(10**6)))
    print(f"seed {seed}")
    chance = random.Random(seed)
    state, answered = tmp_path / "chorus.db", []
    for life in range(5):
        with process(state) as (running, url), ThreadPoolExecutor(1) as pool:
            client = Client(url).sign_in()

            def deposit(life: int = life, client: Client = client) -> None:
                for n in range(1000):
                    try:
                        answered.append(client.deposit(Paper(f"F{life}-{n}").ubl()))
                    except requests.RequestException:
                        return

            work = pool.submit(deposit)
            enough = len(answered) + chance.randrange(1, 20)
            while (
                len(answered) < enough and not work.done()
            ):  # not a time: a machine under load answers nothing in half a second
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.02))
            running.send_signal(signal.SIGKILL)
            running.wait(10)
            work.result(10)

    with process(state) as (_, url):
        told = requests.get(f"{url}/_simulator/state", timeout=10).json()
    received = [deposit["flow"] for deposit in told["deposits"]]
    assert set(answered) <= set(received)
    assert len(received) == len(set(received))


def test_the_process_stops_when_told_to(tmp_path):
    with process(tmp_path / "chorus.db") as (running, url):
        assert Client(url).sign_in().search()["codeRetour"] == 0
        running.send_signal(signal.SIGTERM)
        assert running.wait(15) in (0, -signal.SIGTERM)
