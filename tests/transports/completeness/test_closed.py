"""Our own transports say that they closed a file: it is taken at the next look."""

from __future__ import annotations

import os
import threading

import pytest

from gateway.transports.completeness import Closed
from gateway.transports.local import Look, Nature, look_again
from tests.simulator.paper import Paper
from tests.transports.intake import QUIET

WHOLE = Paper().ubl()
HALF = WHOLE[: len(WHOLE) // 2]


def close(intake, name=b"a.xml"):
    intake.receive.closed.note(intake.inbox(), look_again(intake.inbox(), name))


def test_a_closed_file_is_taken_at_the_first_look_under_the_default_ladder(intake):
    intake.drop("a.xml", WHOLE)
    intake.drop("sub/b.xml", WHOLE)
    close(intake)
    close(intake, b"sub/b.xml")
    assert intake.look() == 2
    assert intake.receive.closed.noted(intake.inbox()) == {}


def test_a_file_that_changed_after_it_was_closed_must_be_quiet(intake):
    path = intake.drop("a.xml", WHOLE)
    close(intake)
    with path.open("ab") as out:
        out.write(b"<!-- more -->")
    assert intake.look() == 0
    intake.wait(QUIET)
    assert intake.look() == 1


def test_an_upload_that_was_interrupted_and_closed_is_no_whole_file(intake):
    """OpenSSH's sftp closes what it has sent when it is interrupted."""
    path = intake.drop("a.xml", HALF)
    close(intake)
    for _ in range(3):
        assert intake.take() == 0
    path.write_bytes(WHOLE)
    close(intake)
    assert intake.look() == 1


def test_an_empty_file_that_was_closed_may_still_be_written(intake):
    intake.drop("a.xml", b"")
    close(intake)
    assert intake.take() == 0


def test_opened_for_writing_again_it_is_not_closed(intake):
    intake.drop("a.xml", WHOLE)
    close(intake)
    intake.receive.closed.withdraw(intake.inbox(), b"a.xml")
    assert intake.look() == 0


def test_times_set_after_the_close_count_when_they_are_noted_too(intake):
    path = intake.drop("a.xml", WHOLE)
    close(intake)
    os.utime(path, (1, 1))
    close(intake)
    assert intake.look() == 1


def test_lost_on_a_restart_the_next_rung_decides(intake):
    intake.drop("a.xml", WHOLE)
    close(intake)
    intake.restart()
    assert intake.look() == 0
    intake.wait(QUIET)
    assert intake.look() == 1


def test_a_ladder_that_does_not_name_the_event_does_not_listen_to_it(climbing):
    intake = climbing("quiet", "structure")
    intake.drop("a.xml", WHOLE)
    close(intake)
    assert intake.look() == 0


def test_names_that_never_appear_are_forgotten_and_their_number_is_bounded(intake):
    closed, inbox = intake.receive.closed, intake.inbox()
    closed.note(inbox, Look(b"never.xml", Nature.FILE, 1, 1, 1))
    intake.look()
    assert closed.noted(inbox) == {}
    few = Closed(limit=3)
    for n in range(5):
        few.note(inbox, Look(b"%d" % n, Nature.FILE, 1, 1, 1))
    assert sorted(few.noted(inbox)) == [b"2", b"3", b"4"]


@pytest.mark.parametrize("threads", [8])
def test_many_threads_note_while_one_reads(tmp_path, threads):
    closed = Closed()

    def work(number):
        for n in range(500):
            look = Look(b"%d-%d" % (number, n), Nature.FILE, 1, 1, n)
            closed.note(tmp_path, look)
            if n % 2:
                closed.drop(tmp_path, {look.name: look})
                closed.noted(tmp_path)

    workers = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(closed.noted(tmp_path)) == threads * 250
