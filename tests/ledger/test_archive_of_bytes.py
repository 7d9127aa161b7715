"""The archive: byte for byte, whole or not there, and no way out of it."""

from __future__ import annotations

import errno
import hashlib
import os
import resource
import signal
import subprocess
from pathlib import Path

import pytest

from gateway.ledger.archive import Archive, Changed
from tests.ledger.ledgers import NOON


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


@pytest.fixture
def dropped(tmp_path: Path) -> Path:
    path = tmp_path / "dropped"
    path.write_bytes(os.urandom(3 << 20))
    return path


def test_an_original_is_kept_byte_for_byte_with_its_hash(archive, dropped):
    kept = archive.keep_original(dropped, "ID", NOON)
    assert archive.read(kept.path) == dropped.read_bytes()
    assert kept.sha256 == hashlib.sha256(dropped.read_bytes()).hexdigest()
    assert kept.size == 3 << 20
    assert kept.path == "originals/2026/03/02/ID"


def test_a_disk_that_takes_only_a_part_keeps_nothing(archive, dropped):
    """The last blocks of a full disk: write() takes a part and says so in a number that is easily not read."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((5 << 19) + 777, limit[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            archive.keep_original(dropped, "ID", NOON)
        with pytest.raises(OSError, match="File too large"):
            archive.put_payload(dropped.read_bytes())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, before)
    assert [p for p in archive.root.rglob("*") if p.is_file()] == []


def test_a_really_full_disk_keeps_nothing_and_takes_the_file_once_there_is_room(tmp_path, dropped):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"cannot mount a small disk here: {mounted.stderr.decode().strip()}")
    try:
        archive = Archive(disk / "archive")
        with pytest.raises(OSError, match="No space") as full:
            archive.keep_original(dropped, "ID", NOON)
        assert full.value.errno == errno.ENOSPC
        assert [p for p in archive.root.rglob("*") if p.is_file()] == []
        subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
        assert archive.keep_original(dropped, "ID", NOON).size == 3 << 20
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_file_that_changes_while_it_is_copied_is_not_kept(archive, dropped, monkeypatch):
    read = os.read

    def meanwhile(descriptor: int, count: int) -> bytes:
        with dropped.open("ab") as file:
            file.write(b"more")
        return read(descriptor, min(count, 1000000))

    monkeypatch.setattr(os, "read", meanwhile)
    with pytest.raises(Changed):
        archive.keep_original(dropped, "ID", NOON)
    assert [p for p in archive.root.rglob("*") if p.is_file()] == []


def test_a_link_is_not_followed(archive, dropped, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(dropped)
    with pytest.raises(OSError, match="symbolic links"):
        archive.keep_original(link, "ID", NOON)


def test_a_copy_cut_short_by_a_crash_is_written_over(archive, dropped):
    kept = archive.keep_original(dropped, "ID", NOON)
    archive.path(kept.path).write_bytes(b"half")
    assert archive.keep_original(dropped, "ID", NOON) == kept
    assert archive.read(kept.path) == dropped.read_bytes()


def test_a_file_taken_over_is_the_same_file_and_can_be_given_back(archive, dropped):
    inode = dropped.stat().st_ino
    kept = archive.take_over(dropped, "ID", NOON)
    assert kept.size == 3 << 20
    assert archive.path(kept.path).stat().st_ino == inode
    assert not dropped.exists()
    assert archive.give_back("ID", NOON, dropped)
    assert dropped.stat().st_ino == inode
    assert not archive.give_back("ID", NOON, dropped)


def test_a_file_on_another_file_system_is_not_taken_over(archive):
    elsewhere = Path("/dev/shm") / f"gateway-test-{os.getpid()}"
    elsewhere.write_bytes(b"x")
    try:
        archive.root.mkdir()
        if elsewhere.stat().st_dev == archive.root.stat().st_dev:
            pytest.skip("/dev/shm is on the same file system as the tests' folder")
        assert archive.take_over(elsewhere, "ID", NOON) is None
        assert elsewhere.read_bytes() == b"x"
    finally:
        elsewhere.unlink()


def test_the_same_payload_twice_is_one_file(archive):
    assert archive.put_payload(b"x") == archive.put_payload(b"x")
    assert len([p for p in archive.root.rglob("*") if p.is_file()]) == 1


@pytest.mark.parametrize("path", ["../x", "originals/../../x", "/etc/passwd"])
def test_no_path_leads_out_of_the_archive(archive, path):
    with pytest.raises(ValueError, match="out of the archive"):
        archive.path(path)
