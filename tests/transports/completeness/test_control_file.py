"""A list names the files of a batch: taken as one, or told file by file what is wrong with it."""

from __future__ import annotations

import hashlib
import os

import pytest

from gateway.domain.ack import Event
from gateway.domain.states import InterchangeState
from gateway.transports.completeness.bounded_text import Unusable
from gateway.transports.completeness.control_text import CONTROL_NAMES, Listed, read_control
from tests.simulator.paper import Paper
from tests.transports.completeness.test_done_file import limit_groups
from tests.transports.intake import GIVE_UP, QUIET

_I = InterchangeState
WHOLE = Paper().ubl()
HALF = WHOLE[: len(WHOLE) // 2]
SHA256 = hashlib.sha256(WHOLE).hexdigest()


@pytest.fixture
def intake(climbing):
    return climbing("control-file")


def control(intake, *lines, name="lot.ctr"):
    path = intake.drop(name, "\n".join(lines).encode())
    os.utime(path, (10, 10))
    return path


def file(intake, name, content=WHOLE):
    path = intake.drop(name, content)
    os.utime(path, (1, 1))
    return path


@pytest.mark.parametrize(
    "form", ["{n}", "{n};{size}", "{n};{size};{sha}", "{n};;{sha}", "{sha}  {n}", "{sha} *{n}", "SHA256 ({n}) = {sha}"]
)
def test_a_batch_is_taken_when_all_its_files_are_there_and_whole_and_the_list_is_quiet(intake, form):
    for name in ("a.xml", "b.xml"):
        file(intake, name)
    control(intake, *(form.format(n=n, size=len(WHOLE), sha=SHA256) for n in ("a.xml", "b.xml", "c.xml")))
    assert intake.take() == 0
    assert intake.take() == 0
    file(intake, "c.xml")
    assert intake.take() == 3
    assert sorted(row.file_name for row in intake.rows(_I.ARCHIVED)) == ["a.xml", "b.xml", "c.xml"]
    assert os.listdir(intake.inbox()) == intake.claimed() == []
    assert intake.receive.waiting == 0


def test_half_a_list_is_not_taken_for_the_whole(intake):
    file(intake, "a.xml")
    path = control(intake, "a.xml")
    assert intake.look() == 0
    intake.wait(QUIET / 2)
    path.write_text("a.xml\nb.xml\n")
    os.utime(path, (10, 10))
    assert intake.look() == 0
    intake.wait(QUIET)
    assert intake.look() == 0


@pytest.mark.parametrize("stated", [";{size}", ";;{sha}", ""], ids=["size", "hash", "name"])
def test_one_half_file_holds_up_its_batch_until_it_is_whole(intake, stated):
    file(intake, "a.xml")
    control(intake, *(n + stated.format(size=len(WHOLE), sha=SHA256) for n in ("a.xml", "b.xml")))
    intake.look()
    intake.drop("b.xml", HALF)
    for _ in range(4):
        assert intake.take() == 0
    intake.drop("b.xml", WHOLE)
    assert intake.take() == 2


def test_what_a_batch_wants_after_the_patience_is_told_file_by_file_and_nothing_of_it_is_taken(intake):
    file(intake, "a.xml")
    file(intake, "b.xml", HALF)
    control(intake, "a.xml", f"b.xml;{len(WHOLE)}", "c.xml", "d.xml")
    assert intake.take() == 0
    intake.wait(GIVE_UP)
    assert intake.look() == 3
    rows = {row.file_name: row for row in intake.rows(_I.REFUSED)}
    assert rows.keys() == {"a.xml", "b.xml", "lot.ctr"}
    told = {r.file_name: r for r in intake.receipts()}
    assert {r.reason_code for r in told.values()} == {"INTAKE-BATCH-INCOMPLETE"}
    assert {r.event for r in told.values()} == {Event.INCOMPLETE}
    about = [f for f in rows["lot.ctr"].findings if f.rule == "INTAKE-BATCH-FAULT"]
    assert [f.message.en.split(",")[0] for f in about] == ["The file b.xml", "The file c.xml", "The file d.xml"]
    assert f"instead of {len(WHOLE)}" in about[0].message.en
    assert all(text for f in rows["lot.ctr"].findings for text in (*f.message, *f.remedy))
    assert os.listdir(intake.inbox()) == []


def test_files_that_no_list_names_are_told_when_nothing_more_comes(intake):
    for n in range(10):
        file(intake, f"{n}.xml", b"<a>%d</a>" % n)
        assert intake.look() == 0
        intake.wait(GIVE_UP / 3)
    assert intake.rows() == [], "the batch still comes in: its list is last"
    control(intake, *(f"{n}.xml" for n in range(9)))
    assert intake.take() == 9
    intake.wait(GIVE_UP)
    assert intake.take() == 1
    assert [r.reason_code for r in intake.receipts()] == ["INTAKE-FILE-NOT-LISTED"]


def test_a_batch_that_comes_in_slowly_behind_its_list_is_not_given_up(intake):
    control(intake, "missing.xml", *(f"{n}.xml" for n in range(20)))
    for n in range(20):
        file(intake, f"{n}.xml")
        intake.wait(GIVE_UP / 3)
        assert intake.look() == 0
    file(intake, "missing.xml")
    assert intake.take() == 21


@pytest.mark.parametrize(
    "lines",
    [
        ["../a.xml"], ["/etc/passwd"], ["a\\b.xml"], [".."], ["n" * 256], ["a.xml;x"], ["a.xml;1;zz"],
        ["a.xml;1;" + "0" * 63], ["a.xml;1;;1"], ["a.xml;1", "a.xml;2"], [""], ["lot.ctr"], ["a\x1b.xml"], ["\0"],
        [f"{SHA256}  ../a.xml"],
    ],
)  # fmt: skip
def test_a_hostile_list_takes_nothing_and_is_told(intake, lines):
    file(intake, "a.xml")
    control(intake, *lines)
    assert intake.take() == 0
    intake.wait(GIVE_UP)
    intake.take()
    told = {r.file_name: r for r in intake.receipts()}
    assert told["lot.ctr"].reason_code == "INTAKE-CONTROL-UNREADABLE"
    assert told["lot.ctr"].reason.isprintable()
    assert told["a.xml"].reason_code == "INTAKE-FILE-NOT-LISTED"


def test_a_list_of_too_many_names_is_not_kept_in_memory(tmp_path):
    path = tmp_path / "lot.ctr"
    path.write_text("\n".join(map(str, range(CONTROL_NAMES + 1))))
    with pytest.raises(Unusable):
        read_control(path, b"lot.ctr")
    os.truncate(path, 1 << 40)
    with pytest.raises(Unusable):
        read_control(path, b"lot.ctr")


def test_a_heading_and_the_list_itself_are_no_files(tmp_path):
    path = tmp_path / "lot.ctl"
    path.write_bytes(b"\xef\xbb\xbfname;size;sha256\r\nlot.ctl\r\na b.xml; 7 ;" + SHA256.upper().encode() + b"\r\n")
    assert read_control(path, b"lot.ctl") == {b"a b.xml": Listed(7, "sha256", SHA256)}


def test_a_manifest_of_sums_is_a_control_file_by_its_name(climbing):
    intake = climbing("control-file", control_names=("sha256sums",))
    file(intake, "a.xml")
    control(intake, f"{SHA256}  a.xml", name="SHA256SUMS")
    assert intake.take() == 1
    assert os.listdir(intake.inbox()) == []


def test_a_list_of_a_sub_folder_names_files_of_that_folder(intake):
    file(intake, "one/a.xml")
    file(intake, "a.xml")
    control(intake, "a.xml", name="one/lot.ctr")
    assert intake.take() == 1
    assert intake.row().file_name == "one/a.xml"


def test_a_batch_larger_than_a_group_keeps_its_list_until_its_last_file_is_durable(intake):
    limit_groups(intake, 4)
    for n in range(10):
        os.utime(file(intake, f"{n}.xml", b"<a>%d</a>" % n), (n, n))
    control(intake, *(f"{n}.xml" for n in range(10)))
    intake.look()
    intake.wait(QUIET)
    assert intake.look() == 4
    assert (intake.inbox() / "lot.ctr").exists()
    file(intake, "0.xml", HALF)  # the next file of that name: in no batch
    intake.restart()
    intake.receive.recover()
    assert [intake.look(), intake.look()] == [4, 2]
    assert intake.look() == 0
    assert os.listdir(intake.inbox()) == ["0.xml"]
    assert intake.claimed() == []
    assert len(intake.rows(_I.ARCHIVED)) == 10


def test_a_giant_in_a_batch_is_refused_by_itself_and_does_not_hold_up_the_others(climbing):
    intake = climbing("control-file", limit_bytes=len(WHOLE))
    file(intake, "a.xml")
    file(intake, "b.xml", WHOLE + b" ")
    control(intake, "a.xml", "b.xml;;" + "0" * 64)  # and it is not read to find out
    assert intake.take() == 2
    assert [row.file_name for row in intake.rows(_I.ARCHIVED)] == ["a.xml"]
    assert [r.reason_code for r in intake.receipts()] == ["IRR_TAILLE_F"]


def test_a_list_that_comes_after_all_its_files_were_taken_is_removed_and_not_told(climbing):
    intake = climbing("control-file", "quiet", "structure")
    file(intake, "a.xml")
    assert intake.take() == 1
    control(intake, "a.xml")
    intake.take()
    assert os.listdir(intake.inbox()) == []
    assert intake.receive.waiting == 0
