"""A sidecar holds the hash of its file: its forms, what is hostile in it, and what it costs."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from gateway.domain.ack import Event
from gateway.domain.states import InterchangeState
from gateway.transports import local
from gateway.transports.completeness import bounded_text, hashing
from tests.simulator.paper import Paper
from tests.transports.intake import GIVE_UP, LIMIT, QUIET

_I = InterchangeState
WHOLE = Paper().ubl()
HALF = WHOLE[: len(WHOLE) // 2]
SHA256 = hashlib.sha256(WHOLE).hexdigest()
SHA512 = hashlib.sha512(WHOLE).hexdigest()
MD5 = hashlib.md5(WHOLE, usedforsecurity=False).hexdigest()

FORMS = {
    "bare": ("sha256", SHA256.encode()),
    "line": ("sha256", f"{SHA256}\n".encode()),
    "coreutils": ("sha256", f"{SHA256}  a.xml\n".encode()),
    "binary": ("sha256", f"{SHA256} *a.xml\r\n".encode()),
    "tab": ("sha256", f"{SHA256}\ta.xml".encode()),
    "bsd": ("sha256", f"SHA256 (a.xml) = {SHA256}\n".encode()),
    "openssl": ("sha256", f"SHA2-256(a.xml)= {SHA256}\n".encode()),
    "upper case": ("sha256", f"{SHA256.upper()}  a.xml\n".encode()),
    "mark": ("sha256", b"\xef\xbb\xbf" + f"{SHA256}  a.xml\r\n\r\n".encode()),
    "powershell": ("sha256", b"\xff\xfe" + f"{SHA256.upper()}\r\n".encode("utf-16-le")),
    "sha512": ("sha512", f"{SHA512}  a.xml\n".encode()),
    "sha512 bsd": ("sha512", f"SHA512 (a.xml) = {SHA512}\n".encode()),
    "md5": ("md5", f"{MD5}  a.xml\n".encode()),
    "md5 of Windows": ("MD5", f"{MD5.upper()}\r\n".encode()),
}
HOSTILE = {
    "empty": b"",
    "path": f"{SHA256}  ../../etc/a.xml\n".encode(),
    "folder": f"{SHA256}  out/a.xml\n".encode(),
    "backslash": f"{SHA256}  C:\\a.xml\n".encode(),
    "another": f"{SHA256}  b.xml\n".encode(),
    "two": f"{SHA256}  a.xml\n{SHA256}  a.xml\n".encode(),
    "short": SHA256[:-1].encode(),
    "other algorithm": f"{MD5}  a.xml\n".encode(),
    "spelt otherwise": f"MD5 (a.xml) = {SHA256}\n".encode(),
    "zeros": SHA256.encode() + b"\0" * 100,
    "no text": b"\xff\xfe\xfd" * 50,
    "huge": SHA256.encode() + b" " * 100_000,
    "control": f"{SHA256}  a\x1b[2J.xml\n".encode(),
}


@pytest.fixture
def intake(climbing):
    return climbing("checksum")


@pytest.mark.parametrize("form", FORMS)
def test_a_file_whose_hash_is_its_sidecars_is_taken_at_the_first_look(intake, form):
    ending, content = FORMS[form]
    intake.drop("a.xml", WHOLE)
    intake.drop(f"a.xml.{ending}", content)
    assert intake.look() == 1
    assert intake.kept(intake.row()) == WHOLE
    assert os.listdir(intake.inbox()) == intake.claimed() == []


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_sidecar_that_cannot_be_used_vouches_for_nothing_and_is_told(intake, content):
    intake.drop("a.xml", WHOLE)
    intake.drop("a.xml.sha256", content)
    for _ in range(3):
        assert intake.look() == 0
        intake.wait(QUIET)
    intake.wait(GIVE_UP)
    assert intake.look() == 1
    assert intake.row().state is _I.REFUSED
    (told,) = intake.receipts()
    assert (told.event, told.reason_code) == (Event.INCOMPLETE, "INTAKE-CHECKSUM-UNREADABLE")
    assert told.reason.isprintable()
    assert os.listdir(intake.inbox()) == []


def test_a_name_that_is_no_utf_8_is_compared_as_bytes(intake):
    intake.drop(b"\xe9.xml", WHOLE)
    intake.drop(b"\xe9.xml.sha256", SHA256.encode() + b"  \xe9.xml\n")
    assert intake.look() == 1


def test_a_mismatch_is_first_of_all_a_file_that_still_comes_in(intake):
    path = intake.drop("a.xml", HALF)
    intake.drop("a.xml.sha256", SHA256.encode())
    for _ in range(3):
        assert intake.look() == 0
        intake.wait(QUIET)
    with path.open("ab") as out:
        out.write(WHOLE[len(HALF) :])
    intake.look()
    intake.wait(QUIET)
    assert intake.look() == 1
    assert intake.kept(intake.row()) == WHOLE


def test_a_mismatch_that_stays_is_refused_with_both_hashes_and_the_sidecar_goes_with_it(intake):
    intake.drop("a.xml", HALF)
    intake.drop("a.xml.sha256", SHA256.encode())
    intake.look()
    intake.wait(GIVE_UP)
    assert intake.look() == 1
    (told,) = intake.receipts()
    assert told.reason_code == "INTAKE-CHECKSUM-MISMATCH"
    assert SHA256 in told.reason
    assert hashlib.sha256(HALF).hexdigest() in told.reason
    assert intake.kept(intake.row()) == HALF
    assert os.listdir(intake.inbox()) == []


def test_a_sidecar_that_contradicts_outweighs_quiet_and_structure(climbing):
    intake = climbing("checksum", "quiet", "structure")
    intake.drop("a.xml", WHOLE)
    intake.drop("a.xml.sha256", hashlib.sha256(b"another").hexdigest().encode())
    intake.drop("b.xml", WHOLE)
    assert intake.take() == 1
    assert intake.row().file_name == "b.xml"


def test_every_sidecar_of_a_file_must_agree(intake):
    intake.drop("a.xml", WHOLE)
    intake.drop("a.xml.sha256", SHA256.encode())
    intake.drop("a.xml.md5", b"0" * 32)
    assert intake.take() == 0
    intake.drop("a.xml.md5", MD5.encode())
    assert intake.take() == 1


def test_a_file_without_sidecar_and_a_sidecar_without_file_are_told(intake):
    intake.drop("a.xml", WHOLE)
    intake.drop("b.xml.sha256", SHA256.encode())
    intake.look()
    intake.wait(GIVE_UP)
    assert intake.look() == 2
    assert {(r.file_name, r.reason_code) for r in intake.receipts()} == {
        ("a.xml", "INTAKE-FILE-WITHOUT-CHECKSUM"),
        ("b.xml.sha256", "INTAKE-CHECKSUM-WITHOUT-FILE"),
    }
    assert os.listdir(intake.inbox()) == []


def test_a_link_or_a_pipe_is_no_sidecar(intake, tmp_path):
    (tmp_path / "hash").write_text(SHA256)
    intake.drop("a.xml", WHOLE)
    (intake.inbox() / "a.xml.sha256").symlink_to(tmp_path / "hash")
    os.mkfifo(intake.inbox() / "a.xml.md5")
    intake.look()
    assert {r.reason_code for r in intake.receipts()} == {"INTAKE-SYMLINK", "INTAKE-NOT-A-FILE"}
    assert os.listdir(intake.inbox()) == ["a.xml"]


@pytest.fixture
def hashed(monkeypatch):
    """The files that were hashed, in turn."""
    found = []
    real = hashing._hash

    def count(sighting, algorithm):
        found.append(os.fsdecode(sighting.look.name))
        return real(sighting, algorithm)

    monkeypatch.setattr(hashing, "_hash", count)
    return found


def test_a_file_is_hashed_once_for_each_shape_of_it(intake, hashed):
    intake.drop("a.xml", HALF)
    intake.drop("a.xml.sha256", SHA256.encode())
    for _ in range(10):
        intake.look()
        intake.wait(QUIET)
    assert hashed == ["a.xml"]
    intake.drop("a.xml", WHOLE)
    intake.look()
    assert hashed == ["a.xml"], "what changes is hashed again only when it is quiet"
    assert intake.receive.settling == 1
    intake.wait(QUIET)
    assert intake.look() == 1
    assert hashed == ["a.xml"] * 2


def test_a_file_that_grows_beside_its_sidecar_is_not_read_again_at_each_look(intake, hashed):
    path = intake.drop("a.xml", HALF)
    intake.drop("a.xml.sha256", SHA256.encode())
    for _ in range(30):
        intake.look()
        with path.open("ab") as out:
            out.write(b" ")
        intake.wait(QUIET / 2)
    assert hashed == ["a.xml"]


def test_one_look_hashes_only_so_much_and_the_next_goes_on(intake, hashed, monkeypatch):
    monkeypatch.setattr(hashing, "LOOK_BYTES", 1)
    monkeypatch.setattr(hashing.Hasher.__init__, "__defaults__", (len(WHOLE) * 2,))
    for n in range(5):
        intake.drop(f"{n}.xml", WHOLE)
        intake.drop(f"{n}.xml.sha256", SHA256.encode())
    assert [intake.look(), intake.look(), intake.look(), intake.look()] == [2, 2, 1, 0]
    assert sorted(hashed) == [f"{n}.xml" for n in range(5)]


def test_a_file_over_the_limit_is_refused_unread(intake, hashed):
    path = intake.drop("a.xml", b"")
    os.truncate(path, LIMIT + 1)
    intake.drop("a.xml.sha256", SHA256.encode())
    assert intake.take() == 1
    assert hashed == []
    assert [r.reason_code for r in intake.receipts()] == ["IRR_TAILLE_F"]
    assert os.listdir(intake.inbox()) == []


def test_a_file_rewritten_after_its_hash_was_found_right_is_caught_in_the_archive(intake, monkeypatch):
    """Within one tick of the file system's clock a change leaves no trace in size and times."""
    path = intake.drop("a.xml", WHOLE)
    intake.drop("a.xml.sha256", SHA256.encode())

    def rewrite(*arguments):
        status = path.stat()
        with path.open("r+b") as out:
            out.write(WHOLE.replace(b"EUR", b"USD"))
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        return local.claim(*arguments)

    monkeypatch.setattr("gateway.steps.receive.claim", rewrite)
    assert intake.look() == 1
    assert intake.row().state is _I.REFUSED
    assert [r.reason_code for r in intake.receipts()] == ["INTAKE-CHECKSUM-MISMATCH"]


def test_ten_thousand_names_that_wait_are_read_once_and_cost_no_read_at_later_looks(intake, hashed, monkeypatch):
    """5,000 files with a sidecar that is not theirs yet: one hash and one small read each, however often we look."""
    inbox: Path = intake.inbox()
    for n in range(5000):
        (inbox / f"{n}.xml").write_bytes(b"<a/>")
        (inbox / f"{n}.xml.sha256").write_bytes(SHA256.encode())
    opened, stats = [], 0
    real_text, real_lstat = bounded_text.os.open, Path.lstat

    def counting_open(path, *arguments, **options):
        opened.append(path)
        return real_text(path, *arguments, **options)

    def counting_lstat(path):
        nonlocal stats
        stats += 1
        return real_lstat(path)

    monkeypatch.setattr(os, "open", counting_open)
    monkeypatch.setattr(Path, "lstat", counting_lstat)
    intake.look()
    assert len(hashed) == 5000
    assert len(opened) <= 10_050
    opened.clear()
    stats = 0
    for _ in range(3):
        intake.wait(QUIET)
        assert intake.look() == 0
    assert len(hashed) == 5000
    assert len(opened) < 20, "later looks read nothing"
    assert stats < 20, "and ask for nothing beside the listing itself"
