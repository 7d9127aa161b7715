"""When a file counts as whole, and what becomes of one that never does."""

from __future__ import annotations

import os

import pytest

from gateway.domain.ack import Action, Event
from gateway.domain.states import InterchangeState
from tests.simulator.paper import Paper, zipped
from tests.transports.intake import GIVE_UP, LIMIT, QUIET

_I = InterchangeState
WHOLE = Paper().ubl()
HALF = WHOLE[: len(WHOLE) // 2]


def test_a_file_is_taken_after_two_looks_between_which_nothing_changed(intake):
    intake.drop("a.xml", WHOLE)
    assert intake.look() == 0
    intake.wait(QUIET / 2)
    assert intake.look() == 0
    intake.wait(QUIET / 2)
    assert intake.look() == 1
    assert intake.kept(intake.row()) == WHOLE


def test_a_file_that_still_grows_is_left_alone_however_long_it_takes(intake):
    """Also when every look finds it whole by chance, and beyond the patience for files that stopped growing."""
    path = intake.drop("a.txt", b"x")
    for _ in range(50):
        intake.wait(GIVE_UP / 10)
        with path.open("ab") as file:
            file.write(b"more")
        assert intake.look() == 0
    assert path.exists()
    intake.wait(QUIET)
    assert intake.look() == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda p: os.utime(p, (1, 1)),
        lambda p: p.write_bytes(b"<b/>"),
        lambda p: (p.rename(p.with_name(".x")), p.write_bytes(b"<a/>"), os.utime(p, (5, 5))),
    ],
    ids=["touched", "same size", "another file"],
)
def test_any_change_begins_the_wait_anew(intake, change):
    path = intake.drop("a.xml", b"<a/>")
    os.utime(path, (5, 5))
    intake.look()
    intake.wait(QUIET * 0.9)
    change(path)
    intake.look()
    intake.wait(QUIET * 0.9)
    assert intake.look() == 0
    intake.wait(QUIET * 0.2)
    assert intake.look() == 1


def test_a_half_written_file_waits_until_it_is_completed(intake):
    path = intake.drop("a.xml", HALF)
    for _ in range(5):
        assert intake.take() == 0
    path.write_bytes(WHOLE)
    assert intake.take() == 1
    assert intake.kept(intake.row()) == WHOLE


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xml", HALF),
        ("a.zip", zipped([("a.xml", WHOLE)])[:-30]),
        ("a.pdf", b"%PDF-1.7\n1 0 obj<<>>endobj\n"),
    ],
)
def test_a_file_that_stays_half_is_refused_with_its_remedy_and_kept(intake, name, content):
    intake.drop(name, content)
    assert intake.take() == 0
    intake.wait(GIVE_UP)
    assert intake.take() == 1
    row = intake.row()
    assert row.state is _I.REFUSED
    assert intake.kept(row) == content
    (told,) = intake.receipts()
    assert (told.event, told.reason_code, told.action) == (Event.INCOMPLETE, "INCOMPLETE", Action.CORRECT_AND_REDROP)
    assert "30 minutes" in told.reason
    assert ".part" in told.remedy
    assert told.sha256
    assert all(text for finding in row.findings for text in (*finding.message, *finding.remedy))


def test_an_empty_file_gets_more_patience_and_is_then_refused_as_empty(intake):
    intake.drop("a.xml", b"")
    assert intake.take() == 0
    intake.wait(QUIET * 10)
    assert intake.look() == 1
    intake.open_all()
    row = intake.row()
    assert row.state is _I.REFUSED
    assert [f.rule for f in row.findings] == ["IRR_VIDE_F"]
    assert all(text for finding in row.findings for text in (*finding.message, *finding.remedy))
    assert [r.reason_code for r in intake.receipts()] == ["IRR_VIDE_F"]
    assert intake.kept(row) == b""


def test_a_file_of_several_gigabytes_is_refused_unread_and_kept(intake, monkeypatch):
    path = intake.drop("giant.xml", b"<a>")
    os.truncate(path, 5 * 1024**3)
    inode, read = path.stat().st_ino, 0

    def counting(real):
        def count(*arguments):
            nonlocal read
            content = real(*arguments)
            read += len(content)
            return content

        return count

    monkeypatch.setattr(os, "read", counting(os.read))
    monkeypatch.setattr(os, "pread", counting(os.pread))
    assert intake.take() == 1
    assert read < LIMIT
    row = intake.row()
    assert (row.state, row.size) == (_I.REFUSED, 5 * 1024**3)
    assert intake.house.archive.path(row.archive_path).stat().st_ino == inode
    (told,) = intake.receipts()
    assert told.reason_code == "IRR_TAILLE_F"
    assert told.remedy
    assert os.listdir(intake.inbox()) == intake.claimed() == []


def test_a_large_file_that_still_comes_in_is_not_refused_before_it_stands_still(intake):
    path = intake.drop("giant.bin", bytes(LIMIT + 1))
    intake.look()
    for _ in range(3):
        intake.wait(QUIET)
        with path.open("ab") as file:
            file.write(b"more")
        assert intake.look() == 0


