"""Receiving in bad times: a full disk, files that may not be read, folders that let nothing go, a ledger restored."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.domain.states import InterchangeState
from gateway.ledger.archive import Archive
from gateway.transports import local
from tests.transports.intake import GIVE_UP, LIMIT, QUIET, Intake

_I = InterchangeState


@pytest.fixture
def intake(tmp_path: Path) -> Iterator[Intake]:
    made = Intake(tmp_path)
    yield made
    made.close()


def test_with_too_little_free_disk_nothing_is_claimed_until_there_is_room(intake):
    path = intake.drop("a.xml")
    free = local.free_bytes(intake.roster.settings.state_dir)
    plenty = intake.roster.settings
    _wish_free(intake, free * 2)
    for _ in range(3):
        assert intake.take() == 0
    assert intake.receive.paused
    assert path.exists()
    assert intake.rows() == []
    intake.roster.settings = plenty
    assert intake.take() == 1
    assert not intake.receive.paused


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_while_files_are_taken_pauses_claiming_and_loses_nothing(intake, monkeypatch, code):
    room = 3
    keep = Archive.keep_original

    def until_full(archive, *arguments):
        nonlocal room
        if room == 0:
            raise OSError(code, "No space left on device")
        room -= 1
        return keep(archive, *arguments)

    monkeypatch.setattr(Archive, "keep_original", until_full)
    for n in range(250):
        intake.drop(f"{n:03}.xml", b"<a>%d</a>" % n)
    assert intake.take() == 3
    for _ in range(3):
        assert intake.look() == 0
    assert len(intake.rows(_I.CLAIMED)) == len(intake.claimed()) == 97
    assert len(os.listdir(intake.inbox())) == 150, "no more is claimed while the disk is full"
    room = 10**6
    intake.take()
    assert sorted(intake.kept(row) for row in intake.rows(_I.ARCHIVED)) == sorted(b"<a>%d</a>" % n for n in range(250))
    assert len(intake.rows()) == 250
    assert intake.claimed() == []


def test_a_full_disk_under_the_ledger_consumes_nothing(intake, monkeypatch):
    intake.drop("a.xml")

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    real = intake.receive._write_down
    monkeypatch.setattr(intake.receive, "_write_down", lambda *_: full(0))
    intake.take()
    assert len(os.listdir(intake.inbox())) == 1
    monkeypatch.setattr(intake.receive, "_write_down", real)
    assert intake.take() == 1


def test_a_file_that_may_not_be_read_is_refused_with_its_remedy_and_kept(intake, monkeypatch):
    """The tests run as root, who may read everything: the refusal of the system is played."""

    def forbidden(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Archive, "keep_original", forbidden)
    intake.drop("a.xml", b"<a/>")
    intake.drop("b.xml", b"<a/>")
    assert intake.take() == 2
    assert {row.state for row in intake.rows()} == {_I.REFUSED}
    assert [intake.kept(row) for row in intake.rows()] == [b"<a/>"] * 2
    assert [r.reason_code for r in intake.receipts()] == ["INTAKE-NOT-READABLE"] * 2
    for finding in intake.rows()[0].findings:
        assert all((*finding.message, *finding.remedy))


def test_a_file_that_may_not_be_read_and_not_be_kept_is_given_back_and_told(intake, monkeypatch):
    """The archive is on another file system, so that keeping means copying."""

    def forbidden(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Archive, "keep_original", forbidden)
    monkeypatch.setattr(Archive, "take_over", lambda *_: None)
    intake.drop("a.xml", b"<a/>")

    assert intake.take() == 1

    (row,) = intake.rows()
    assert row.state is _I.REFUSED
    assert [r.reason_code for r in intake.receipts()] == ["INTAKE-NOT-READABLE"]
    assert os.listdir(intake.inbox()) == [f".{row.id}.unread"]
    assert (intake.inbox() / f".{row.id}.unread").read_bytes() == b"<a/>"
    assert intake.take() == 0


def test_a_file_of_our_own_that_its_sender_locked_is_read(intake):
    path = intake.drop("a.xml", b"<a/>")
    path.chmod(0)

    assert intake.take() == 1

    assert [row.state for row in intake.rows()] == [_I.ARCHIVED]


def test_a_file_whose_folder_does_not_let_it_go_has_one_row_and_stops_no_other(intake, monkeypatch):
    real = local.claim
    refused = True

    def stubborn(folder, name, *rest):
        if refused and name == b"b.xml":
            raise PermissionError(errno.EPERM, "Operation not permitted")
        return real(folder, name, *rest)

    monkeypatch.setattr("gateway.steps.receive.claim", stubborn)
    for name in "abc":
        intake.drop(f"{name}.xml", name.encode())
    for _ in range(4):
        intake.take()
    assert sorted((row.file_name, row.state) for row in intake.rows()) == [
        ("a.xml", _I.ARCHIVED), ("b.xml", _I.SEEN), ("c.xml", _I.ARCHIVED),
    ]  # fmt: skip
    refused = False
    intake.take()
    assert [row.state for row in intake.rows()] == [_I.ARCHIVED] * 3


def test_a_giant_on_another_disk_does_not_fill_the_one_on_which_we_keep_things(intake, monkeypatch):
    monkeypatch.setattr(Archive, "take_over", lambda *_: None)
    path = intake.drop("giant.bin")
    os.truncate(path, local.free_bytes(intake.folder) + LIMIT)
    intake.drop("small.xml")
    assert intake.take() == 1
    assert not intake.receive.paused
    giant = next(row for row in intake.rows() if row.file_name == "giant.bin")
    assert giant.state is _I.CLAIMED
    os.truncate(intake.claimed()[0], LIMIT * 2)
    intake.look()
    assert [r.reason_code for r in intake.receipts()] == ["IRR_TAILLE_F"]
    assert len(intake.kept(intake.rows(_I.REFUSED)[0])) == LIMIT * 2


def test_claimed_files_that_no_row_knows_are_taken_in_under_a_name_of_ours(intake):
    """The ledger was restored from a backup older than the claim."""
    folder = intake.partner().claimed
    folder.mkdir(parents=True)
    (folder / "01UNKNOWN").write_bytes(b"<a/>")
    (folder / os.fsdecode(b"odd-\xff\n")).write_bytes(b"<b/>")
    (folder / "a-folder").mkdir()
    intake.receive.recover()
    intake.receive.recover()
    rows = intake.rows(_I.ARCHIVED)
    assert sorted((row.file_name, intake.kept(row)) for row in rows) == [
        ("recovered-01UNKNOWN", b"<a/>"), ("recovered-odd-%FF%0A", b"<b/>"),
    ]  # fmt: skip
    assert [path.name for path in intake.claimed()] == ["a-folder"]


def test_claimed_files_whose_rows_have_moved_on_are_cleared_at_the_start(intake):
    intake.drop("a.xml", b"<a/>")
    intake.take()
    row = intake.row()
    (intake.partner().claimed / row.id).write_bytes(b"<a/>")
    intake.restart()
    intake.receive.recover()
    assert intake.claimed() == []
    assert [r.id for r in intake.rows()] == [row.id]


def test_no_partner_has_more_in_work_than_its_bound(intake):
    intake.change(in_flight=10)
    for n in range(25):
        intake.drop(f"{n}.xml", b"<a>%d</a>" % n)
    assert intake.take() == 10
    intake.open_all()
    assert intake.take() == 10
    assert len(os.listdir(intake.inbox())) == 5


def test_a_bulk_sender_and_a_small_one_are_served_in_the_same_round(intake):
    for n in range(1000):
        intake.drop(f"{n}.xml", b"<a>%d</a>" % n, "edi")
    intake.drop("mine.xml", b"<a/>", "erp")
    intake.look()
    intake.wait(QUIET)
    assert intake.look() == 101
    intake.open.run()
    assert [row.state for row in intake.rows() if row.partner == "erp"] == [_I.REFUSED]


def test_a_folder_of_many_files_is_looked_through_once_not_once_for_each_group(intake, monkeypatch):
    scans = 0
    scan = os.scandir

    def counting(path):
        nonlocal scans
        scans += path == os.fsencode(intake.inbox())
        return scan(path)

    monkeypatch.setattr(os, "scandir", counting)
    for n in range(1000):
        intake.drop(f"{n}.xml", b"<a>%d</a>" % n)
    assert intake.take() == 1000
    assert scans <= 3


def test_a_ready_file_that_changed_before_its_turn_waits_again(intake):
    for n in range(150):
        os.utime(intake.drop(f"{n:03}.xml", b"<a>%d</a>" % n), (n, n))
    intake.look()
    intake.wait(QUIET)
    assert intake.look() == 100
    (intake.inbox() / "149.xml").write_bytes(b"<a>")
    assert intake.look() == 49
    assert intake.look() == 0
    assert os.listdir(intake.inbox()) == ["149.xml"]
    intake.wait(GIVE_UP)
    assert intake.take() == 1


def _wish_free(intake: Intake, wanted: int) -> None:
    settings = intake.roster.settings
    wished = settings.intake.model_copy(update={"free_bytes": wanted})
    intake.roster.settings = replace(settings, intake=wished)
