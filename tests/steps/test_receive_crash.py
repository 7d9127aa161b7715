"""Killed at any moment of receiving: no file is lost, none is taken twice, and each is told once."""

from __future__ import annotations

import os
from collections import Counter

from gateway.domain.states import InterchangeState
from tests.simulator.paper import Paper
from tests.steps.killed_intake import killed_before_each
from tests.transports.intake import GIVE_UP, LIMIT, QUIET, Intake

_I = InterchangeState
FILES = {
    "a.xml": Paper(number="FA-1").ubl(),
    "b.xml": Paper(number="FA-2").ubl(),
    "same-as-a.xml": Paper(number="FA-1").ubl(),
    "half.xml": b"<Invoice",
    "giant.bin": b"x" * (LIMIT + 1),
    "empty.xml": b"",
}


def test_killed_before_any_operation_every_file_is_received_once_and_told_once(tmp_path):
    intake = Intake(tmp_path / "work")
    for name, content in FILES.items():
        intake.drop(name, content)
    (intake.inbox() / "link.xml").symlink_to("a.xml")

    killed_before_each(intake, _receive, _check, most_at_least=60)


def _receive(intake: Intake) -> None:
    intake.look()
    intake.wait(QUIET)
    intake.look()
    for _ in range(2):  # a half file that was claimed before the crash is given its time again
        intake.wait(GIVE_UP)
        intake.take()
    intake.open_all()


def _check(intake: Intake, where: str) -> None:
    rows = [row for row in intake.rows() if "INTAKE-WITHDRAWN" not in [f.rule for f in row.findings]]
    names = Counter(row.file_name for row in rows)
    assert names == Counter([*FILES, "link.xml"]), where
    states = {row.file_name: row.state for row in rows}
    assert states == {
        "a.xml": states["a.xml"], "same-as-a.xml": states["same-as-a.xml"], "b.xml": _I.OPENED,
        "half.xml": _I.REFUSED, "giant.bin": _I.REFUSED, "empty.xml": _I.REFUSED, "link.xml": _I.REFUSED,
    }, where  # fmt: skip
    assert {states["a.xml"], states["same-as-a.xml"]} == {_I.OPENED, _I.DUPLICATE}
    for row in rows:
        if row.file_name != "link.xml":
            assert intake.kept(row) == FILES[row.file_name], where
    told = Counter(receipt.file_name for receipt in intake.receipts())
    assert told == names, where
    assert intake.claimed() == []
    assert os.listdir(intake.inbox()) == []
    originals = [p for p in (intake.house.archive.root / "originals").rglob("*") if p.is_file()]
    assert len(originals) == len(FILES), where
    assert intake.count("document") == 2
