"""Fetching, putting, claiming, archiving and removing, against a real sshd."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest

from gateway.transports.local import Nature
from gateway.transports.sftp_client.errors import Missing
from gateway.transports.sftp_client.folder import RemoteFolder
from gateway.transports.sftp_client.peer import Bounds, HostKeys, Login, Peer
from gateway.transports.sftp_client.results import Failed, Fetched, Moved, Put, PutHow, RemoteLook, Removed, Why
from tests.transports.sftp_client.odd_server import running_asyncssh
from tests.transports.sftp_client.peers import HandTime, opened, peer_of, write_files
from tests.transports.sshd import Sshd

ODD_NAMES = (
    b"facture \xe2\x80\xaetxt.xml",  # right-to-left mark
    b"line\nbreak.xml",
    b"tab\there\x07.xml",
    b"latin-\xe9.xml",  # no UTF-8
    b"CASE.xml",
    b"case.xml",
    b"-rf",
    b"$(touch x).xml",
    b"..xml",
    b"x" * 255,
)


def fetched(folder: RemoteFolder, here: Path) -> dict[bytes, Fetched | Failed]:
    return {
        (result.look.name if isinstance(result, Fetched) else result.name): result
        for result in folder.fetch_many(folder.list().looks, here)
    }


def test_a_thousand_files_come_byte_identical_and_once(sshd: Sshd, here: Path, there: Path) -> None:
    contents = write_files(there, 1_000)
    with opened(peer_of(sshd), there) as folder:
        results = list(folder.fetch_many(folder.list().looks, here))
    assert len(results) == 1_000
    for result in results:
        assert isinstance(result, Fetched)
        content = contents.pop(result.look.name)
        assert result.path.read_bytes() == content
        assert result.sha256 == hashlib.sha256(content).hexdigest()
    assert not contents
    assert len(list(here.iterdir())) == 1_000


def test_odd_names_are_fetched_and_never_become_names_of_ours(sshd: Sshd, here: Path, there: Path) -> None:
    for number, name in enumerate(ODD_NAMES):
        (there / os.fsdecode(name)).write_bytes(b"%d" % number)
    with opened(peer_of(sshd), there) as folder:
        results = fetched(folder, here)
    # "..xml" begins with a dot: it is hidden, and not seen.
    assert set(results) == set(ODD_NAMES) - {b"..xml"}
    for name, result in results.items():
        assert isinstance(result, Fetched)
        assert result.path.parent == here
        assert result.path.read_bytes() == b"%d" % ODD_NAMES.index(name)
        assert result.path.name.strip(".0123456789abcdef") == "tch"


def test_odd_names_are_put_claimed_archived_and_removed(sshd: Sshd, there: Path) -> None:
    names = [name for name in ODD_NAMES if name != b"..xml"]
    with opened(peer_of(sshd), there) as folder:
        assert all(isinstance(one, Put) for one in folder.put_many((name, name) for name in names))
        assert {os.fsencode(path.name): path.read_bytes() for path in there.iterdir()} == {n: n for n in names}
        claimed = list(folder.claim_many(folder.list().looks))
        assert {one.name for one in claimed if isinstance(one, Moved)} == set(names)
        assert list(folder.list().looks) == []
        taken = folder.below(b".taken")
        assert {look.name for look in taken.list().looks} == set(names)
        assert all(isinstance(one, Moved) for one in taken.move_many(names, taken.path + b"/archive"))
        assert all(isinstance(one, Removed) for one in taken.below(b"archive").remove_many(names))
    assert [path for path in there.rglob("*") if path.is_file()] == []


def test_hidden_temporary_and_folder_names_are_not_seen_and_links_are_told_as_links(
    sshd: Sshd, here: Path, there: Path
) -> None:
    for name in (".hidden", "a.part", "b.filepart", "c.TMP", "d.writing", "seen.xml"):
        (there / name).write_bytes(b"x")
    (there / "folder").mkdir()
    (there / "link.xml").symlink_to("/etc/passwd")
    os.mkfifo(there / "pipe.xml")
    with opened(peer_of(sshd), there) as folder:
        assert {look.name: look.nature for look in folder.list().looks} == {
            b"seen.xml": Nature.FILE,
            b"link.xml": Nature.SYMLINK,
            b"pipe.xml": Nature.OTHER,
        }
        results = fetched(folder, here)
    assert [name for name, one in results.items() if isinstance(one, Fetched)] == [b"seen.xml"]
    assert {one.why for one in results.values() if isinstance(one, Failed)} == {Why.NOT_A_FILE}


def test_a_listing_is_bounded_and_what_is_known_makes_room_for_the_rest(sshd: Sshd, there: Path) -> None:
    names = set(write_files(there, 250, size=1))
    with opened(peer_of(sshd), there) as folder:
        first = folder.list(limit=100)
        assert first.more
        known = {look.name for look in first.looks}
        assert len(known) == 100
        known |= {look.name for look in folder.list(known, limit=100).looks}
        last = folder.list(known, limit=100)
    assert not last.more
    assert known | {look.name for look in last.looks} == names


def test_a_folder_that_is_not_there_is_said_so(sshd: Sshd, there: Path) -> None:
    with opened(peer_of(sshd), there / "nowhere") as folder, pytest.raises(Missing, match="nowhere"):
        folder.list()


@pytest.mark.parametrize("change", ["longer", "shorter", "touched", "replaced", "gone"])
def test_a_file_that_changes_after_it_was_looked_at_is_not_taken(
    sshd: Sshd, here: Path, there: Path, change: str
) -> None:
    file = there / "a.xml"
    file.write_bytes(b"x" * 100_000)
    os.utime(file, (1_700_000_000, 1_700_000_000))
    with opened(peer_of(sshd), there) as folder:
        looks = folder.list().looks
        if change == "longer":
            file.write_bytes(b"x" * 100_001)
            os.utime(file, (1_700_000_000, 1_700_000_000))
        elif change == "shorter":
            os.truncate(file, 99_999)
            os.utime(file, (1_700_000_000, 1_700_000_000))
        elif change == "touched":
            os.utime(file, (1_700_000_001, 1_700_000_001))
        elif change == "replaced":
            (there / "b").write_bytes(b"y" * 50)
            (there / "b").rename(file)
        else:
            file.unlink()
        (result,) = folder.fetch_many(looks, here)
    assert isinstance(result, Failed)
    assert result.why is (Why.GONE if change == "gone" else Why.CHANGING)
    assert list(here.iterdir()) == []


def test_a_file_above_the_limit_is_not_even_opened(sshd: Sshd, here: Path, there: Path) -> None:
    (there / "large.xml").write_bytes(b"x" * 1001)
    (there / "small.xml").write_bytes(b"x" * 1000)
    with opened(peer_of(sshd, bounds=Bounds(file_bytes=1000)), there) as folder:
        results = fetched(folder, here)
    large = results[b"large.xml"]
    assert isinstance(large, Failed)
    assert large.why is Why.TOO_LARGE
    assert isinstance(results[b"small.xml"], Fetched)


def test_an_interrupted_large_file_goes_on_where_it_was(sshd: Sshd, here: Path, there: Path) -> None:
    content = os.urandom(5_000_000)
    (there / "big.pdf").write_bytes(content)
    with opened(peer_of(sshd), there) as folder:
        (whole,) = folder.fetch_many(folder.list().looks, here)
        assert isinstance(whole, Fetched)
        part = whole.path.with_suffix(".part")
        part.write_bytes(content[:3_000_000])
        whole.path.unlink()
    with opened(peer_of(sshd), there) as folder:
        pool = folder._pool
        (again,) = folder.fetch_many(folder.list().looks, here)
        session = pool._connections.borrow().session
    assert isinstance(again, Fetched)
    assert again.path.read_bytes() == content
    assert again.sha256 == hashlib.sha256(content).hexdigest()
    assert 2_000_000 < session.received_bytes < 2_200_000


@pytest.mark.parametrize("damage", ["other bytes", "zeros", "too long"])
def test_a_beginning_that_is_not_of_this_file_is_fetched_anew(sshd: Sshd, here: Path, there: Path, damage: str) -> None:
    content = os.urandom(3_000_000)
    (there / "big.pdf").write_bytes(content)
    left = {
        "other bytes": os.urandom(2_000_000),
        "zeros": content[:1_900_000] + bytes(100_000),
        "too long": content + b"more",
    }[damage]
    with opened(peer_of(sshd), there) as folder:
        looks = folder.list().looks
        (whole,) = folder.fetch_many(looks, here)
        assert isinstance(whole, Fetched)
        whole.path.rename(whole.path.with_suffix(".part"))
        whole.path.with_suffix(".part").write_bytes(left)
        (again,) = folder.fetch_many(looks, here)
    assert isinstance(again, Fetched)
    assert again.path.read_bytes() == content
    assert again.sha256 == hashlib.sha256(content).hexdigest()


def test_a_link_laid_where_we_write_is_never_followed(sshd: Sshd, here: Path, there: Path, tmp_path: Path) -> None:
    (there / "a.xml").write_bytes(b"x" * 10)
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    with opened(peer_of(sshd), there) as folder:
        looks = folder.list().looks
        (one,) = folder.fetch_many(looks, here)
        assert isinstance(one, Fetched)
        one.path.unlink()
        one.path.with_suffix(".part").symlink_to(victim)
        with pytest.raises(OSError, match="symbolic link"):
            list(folder.fetch_many(looks, here))
    assert victim.read_bytes() == b"mine"


def test_files_are_put_whole_and_replace_what_an_earlier_attempt_left(sshd: Sshd, there: Path, tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(os.urandom(3_000_000))
    (there / ".ack.csv.part").write_bytes(b"left over" * 1000)
    (there / "ack.csv").write_bytes(b"old")
    with opened(peer_of(sshd), there) as folder:
        results = list(folder.put_many([(b"ack.csv", b"new"), (b"big.xml", big), (b"empty", b"")], durable=True))
    assert {one.how for one in results if isinstance(one, Put)} == {PutHow.NEW}
    assert {path.name: path.read_bytes() for path in there.iterdir()} == {
        "ack.csv": b"new",
        "big.xml": big.read_bytes(),
        "empty": b"",
    }


def test_what_exists_is_told(sshd: Sshd, there: Path) -> None:
    (there / "a").write_bytes(b"")
    with opened(peer_of(sshd), there) as folder:
        assert folder.exists([b"a", b"b"]) == {b"a"}


def test_the_archive_never_overwrites(sshd: Sshd, there: Path) -> None:
    with opened(peer_of(sshd), there) as folder:
        for content in (b"1", b"2", b"3"):
            (there / "a.xml").write_bytes(content)
            (moved,) = folder.move_many([b"a.xml"], folder.path + b"/archive")
            assert isinstance(moved, Moved)
    assert {path.name: path.read_bytes() for path in (there / "archive").iterdir()} == {
        "a.xml": b"1",
        "a.1.xml": b"2",
        "a.2.xml": b"3",
    }


def test_a_claim_that_the_server_does_not_allow_is_said_so(sshd: Sshd, there: Path) -> None:
    (there / "a.xml").write_bytes(b"x")
    (there / ".taken").write_bytes(b"a file where the folder should be")
    with opened(peer_of(sshd), there) as folder:
        (result,) = folder.claim_many(folder.list().looks)
    assert isinstance(result, Failed)
    assert result.why is Why.REFUSED
    assert (there / "a.xml").exists()


def test_removing_what_is_gone_is_no_error(sshd: Sshd, there: Path) -> None:
    with opened(peer_of(sshd), there) as folder:
        assert list(folder.remove_many([b"a.xml"])) == [Removed(b"a.xml")]


@pytest.mark.parametrize("name", [b"", b".", b"..", b"../x", b"/etc/passwd", b"a/b", b"a\0b", b"x" * 256])
def test_a_name_that_could_lead_elsewhere_is_refused_before_anything_is_sent(
    sshd: Sshd, here: Path, there: Path, name: bytes
) -> None:
    with opened(peer_of(sshd), there) as folder:
        with pytest.raises(ValueError, match="not a name"):
            list(folder.put_many([(name, b"x")]))
        with pytest.raises(ValueError, match="not a name"):
            list(folder.remove_many([name]))
        with pytest.raises(ValueError, match="not a name"):
            list(folder.fetch_many([RemoteLook(name, Nature.FILE, 1, 1)], here))


def test_the_rate_limit_counts_what_is_moved(sshd: Sshd, here: Path, there: Path) -> None:
    write_files(there, 42, size=10_000)
    time = HandTime()
    peer = peer_of(sshd, bounds=Bounds(bytes_per_s=50_000))
    with opened(peer, there, time) as folder:
        moved = sum(one.size for one in folder.fetch_many(folder.list().looks, here) if isinstance(one, Fetched))
    # One second's worth goes at once, the rest is waited for.
    assert moved > 400_000
    assert sum(time.slept) == pytest.approx(moved / 50_000 - 1)


def test_many_files_over_several_connections_come_once_each(sshd: Sshd, here: Path, there: Path) -> None:
    contents = write_files(there, 400, size=100)
    peer = peer_of(sshd, bounds=replace(Bounds(), connections=3, jobs_per_connection=100))
    with opened(peer, there) as folder:
        results = list(folder.fetch_many(folder.list().looks, here))
        assert len(folder._pool._connections._idle) == 3
    assert sorted(one.look.name for one in results if isinstance(one, Fetched)) == sorted(contents)
    assert all(one.path.read_bytes() == contents[one.look.name] for one in results if isinstance(one, Fetched))


def test_a_server_that_works_on_many_requests_at_once_is_served_alike(here: Path, there: Path, tmp_path: Path) -> None:
    contents = write_files(there, 150, size=5_000)
    (there / "large.bin").write_bytes(large := os.urandom(4_000_000))
    key = asyncssh.generate_private_key("ssh-ed25519")
    with running_asyncssh(key, "open sesame") as port:
        login = Login("partner", password="open sesame")
        peer = Peer("127.0.0.1", login, HostKeys((key.get_fingerprint(),)), port=port)
        with opened(peer, there) as folder:
            results = list(folder.fetch_many(folder.list().looks, here))
            assert {one.look.name: one.path.read_bytes() for one in results if isinstance(one, Fetched)} == {
                **contents,
                b"large.bin": large,
            }
        (tmp_path / "back").mkdir()
        with opened(peer, tmp_path / "back") as folder:
            (tmp_path / "back" / "f00003.xml").write_bytes(b"old")
            assert all(isinstance(one, Put) for one in folder.put_many([*contents.items(), (b"large.bin", large)]))
    assert {os.fsencode(path.name): path.read_bytes() for path in (tmp_path / "back").iterdir()} == {
        **contents,
        b"large.bin": large,
    }
