"""What stands in a drop folder: names of any bytes, links, pipes, folders, temporary names."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest

from gateway.domain.states import InterchangeState
from gateway.transports import local
from tests.transports.intake import Intake

_I = InterchangeState
ODD_NAMES = [
    b"plain.xml",
    b"with space.xml",
    "facture é œ.xml".encode(),
    b"latin1-\xe9\xff.xml",
    b"new\nline.xml",
    b"tab\there.xml",
    "forged\N{RIGHT-TO-LEFT OVERRIDE}lmx.exe".encode(),
    b"-rf",
    b"--help",
    b"quote'\"`$(id).xml",
    b"semi;colon&amp;|.xml",
    b"percent%20%2e%2e.xml",
    b"back\\slash..xml",
    b"star*?[a].xml",
    b"\x01\x7f.xml",
    b"n" * 251 + b".xml",
    b"\xff" * 255,
    "\N{CYRILLIC SMALL LETTER A}.xml".encode(),
    b"CON.xml",
    b"trailing. ",
]


def test_a_file_of_any_name_is_taken_and_told_in_one_printable_line(intake):
    for n, name in enumerate(ODD_NAMES):
        intake.drop(name, b"<a>%d</a>" % n)
    assert intake.take() == len(ODD_NAMES)
    rows = {local.unescape_name(row.raw_name): row for row in intake.rows(_I.ARCHIVED)}
    assert rows.keys() == set(ODD_NAMES)
    for n, name in enumerate(ODD_NAMES):
        assert intake.kept(rows[name]) == b"<a>%d</a>" % n
        assert rows[name].file_name.isprintable()
        rows[name].file_name.encode()
    intake.open_all()
    assert len(intake.receipts()) == len(ODD_NAMES)
    assert os.listdir(intake.inbox()) == []


def test_names_come_back_from_the_ledger_as_the_bytes_they_were():
    for name in [*ODD_NAMES, b"sub/dir/\xe9.xml", bytes(range(1, 256))]:
        assert local.unescape_name(local.escape_name(name)) == name
        assert local.escape_name(name).isascii()


@pytest.mark.parametrize(
    "name", [".hidden", "a.part", "a.PART", "b.filepart", "c.tmp", "d.writing", ".d/e.xml", "x.tmp/e.xml"]
)
def test_a_temporary_or_hidden_name_is_never_taken(intake, name):
    path = intake.drop(name)
    intake.wait(10**6)
    assert intake.take() == 0
    assert path.exists()
    assert intake.receive.waiting == 0


def test_a_file_renamed_away_from_its_temporary_name_is_taken(intake):
    intake.drop("a.xml.part").rename(intake.inbox() / "a.xml")
    assert intake.take() == 1


def test_sub_folders_are_looked_into_as_deep_as_configured(intake):
    deep = intake.roster.settings.intake.depth
    inside = intake.drop("/".join(["d"] * deep) + "/a.xml")
    beyond = intake.drop("/".join(["d"] * (deep + 1)) + "/b.xml")
    assert intake.take() == 1
    assert not inside.exists()
    assert beyond.exists()
    assert intake.row().file_name.endswith("d/a.xml")


def test_a_link_is_refused_and_what_it_points_to_is_not_touched(intake, tmp_path):
    target = tmp_path / "secret"
    target.write_bytes(b"<a/>")
    intake.inbox().mkdir(parents=True)
    (intake.inbox() / "link.xml").symlink_to(target)
    (intake.inbox() / "broken.xml").symlink_to("nowhere")
    assert intake.take() == 2
    assert target.read_bytes() == b"<a/>"
    assert {row.state for row in intake.rows()} == {_I.REFUSED}
    assert [(r.reason_code, bool(r.remedy)) for r in intake.receipts()] == [("INTAKE-SYMLINK", True)] * 2
    assert os.listdir(intake.inbox()) == []


def test_a_linked_sub_folder_is_not_entered(intake, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.xml").write_bytes(b"<a/>")
    intake.inbox().mkdir(parents=True)
    (intake.inbox() / "sub").symlink_to(elsewhere)
    intake.take()
    assert (elsewhere / "a.xml").exists()
    assert [r.reason_code for r in intake.receipts()] == ["INTAKE-SYMLINK"]


def test_a_sub_folder_swapped_for_a_link_between_look_and_claim_leads_nowhere(intake, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    dropped = intake.drop("sub/a.xml")
    os.link(dropped, elsewhere / "a.xml")

    def swap(*arguments):
        if not dropped.parent.is_symlink():
            dropped.unlink()
            dropped.parent.rmdir()
            dropped.parent.symlink_to(elsewhere)
        return local.claim(*arguments)

    monkeypatch.setattr("gateway.steps.receive.claim", swap)
    intake.take()
    assert (elsewhere / "a.xml").exists()
    assert intake.rows(_I.ARCHIVED) == []


def test_pipes_and_sockets_are_refused_without_being_opened(intake):
    intake.inbox().mkdir(parents=True)
    os.mkfifo(intake.inbox() / "pipe.xml")
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(intake.inbox())
        listener.bind("socket.xml")
        os.chdir("/")
    thread = threading.Thread(target=intake.take, daemon=True)
    thread.start()
    thread.join(timeout=10)
    assert not thread.is_alive(), "a pipe without a writer blocks whoever opens it"
    assert [r.reason_code for r in intake.receipts()] == ["INTAKE-NOT-A-FILE"] * 2
    assert os.listdir(intake.inbox()) == []


def test_a_folder_that_cannot_be_read_hides_no_other(intake, monkeypatch):
    intake.drop("good/a.xml")
    intake.drop("bad/b.xml")
    scan = os.scandir

    def refuse(path):
        if path.endswith(b"bad"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert intake.take() == 1


def test_one_partners_broken_folder_delays_nobody_else(intake):
    intake.drop("a.xml", partner="erp")
    intake.partner("edi").root.mkdir(parents=True, exist_ok=True)
    (intake.partner("edi").root / "in").write_text("a file where the folder should be")
    for _ in range(3):
        intake.take()
    assert [row.partner for row in intake.rows()] == ["erp"]
    intake.receive.recover()


def test_events_make_the_next_look_come_sooner_and_their_lack_stops_nothing(tmp_path):
    from gateway.transports.events import FolderEvents

    heard = threading.Event()
    events = FolderEvents(heard.set)
    events.watch([tmp_path, tmp_path / "absent"])
    (tmp_path / "a.xml").write_bytes(b"x")
    assert heard.wait(5)
    events.stop()


def test_more_folders_than_the_system_can_watch_are_left_to_the_rescan(tmp_path, monkeypatch):
    """Linux gives a user 128 watches of this kind; an operator with 300 partners must still start."""
    from gateway.transports.events import FolderEvents

    events = FolderEvents(lambda: None)

    def no_more(*_, **__):
        raise OSError(24, "inotify instance limit reached")

    monkeypatch.setattr(events._observer, "schedule", no_more)
    events.watch([tmp_path, tmp_path])
    events.stop()
    FolderEvents(lambda: None).stop()


@pytest.fixture(autouse=True)
def _back(request):
    yield
    os.chdir(Path(__file__).parents[2])


def test_the_harness_is_quiet(intake: Intake):
    assert intake.take() == 0
