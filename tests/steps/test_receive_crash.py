"""Killed at any moment of receiving: no file is lost, none is taken twice, and each is told once.

A forked child receives, and ends without a word before its n-th operation on the file system or the ledger: nothing
is cleaned up or rolled back by our code, as after SIGKILL. Then another process takes over, is itself killed
somewhere, and a third one ends the work. Every third operation in turn; GATEWAY_TEST_EVERY_CRASH=1 takes each.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter

from gateway.domain.states import InterchangeState
from tests.simulator.paper import Paper
from tests.steps.killing import killed_before
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
    seed = int(os.environ.get("GATEWAY_TEST_SEED", random.randrange(10**6)))
    print(f"seed {seed} (GATEWAY_TEST_SEED replays it)")
    dice = random.Random(seed)
    template = tmp_path / "template"
    intake = Intake(tmp_path / "work")
    for name, content in FILES.items():
        intake.drop(name, content)
    (intake.inbox() / "link.xml").symlink_to("a.xml")
    intake.receive.recover()
    intake.close()
    intake.folder.rename(template)
    stride = 1 if os.environ.get("GATEWAY_TEST_EVERY_CRASH") else 3
    n, ended = dice.randrange(stride) + 1 - stride, False
    while not ended:
        n += stride
        shutil.copytree(template, intake.folder, symlinks=True)
        intake.turn_back()
        intake.restart()
        ended = killed_before(n, intake, _receive)
        if not ended:
            intake.restart()
            killed_before(dice.randrange(1, 40), intake, _recover)
        intake.restart()
        _recover(intake)
        _receive(intake)
        _check(intake, n)
        intake.close()
        shutil.rmtree(intake.folder)
    assert n > 60, "the operations were not counted"


def _receive(intake: Intake) -> None:
    intake.look()
    intake.wait(QUIET)
    intake.look()
    for _ in range(2):  # a half file that was claimed before the crash is given its time again
        intake.wait(GIVE_UP)
        intake.take()
    intake.open_all()


def _recover(intake: Intake) -> None:
    intake.receive.recover()


def _check(intake: Intake, n: int) -> None:
    rows = [row for row in intake.rows() if "INTAKE-WITHDRAWN" not in [f.rule for f in row.findings]]
    names = Counter(row.file_name for row in rows)
    assert names == Counter([*FILES, "link.xml"]), f"killed before operation {n}"
    states = {row.file_name: row.state for row in rows}
    assert states == {
        "a.xml": states["a.xml"], "same-as-a.xml": states["same-as-a.xml"], "b.xml": _I.OPENED,
        "half.xml": _I.REFUSED, "giant.bin": _I.REFUSED, "empty.xml": _I.REFUSED, "link.xml": _I.REFUSED,
    }, f"killed before operation {n}"  # fmt: skip
    assert {states["a.xml"], states["same-as-a.xml"]} == {_I.OPENED, _I.DUPLICATE}
    for row in rows:
        if row.file_name != "link.xml":
            assert intake.kept(row) == FILES[row.file_name], f"killed before operation {n}"
    told = Counter(receipt.file_name for receipt in intake.receipts())
    assert told == names, f"killed before operation {n}"
    assert intake.claimed() == []
    assert os.listdir(intake.inbox()) == []
    originals = [p for p in (intake.house.archive.root / "originals").rglob("*") if p.is_file()]
    assert len(originals) == len(FILES), f"killed before operation {n}"
    assert intake.count("document") == 2
