"""docs/states.md is drawn from the tables."""

from __future__ import annotations

from pathlib import Path

from gateway.domain.diagram import page
from gateway.domain.states import DOCUMENT_MOVES

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_committed_page_is_what_the_tables_draw():
    renew = """python -c "from gateway.domain.diagram import page; print(page(), end='')" > docs/states.md"""
    assert (DOCS / "states.md").read_text(encoding="utf-8") == page(), f"renew it with: {renew}"


def test_every_move_of_a_document_is_drawn():
    drawn = page()
    for before, targets in DOCUMENT_MOVES.items():
        for after in targets:
            assert f"{before.replace('-', '_')} --> {after.replace('-', '_')}" in drawn
