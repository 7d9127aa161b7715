"""The demo's own judge: what differs from what was foreseen is told, and nothing passes for fine that is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gateway.demo.audit import Counts, complaints, counts
from gateway.demo.drops import End, Ending
from gateway.demo.files import write_script
from gateway.demo.outcome import Result
from gateway.demo.scene import ERP, OPERATOR, Scene, set_scene

LEVELS = ("receipt", "decision", "lifecycle")


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A folder with one acknowledgement of each level for both senders."""
    scene = set_scene(tmp_path / "demo")
    for level in LEVELS:
        (scene.outbox(ERP) / f"{ERP}_{level}_00000001_20260302T000000Z.csv").touch()
        (scene.outbox(OPERATOR) / f"lot.{level}.00000001.jsonl").touch()
    return scene


@pytest.fixture
def results() -> list[Result]:
    """Two good invoices that ended well."""
    files = write_script(date(2026, 3, 2)).files[:2]
    return [Result(file, file.name, file.endings, ("",)) for file in files]


FINE = Counts(flows=1, documents=2, doubled=0)


def _said(results: list[Result], sent: Counts, scene: Scene, *, lost_answer: bool = True) -> list[str]:
    return list(complaints(results, sent, scene, lost_answer=lost_answer))


def test_nothing_is_said_when_all_is_as_foreseen(results: list[Result], scene: Scene) -> None:
    assert _said(results, FINE, scene) == []


def test_another_end_is_told(results: list[Result], scene: Scene) -> None:
    results[0] = replace(results[0], endings=(Ending(End.REJECTED, "TVA_ERRONEE"),))

    (said,) = _said(results, FINE, scene)

    assert "foreseen paid; became rejected by buyer TVA_ERRONEE" in said


def test_another_reason_for_the_same_end_is_told(results: list[Result], scene: Scene) -> None:
    file = replace(results[0].file, endings=(Ending(End.REFUSED, "A"),))
    results[0] = Result(file, file.name, (Ending(End.REFUSED, "B"),), ("",))

    assert any("foreseen refused by us A" in said for said in _said(results, Counts(1, 1, 0), scene))


def test_a_document_that_arrived_twice_is_told(results: list[Result], scene: Scene) -> None:
    document = {"issuer": "1", "number": "A", "year": 2026}
    deposits: list[dict[str, Any]] = [{"documents": [document]}, {"documents": [document, {**document, "number": "B"}]}]

    assert counts(deposits) == Counts(flows=2, documents=3, doubled=1)
    assert _said(results, counts(deposits), scene) == ["1 documents reached Chorus Pro twice"]


def test_a_document_that_never_arrived_is_told(results: list[Result], scene: Scene) -> None:
    assert _said(results, Counts(1, 1, 0), scene) == ["2 documents should have reached Chorus Pro, 1 did"]


def test_a_gap_in_a_sequence_is_told(results: list[Result], scene: Scene) -> None:
    (scene.outbox(OPERATOR) / "lot.decision.00000003.jsonl").touch()

    assert _said(results, FINE, scene) == [f"{OPERATOR}: the sequence of decision acknowledgements has a gap"]


def test_a_lost_answer_that_nobody_noticed_is_told(results: list[Result], scene: Scene) -> None:
    assert _said(results, FINE, scene, lost_answer=False) == ["the answer that was lost on purpose was not noticed"]
