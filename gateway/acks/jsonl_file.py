"""Acknowledgements as JSON Lines: one object a row, its keys in the order of the core columns, findings inside.

Money is a string, so that no reader rounds it. `schemas/acknowledgement.schema.json` describes one line.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from gateway.acks.cells import shown
from gateway.domain.ack import CORE_COLUMNS, FINDING_COLUMNS, Ack


def lines(acks: Iterable[Ack]) -> bytes:
    """One line for each ack."""
    return "".join(_line(ack) for ack in acks).encode("utf-8")


def _line(ack: Ack) -> str:
    line: dict[str, object] = {column: _value(column, getattr(ack.row, column)) for column in CORE_COLUMNS}
    line["findings"] = [
        {column: _value(column, getattr(finding, column)) for column in FINDING_COLUMNS[1:]} for finding in ack.findings
    ]
    return json.dumps(line, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n"


def _value(column: str, value: object) -> object:
    """Numbers and truth values keep their JSON kind."""
    return value if isinstance(value, bool | int) else shown(column, value)
