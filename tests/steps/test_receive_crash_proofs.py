"""Killed at any moment of receiving files with proofs: each is received and told once, no proof is left or told."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from dataclasses import replace

from gateway.domain.partner import Rung
from gateway.domain.states import InterchangeState
from tests.simulator.paper import Paper
from tests.steps.killed_intake import killed_before_each
from tests.transports.intake import GIVE_UP, QUIET, Intake

_I = InterchangeState
GOOD = {f"{letter}.xml": Paper(number=f"FA-{letter}").ubl() for letter in "abcde"}
BAD = {
    "alone.xml": ("INTAKE-FILE-WITHOUT-DONE", Paper(number="FA-alone").ubl()),
    "gone.xml.done": ("INTAKE-DONE-WITHOUT-FILE", b"marker"),
    "damaged.xml": ("INTAKE-CHECKSUM-MISMATCH", Paper(number="FA-damaged").ubl()),
    "half-a-batch.ctr": ("INTAKE-BATCH-INCOMPLETE", b"here.xml\nmissing.xml\n"),
    "here.xml": ("INTAKE-BATCH-INCOMPLETE", Paper(number="FA-here").ubl()),
}
PROOFS = {
    "a.xml.done": b"",
    "b.xml.sha256": hashlib.sha256(GOOD["b.xml"]).hexdigest().encode(),
    "b.xml.done": b"",
    "lot.ctr": f"c.xml;{len(GOOD['c.xml'])}\nd.xml\ne.xml\n".encode(),
    "damaged.xml.sha256": b"0" * 64,
}


def test_killed_before_any_operation_every_pair_is_received_once_and_no_proof_is_left(tmp_path):
    intake = Intake(tmp_path / "work")
    rungs = (Rung.DONE_FILE, Rung.CHECKSUM, Rung.CONTROL_FILE)
    intake.change(completeness=replace(intake.partner().completeness, ladder=rungs))
    settings = intake.roster.settings  # two files of the batch in one group, the third in the next
    small = settings.ledger.model_copy(update={"commit_size": 2})
    intake.roster.settings = replace(settings, ledger=small)
    for second, files in enumerate((GOOD, {name: content for name, (_, content) in BAD.items()}, PROOFS)):
        for name, content in files.items():
            os.utime(intake.drop(name, content), (second + 1, second + 1))

    killed_before_each(intake, _receive, _check, most_at_least=100)


def _receive(intake: Intake) -> None:
    for _ in range(3):
        intake.take()
    for _ in range(3):
        intake.wait(GIVE_UP)
        intake.take()
    intake.wait(QUIET)
    intake.open_all()


def _check(intake: Intake, where: str) -> None:
    rows = [row for row in intake.rows() if "INTAKE-WITHDRAWN" not in [f.rule for f in row.findings]]
    assert Counter(row.file_name for row in rows) == Counter([*GOOD, *BAD]), where
    for row in rows:
        rule, content = BAD.get(row.file_name, ("", GOOD.get(row.file_name, b"")))
        assert row.state is (_I.REFUSED if rule else _I.OPENED), where
        assert not rule or row.findings[0].rule == rule, where
        assert intake.kept(row) == content, where
    told = Counter((r.file_name, r.reason_code) for r in intake.receipts() if r.reason_code in dict(BAD.values()))
    assert told == Counter((name, rule) for name, (rule, _) in BAD.items()), where
    assert len(intake.receipts()) == len(rows), where
    assert intake.claimed() == [], where
    assert os.listdir(intake.inbox()) == [], where
