"""Whose turn it is: nobody waits behind a bulk sender."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.clock import HandClock
from gateway.domain.states import InterchangeState
from gateway.ledger.ledger import open_ledger
from gateway.ledger.moves import Move
from gateway.steps.rounds import Rotation, fair_share
from tests.ledger.ledgers import NOON, interchange


@example({"a": 0, "b": 1}, 1)
@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=2), st.integers(0, 50), max_size=8), st.integers(1, 40))
def test_a_share_is_full_fair_and_nothing_twice(queues, limit):
    rows = fair_share(sorted(queues), limit, lambda name, n: [(name, i) for i in range(min(n, queues[name]))])
    assert len(rows) == len(set(rows)) == min(limit, sum(queues.values()))
    served = Counter(name for name, _ in rows)
    share = limit // len(queues) if queues else 0
    assert all(served[name] >= min(count, share) for name, count in queues.items())


def test_each_partner_begins_in_turn_also_when_partners_come_and_go():
    rotation = Rotation()
    assert [rotation.order(names)[0] for names in ("abc", "abc", "abc", "abc", "bc", "abcd", "abcd")] == [
        "a", "b", "c", "a", "b", "c", "d",
    ]  # fmt: skip
    assert rotation.order([]) == []


def test_with_more_partners_than_room_everybody_is_served_after_one_turn():
    rotation, served = Rotation(), set()
    names = [f"p{n}" for n in range(10)]
    for _ in range(10):
        served |= set(fair_share(rotation.order(names), 3, lambda name, n: [name][:n]))
    assert served == set(names)


@pytest.mark.parametrize("commit_size", [40, 100])
def test_three_small_senders_do_not_wait_behind_a_thousand_files(tmp_path: Path, commit_size: int):
    ledger = open_ledger(f"sqlite:///{tmp_path / 'l.sqlite3'}", HandClock(NOON))
    bulk = [interchange("bulk") for _ in range(1000)]
    small = [interchange(name) for name in ("a", "m", "z") for _ in range(10)]
    with ledger.writing("test") as unit:
        unit.add_interchanges([*bulk, *small])
    rotation, rounds, done = Rotation(), 0, Counter()
    while done.total() - done["bulk"] < 30:
        rounds += 1
        with ledger.writing("test") as unit:
            rows = fair_share(
                rotation.order(["a", "bulk", "m", "z"]),
                commit_size,
                lambda partner, limit, unit=unit: unit.interchanges(InterchangeState.SEEN, partner, limit),
            )
            unit.move(Move(r.id, InterchangeState.SEEN, InterchangeState.CLAIMED) for r in rows)
        assert len(rows) == commit_size
        done.update(row.partner for row in rows)
    assert rounds == 1
    assert done["bulk"] == commit_size - 30
    ledger.close()
