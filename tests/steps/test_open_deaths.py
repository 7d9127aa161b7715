"""Files that kill the process in which they are opened: quarantined after the second death, told, and alone in it."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from gateway.domain.ack import Action, Event
from gateway.domain.states import InterchangeState
from gateway.parsers.archive import DEFAULT_LIMITS
from gateway.steps.house import Died, OpenedFile, OpenJob
from gateway.workers.examiner import InlineExaminer, PoolExaminer
from gateway.workers.pool import Ceilings
from tests.simulator.paper import Paper, zipped
from tests.transports.intake import Intake

_I = InterchangeState


class Deadly(InlineExaminer):
    """Dies of what the test says, as often as it says."""

    def __init__(self, archive: Path, deaths: dict[str, int]) -> None:
        super().__init__(archive, DEFAULT_LIMITS)
        self.deaths = deaths
        self.opened: list[str] = []

    def open(self, jobs: Sequence[OpenJob]) -> Iterator[tuple[OpenJob, OpenedFile | Died]]:
        for job in jobs:
            self.opened.append(job.file_name)
            if self.deaths.get(job.file_name, 0) > 0:
                self.deaths[job.file_name] -= 1
                yield job, Died("its worker died (exit -11)")
            else:
                yield from super().open([job])


@pytest.mark.parametrize("deaths", [1, 2, 9])
def test_a_file_that_killed_two_workers_is_quarantined_and_never_tried_again(tmp_path, deaths):
    examiner = Deadly(tmp_path / "state" / "archive", {"evil.xml": deaths})
    intake = Intake(tmp_path, examiner)
    intake.drop("evil.xml", Paper(number="FA-1").ubl())
    intake.drop("good.xml", Paper(number="FA-2").ubl())
    intake.take()
    for _ in range(5):
        intake.open.run()
    states = {row.file_name: row.state for row in intake.rows()}
    assert states["good.xml"] is _I.OPENED
    assert states["evil.xml"] is (_I.OPENED if deaths == 1 else _I.QUARANTINED)
    assert examiner.opened.count("evil.xml") == 2
    assert examiner.opened.count("good.xml") == 1
    if deaths > 1:
        told = next(r for r in intake.receipts() if r.file_name == "evil.xml")
        assert (told.event, told.action) == (Event.QUARANTINED, Action.CONTACT)
        assert "exit -11" in told.reason
        assert told.remedy
    intake.close()


def test_the_count_of_deaths_survives_a_restart(tmp_path):
    examiner = Deadly(tmp_path / "state" / "archive", {"evil.xml": 9})
    intake = Intake(tmp_path, examiner)
    intake.drop("evil.xml", Paper().ubl())
    intake.take()
    intake.open.run()
    assert intake.row().attempts == 1
    intake.restart()
    intake.open.run()
    assert intake.row().state is _I.QUARANTINED
    intake.close()


def test_a_machine_that_cannot_work_charges_no_file(tmp_path):
    """A full disk while payloads are kept: the step fails, its rows stay where they are, and are opened later."""

    class Full(InlineExaminer):
        full = True

        def open(self, jobs: Sequence[OpenJob]) -> Iterator[tuple[OpenJob, OpenedFile | Died]]:
            if self.full:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().open(jobs)

    examiner = Full(tmp_path / "state" / "archive", DEFAULT_LIMITS)
    intake = Intake(tmp_path, examiner)
    intake.drop("a.xml", Paper().ubl())
    intake.take()
    for _ in range(3):
        with pytest.raises(OSError, match="No space"):
            intake.open.run()
    assert (intake.row().state, intake.row().attempts) == (_I.ARCHIVED, 0)
    examiner.full = False
    intake.open_all()
    assert intake.row().state is _I.OPENED
    intake.close()


def test_real_workers_open_what_is_good_and_survive_what_is_too_large_for_them(tmp_path):
    archive = tmp_path / "state" / "archive"
    examiner = PoolExaminer(2, Ceilings(seconds=20, memory_bytes=150 << 20), archive, DEFAULT_LIMITS)
    intake = Intake(tmp_path, examiner)
    for n in range(10):
        intake.drop(f"{n}.xml", Paper(number=f"FA-{n}").ubl())
    intake.drop("a.zip", zipped([(f"{n}.xml", Paper(number=f"Z-{n}").ubl()) for n in range(5)]))
    sparse = intake.drop("huge.xml", Paper().ubl())
    os.truncate(sparse, 80 << 20)  # below the limit set here, and more than a worker may hold as a tree
    intake.change(completeness=type(intake.partner().completeness)(2.0, 1800.0, 100 << 20))
    intake.take()
    intake.wait(1800)
    intake.take()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    intake.open_all()
    examiner.close()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024
    states = {row.file_name: row.state for row in intake.rows()}
    assert [states[f"{n}.xml"] for n in range(10)] == [_I.OPENED] * 10
    assert states["a.zip"] is _I.OPENED
    assert states["huge.xml"] in (_I.REFUSED, _I.QUARANTINED)
    assert len(intake.receipts()) == 12
    assert intake.count("document") == 15
    intake.close()
