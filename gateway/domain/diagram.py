"""The state tables drawn as mermaid diagrams, for docs/states.md; a test holds the page equal to the tables.

To renew the page: `python -c "from gateway.domain.diagram import page; print(page(), end='')" > docs/states.md`
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final, TypeVar

from gateway.domain.states import ACK_MOVES, DOCUMENT_MOVES, ENDED, FLOW_MOVES, INTERCHANGE_MOVES, REMOTE_FILE_MOVES

_S = TypeVar("_S", bound=StrEnum)

_HEAD: Final = """\
# States

Drawn from the tables in `gateway/domain/states.py` by `gateway/domain/diagram.py`; do not edit by hand.
"""


def page() -> str:
    """The whole of docs/states.md."""
    parts = (
        _HEAD,
        _section("Interchange", "One file as received.", diagram(INTERCHANGE_MOVES)),
        _section("Document", _document_words(), diagram(DOCUMENT_MOVES)),
        _section("Flow", "What is deposited: one file, or one tar.gz of documents.", diagram(FLOW_MOVES)),
        _section("Acknowledgement", "One row owed to a partner.", diagram(ACK_MOVES)),
        _section("Remote file", "One file fetched from a partner's own server.", diagram(REMOTE_FILE_MOVES)),
    )
    return "\n".join(parts)


def diagram(moves: Mapping[_S, frozenset[_S]]) -> str:
    """A mermaid state diagram of one table: the first state begins, a state without a move ends."""
    return "\n".join(_lines({str(before): sorted(map(str, after)) for before, after in moves.items()}))


def _lines(moves: Mapping[str, list[str]]) -> Iterator[str]:
    yield "stateDiagram-v2"
    for state in moves:
        if _name(state) != state:
            yield f'    state "{state}" as {_name(state)}'
    yield f"    [*] --> {_name(next(iter(moves)))}"
    for before, after in moves.items():
        for target in after or ["[*]"]:
            yield f"    {_name(before)} --> {_name(target)}"


def _name(state: str) -> str:
    """Mermaid reads a hyphen as part of an arrow."""
    return state.replace("-", "_")


def _section(title: str, words: str, drawn: str) -> str:
    return f"## {title}\n\n{words}\n\n```mermaid\n{drawn}\n```\n"


def _document_words() -> str:
    ended = ", ".join(f"`{state}`" for state in DOCUMENT_MOVES if state in ENDED)
    return f"One invoice or credit note. Nothing more is expected of: {ended}; some may still be woken by news."
