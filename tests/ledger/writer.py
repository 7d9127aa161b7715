"""A process that commits groups until it is killed: `python writer.py URL`. It says each group once it is committed."""

from __future__ import annotations

import sys

from gateway.clock import SystemClock
from gateway.domain.ack import Level
from gateway.domain.states import InterchangeState
from gateway.ledger.ledger import open_ledger
from gateway.ledger.moves import Move
from tests.ledger.ledgers import interchange, owed

GROUP = 20


def main(url: str) -> None:
    ledger = open_ledger(url, SystemClock())
    print("ready", flush=True)
    while True:
        rows = [interchange() for _ in range(GROUP)]
        with ledger.writing("writer") as unit:
            seq = unit.next_sequence("erp", Level.RECEIPT)
            unit.add_interchanges([*rows])
            unit.move(
                Move(r.id, InterchangeState.SEEN, InterchangeState.ARCHIVED, columns={"sha256": str(seq)}) for r in rows
            )
            unit.owe([owed(f"{seq}:{n}") for n in range(GROUP)])
        print(seq, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