def test_a_file_that_vanishes_before_it_is_claimed_is_no_matter(intake):
    path = intake.drop("a.xml")
    intake.look()
    path.unlink()
    intake.wait(QUIET)
    assert intake.look() == 0
    assert intake.rows() == []


def test_a_file_that_vanishes_between_row_and_claim_is_noted_and_told_to_nobody(intake, monkeypatch):
    path = intake.drop("a.xml")
    from gateway.transports.local import claim

    monkeypatch.setattr("gateway.steps.receive.claim", lambda *a: (path.unlink(), claim(*a)))
    intake.take()
    row = intake.row()
    assert row.state is _I.REFUSED
    assert [f.rule for f in row.findings] == ["INTAKE-WITHDRAWN"]
    assert intake.receipts() == []


@pytest.mark.parametrize("late", [False, True], ids=["completed", "never completed"])
def test_a_file_swapped_for_a_half_one_between_look_and_claim_is_not_taken_for_whole(intake, monkeypatch, late):
    from gateway.transports.local import claim

    path = intake.drop("a.xml", WHOLE)

    def swap(*arguments):
        path.with_suffix(".tmp").write_bytes(HALF)
        path.with_suffix(".tmp").rename(path)
        return claim(*arguments)

    monkeypatch.setattr("gateway.steps.receive.claim", swap)
    intake.take()
    (row,) = intake.rows()
    assert row.state is _I.CLAIMED
    if not late:
        intake.claimed()[0].write_bytes(WHOLE)  # its writer goes on, by its descriptor
        intake.look()
        assert intake.row().state is _I.ARCHIVED
        assert intake.kept(intake.row()) == WHOLE
        return
    intake.wait(GIVE_UP)
    intake.look()
    assert [f.rule for f in intake.row().findings] == ["INCOMPLETE"]
    assert intake.kept(intake.row()) == HALF


def test_a_folder_that_takes_the_name_between_look_and_claim_goes_back(intake, monkeypatch):
    from gateway.transports.local import claim

    path = intake.drop("a.xml", WHOLE)

    def swap(*arguments):
        if path.is_file():
            path.unlink()
            path.mkdir()
            (path / "b.xml").write_bytes(WHOLE)
        return claim(*arguments)

    monkeypatch.setattr("gateway.steps.receive.claim", swap)
    intake.take()
    intake.take()
    intake.receive.recover()
    assert [row.file_name for row in intake.rows(_I.ARCHIVED)] == ["a.xml/b.xml"]


def test_a_file_whose_writer_goes_on_after_the_claim_is_kept_as_it_was_when_it_stood_still(intake):
    path = intake.drop("a.xml", WHOLE)
    with path.open("ab") as writer:
        intake.take()
        writer.write(b"<!-- too late -->")
    assert intake.kept(intake.row()) == WHOLE


def test_a_file_that_never_stands_still_is_given_up(intake, monkeypatch):
    from gateway.ledger.archive import Archive, Changed

    def changed(*_):
        raise Changed("it grows")

    monkeypatch.setattr(Archive, "keep_original", changed)
    monkeypatch.setattr("gateway.steps.claimed._PAUSE_S", 0)
    intake.drop("a.xml", WHOLE)
    intake.take()
    assert intake.row().state is _I.CLAIMED
    intake.wait(GIVE_UP)
    intake.look()
    assert [r.event for r in intake.receipts()] == [Event.INCOMPLETE]
    assert intake.kept(intake.row()) == WHOLE


def test_the_same_name_may_come_again_while_the_first_is_in_work(intake):
    for n in range(3):
        intake.drop("invoice.xml", b"<a>%d</a>" % n)
        assert intake.take() == 1
    rows = intake.rows(_I.ARCHIVED)
    assert [intake.kept(row) for row in rows] == [b"<a>0</a>", b"<a>1</a>", b"<a>2</a>"]
    assert {row.file_name for row in rows} == {"invoice.xml"}


def test_the_same_name_that_comes_while_the_first_is_still_being_taken_is_another_file(intake, monkeypatch):
    from gateway.transports.local import claim

    def again(*arguments):
        done = claim(*arguments)
        if len(intake.rows()) == 1:
            intake.drop("a.xml", b"<b/>")
        return done

    monkeypatch.setattr("gateway.steps.receive.claim", again)
    intake.drop("a.xml", b"<a/>")
    intake.take()
    intake.take()
    assert sorted(intake.kept(row) for row in intake.rows(_I.ARCHIVED)) == [b"<a/>", b"<b/>"]


def test_files_are_taken_in_the_order_in_which_they_were_seen(intake):
    for n in range(30):
        path = intake.drop(f"{(n * 7) % 30:02}.xml", b"<a>%d</a>" % n)
        os.utime(path, (n, n))
    intake.take()
    assert [intake.kept(row) for row in intake.rows()] == [b"<a>%d</a>" % n for n in range(30)]


def test_other_wishes_of_a_partner_hold_without_a_restart(intake):
    from dataclasses import replace

    intake.drop("a.xml")
    intake.look()
    intake.change(completeness=replace(intake.partner().completeness, quiet_s=60.0))
    intake.look()
    intake.wait(QUIET)
    assert intake.look() == 0
    intake.wait(60)
    assert intake.look() == 1
