"""Run by the kill test: writes the acks of its sequence numbers again and again, until it is killed."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from gateway.acks.outbox import Outbox


@dataclass(frozen=True)
class File:
    name: str
    content: bytes


def files(seq: int) -> tuple[File, File]:
    """Always the same for one number, and large enough to be cut in the middle."""
    body = f"row {seq};".encode() * (2_000 + 500 * (seq % 7))
    return File(f"p_decision_{seq:08d}.csv", body), File(f"p_decision_{seq:08d}.findings.csv", body[::-1])


if __name__ == "__main__":
    outbox = Outbox(Path(sys.argv[1]))
    print("ready", flush=True)
    for number in range(int(sys.argv[2])):
        outbox.write(files(number))
    print("done", flush=True)
