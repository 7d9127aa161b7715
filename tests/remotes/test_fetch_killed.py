"""Killed at any moment of fetching or delivering: no file is lost, none is taken twice, and each ack is there.

A forked child works, and ends without a word before its n-th operation on the file system or the ledger, as after
SIGKILL; then another process ends the work. Every seventh operation in turn; GATEWAY_TEST_EVERY_CRASH=1 takes each.
"""

from __future__ import annotations

import os
from collections import Counter

from tests.remotes.conftest import Remote
from tests.remotes.test_fetch_and_deliver import INVOICES, drop, names, settled
from tests.steps.killing import killed_before

STRIDE = 1 if os.environ.get("GATEWAY_TEST_EVERY_CRASH") else 7


def test_killed_before_any_operation_every_file_is_fetched_once(remote):
    ended, n = False, 1
    while not ended:
        there = remote()
        drop(there.out, INVOICES)
        ended = killed_before(n, there, Remote.quick, Remote.look, Remote.take)
        there.loop.restart()
        there.quick().look()
        there.take()

        assert fetched(there) == Counter(list(INVOICES)), f"killed before operation {n}"
        assert names(there.out / ".taken") == names(there.inbox) == set(), f"killed before operation {n}"
        assert names(there.loop.folder / "erp" / ".fetched") == set(), f"killed before operation {n}"
        assert settled(there) == len(INVOICES), f"killed before operation {n}"
        forget(there)
        n += STRIDE
    assert n > 40, "the operations were not counted"


def test_killed_before_any_operation_every_acknowledgement_is_delivered(remote):
    ended, n = False, 1
    while not ended:
        there = remote()
        drop(there.inbox, INVOICES)
        there.loop.take()
        there.loop.gateway.tell.run(now=True)
        told = {path.name: path.read_bytes() for path in (there.loop.folder / "erp" / "out").iterdir()}
        ended = killed_before(n, there, Remote.quick, Remote.look)
        there.loop.restart()
        there.quick().look()

        assert {path.name: path.read_bytes() for path in there.acks.iterdir()} == told, f"killed before operation {n}"
        assert names(there.loop.folder / "erp" / "out") == set(), f"killed before operation {n}"
        forget(there)
        n += STRIDE
    assert n > 10, "the operations were not counted"


def fetched(there: Remote) -> Counter[str]:
    with there.loop.gateway.ledger.reading() as unit:
        rows = unit.connection.exec_driver_sql("SELECT file_name FROM interchange").scalars()
        return Counter(rows)


def forget(there: Remote) -> None:
    """The next gateway begins with nothing."""
    there.loop.close()
    for path in sorted(there.loop.folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
