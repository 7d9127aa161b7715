"""A marker beside the file says that it is finished: pairs, orphans both ways, and who removes what when."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from gateway.domain.ack import Event
from gateway.domain.states import InterchangeState
from gateway.ledger.archive import Archive
from tests.simulator.paper import Paper
from tests.transports.intake import GIVE_UP, QUIET

_I = InterchangeState
WHOLE = Paper().ubl()
HALF = WHOLE[: len(WHOLE) // 2]
LATER_S = 5


def marker(intake, name, content=b"", second=LATER_S):
    """A marker that is younger than every file of these tests, whose times are second 1."""
    path = intake.drop(name, content)
    os.utime(path, (second, second))
    return path


def file(intake, name, content=WHOLE, second=1):
    path = intake.drop(name, content)
    os.utime(path, (second, second))
    return path


@pytest.fixture
def intake(climbing):
    return climbing("done-file")


def test_a_file_is_taken_at_the_first_look_that_finds_its_marker_and_both_are_gone(intake):
    file(intake, "a.xml")
    marker(intake, "a.xml.done", b"any content, never read")
    assert intake.look() == 1
    assert intake.kept(intake.row()) == WHOLE
    assert intake.row().file_name == "a.xml"
    assert os.listdir(intake.inbox()) == []
    assert intake.claimed() == []
    assert intake.look() == intake.receive.waiting == 0


def test_without_its_marker_a_file_is_not_taken_however_whole_and_quiet_it_is(intake):
    file(intake, "a.xml")
    for _ in range(5):
        intake.wait(QUIET * 20)
        assert intake.look() == 0
    assert intake.receive.waiting == 1
    assert intake.receive.settling == 0
    marker(intake, "a.xml.done")
    assert intake.look() == 1


def test_a_file_whose_marker_never_comes_is_refused_with_its_remedy_and_kept(intake):
    file(intake, "a.xml")
    intake.look()
    intake.wait(GIVE_UP)
    assert intake.look() == 1
    assert intake.row().state is _I.REFUSED
    assert intake.kept(intake.row()) == WHOLE
    (told,) = intake.receipts()
    assert (told.event, told.reason_code) == (Event.INCOMPLETE, "INTAKE-FILE-WITHOUT-DONE")
    assert "a.xml.done" in told.reason
    assert told.remedy


def test_a_marker_without_a_file_is_told_once_and_taken_away(intake):
    marker(intake, "a.xml.done")
    assert intake.look() == 0
    assert intake.receive.waiting == 1
    intake.wait(GIVE_UP)
    assert intake.look() == 1
    (told,) = intake.receipts()
    assert (told.event, told.reason_code) == (Event.INCOMPLETE, "INTAKE-DONE-WITHOUT-FILE")
    assert told.file_name == "a.xml.done"
    assert os.listdir(intake.inbox()) == []
    intake.wait(GIVE_UP)
    assert intake.look() == intake.receive.waiting == 0


def test_a_marker_that_came_first_vouches_for_nothing_that_is_still_being_written(intake):
    marker(intake, "a.xml.done")
    intake.look()
    intake.wait(0.1)
    path = file(intake, "a.xml", HALF)
    for _ in range(5):
        assert intake.look() == 0
        intake.wait(QUIET)
    assert intake.look() == 0
    file(intake, "a.xml", WHOLE)
    assert intake.look() == 0
    assert intake.receive.settling == 1
    intake.wait(QUIET)
    assert intake.look() == 1
    assert not path.exists()


@pytest.mark.parametrize("second", [1, LATER_S, LATER_S + 1], ids=["older", "same tick", "younger"])
def test_a_marker_sent_side_by_side_with_its_file_does_not_make_half_of_it_whole(intake, second):
    marker(intake, "a.xml.done")
    file(intake, "a.xml", HALF, second)
    for _ in range(3):
        assert intake.look() == 0
        intake.wait(QUIET)


def test_a_marker_older_than_its_file_by_their_times_counts_after_a_quiet_time(intake):
    marker(intake, "a.xml.done")
    file(intake, "a.xml", WHOLE, LATER_S + 1)
    assert intake.look() == 0
    intake.wait(QUIET)
    assert intake.look() == 1


def test_files_first_and_all_markers_hours_later_are_taken_as_pairs(intake):
    for n in range(20):
        file(intake, f"{n}.xml", b"<a>%d</a>" % n)
        assert intake.look() == 0
        intake.wait(GIVE_UP / 6)
    for n in range(20):
        marker(intake, f"{n}.xml.done")
    assert intake.look() == 20
    assert {row.state for row in intake.rows()} == {_I.ARCHIVED}


def test_a_stream_of_others_does_not_keep_an_orphan_from_being_told(intake):
    file(intake, "orphan.xml")
    for n in range(40):  # at each look another file waits for its marker
        file(intake, f"{n}.xml", b"<a>%d</a>" % n)
        if n:
            marker(intake, f"{n - 1}.xml.done")
        intake.wait(GIVE_UP / 4)
        intake.look()
        assert bool(intake.rows(_I.REFUSED)) == (n >= 8 * 4)
    assert [row.file_name for row in intake.rows(_I.REFUSED)] == ["orphan.xml"]


@pytest.mark.parametrize("ladder", [("done-file",), ("done-file", "quiet")])
def test_a_file_that_stays_half_beside_its_marker_is_told_as_such_and_the_marker_goes(climbing, ladder):
    intake = climbing(*ladder)
    file(intake, "a.xml", HALF)
    marker(intake, "a.xml.done")
    assert intake.take() == 0
    intake.wait(GIVE_UP)
    assert intake.look() == 1
    assert [r.reason_code for r in intake.receipts()] == ["INCOMPLETE"]
    assert os.listdir(intake.inbox()) == []


def test_one_marker_by_stem_vouches_for_all_files_of_that_stem_and_goes_with_the_last(climbing):
    intake = climbing("done-file", done_name="{stem}.done")
    limit_groups(intake, 1)
    for name in ("a.xml", "a.pdf.txt", "a.txt", "b.xml"):
        file(intake, name, name.encode())
    marker(intake, "a.done")
    assert intake.look() == 1
    assert (intake.inbox() / "a.done").exists()
    assert intake.look() == 1
    assert intake.look() == 0
    assert sorted(os.listdir(intake.inbox())) == ["a.pdf.txt", "b.xml"]
    assert sorted(row.file_name for row in intake.rows()) == ["a.txt", "a.xml"]


def test_the_form_of_the_marker_is_configured(climbing):
    intake = climbing("done-file", done_name="ok_{name}")
    file(intake, "a.xml")
    marker(intake, "ok_a.xml")
    assert intake.look() == 1
    assert os.listdir(intake.inbox()) == []


def test_a_marker_belongs_to_the_file_of_its_own_folder(intake):
    file(intake, "one/a.xml")
    marker(intake, "two/a.xml.done")
    assert intake.look() == 0
    marker(intake, "one/a.xml.done")
    assert intake.look() == 1
    assert (intake.inbox() / "two/a.xml.done").exists()


def test_a_link_is_no_marker_whatever_it_points_to(intake, tmp_path):
    file(intake, "a.xml")
    (tmp_path / "elsewhere").write_bytes(b"")
    (intake.inbox() / "a.xml.done").symlink_to(tmp_path / "elsewhere")
    intake.look()
    assert (intake.inbox() / "a.xml").exists()
    assert [r.reason_code for r in intake.receipts()] == ["INTAKE-SYMLINK"]
    assert (tmp_path / "elsewhere").exists()


def test_a_marker_stays_until_its_file_is_durable_and_meanwhile_vouches_for_no_other(intake, monkeypatch):
    full = True
    keep = Archive.keep_original

    def until_full(archive, *arguments):
        if full:
            raise OSError(28, "No space left on device")
        return keep(archive, *arguments)

    monkeypatch.setattr(Archive, "keep_original", until_full)
    file(intake, "a.xml")
    marker(intake, "a.xml.done")
    assert intake.look() == 0
    assert os.listdir(intake.inbox()) == ["a.xml.done"]
    file(intake, "a.xml", HALF)  # the next file of that name
    full = False
    assert intake.look() == 1
    assert intake.look() == 0
    assert os.listdir(intake.inbox()) == ["a.xml"], "the old marker is gone, and did not vouch for the new file"
    marker(intake, "a.xml.done")
    file(intake, "a.xml", WHOLE)
    assert intake.take() == 1


def test_a_file_that_cannot_be_taken_keeps_its_own_marker_and_no_others(intake, monkeypatch):
    keep = Archive.keep_original
    stuck = True

    def stubborn(archive, source, *arguments):
        if stuck and source.read_bytes() == b"<stuck/>":
            raise OSError(5, "Input/output error")
        return keep(archive, source, *arguments)

    monkeypatch.setattr(Archive, "keep_original", stubborn)
    file(intake, "stuck.xml", b"<stuck/>")
    marker(intake, "stuck.xml.done")
    assert intake.look() == 0
    file(intake, "good.xml")
    marker(intake, "good.xml.done")
    assert [intake.look(), intake.look()] == [1, 0]
    assert os.listdir(intake.inbox()) == ["stuck.xml.done"]
    stuck = False
    assert [intake.look(), intake.look()] == [1, 0]
    assert os.listdir(intake.inbox()) == intake.claimed() == []


def test_a_marker_that_comes_after_its_file_was_taken_by_another_rung_is_removed_and_not_told(climbing):
    intake = climbing("done-file", "quiet", "structure")
    file(intake, "a.xml")
    assert intake.take() == 1
    marker(intake, "a.xml.done")
    intake.look()
    assert os.listdir(intake.inbox()) == []
    intake.wait(GIVE_UP * 10)
    intake.look()
    assert intake.receive.waiting == 0
    intake.open_all()
    assert len(intake.receipts()) == 1


def test_a_giant_with_its_marker_is_refused_for_its_size_and_the_marker_goes(climbing):
    intake = climbing("done-file", limit_bytes=10)
    file(intake, "a.xml")
    marker(intake, "a.xml.done")
    assert intake.take() == 1
    assert [r.reason_code for r in intake.receipts()] == ["IRR_TAILLE_F"]
    assert os.listdir(intake.inbox()) == []


def limit_groups(intake, size):
    settings = intake.roster.settings
    ledger = settings.ledger.model_copy(update={"commit_size": size})
    intake.roster.settings = replace(settings, ledger=ledger)
