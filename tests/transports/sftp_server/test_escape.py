"""No path and no request leads out of a partner's folders: nothing there is read, made, changed or named."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import paramiko
import pytest

from tests.transports.sftp_server import raw
from tests.transports.sftp_server.house import House
from tests.transports.sftp_server.raw import RawClient, string, u32, u64

SECRET = b"canary-content-that-nobody-may-read"


@pytest.fixture
def canaries(house: House, tmp_path: Path) -> Path:
    """Secrets in every place that a partner is not to reach, and links to them where it does reach."""
    outside = tmp_path / "outside"
    outside.mkdir()
    sibling = house.folder("in", "other")
    for path in (
        outside / "secret.txt",
        sibling / "secret.txt",
        house.folder("out", "other") / "secret.txt",
        house.folder(".claimed") / "secret.txt",
        house.accounts["acme"].root / "secret.txt",
        house.accounts["acme"].root.parent / "secret.txt",
    ):
        path.write_bytes(SECRET)
    (outside / "canary-folder").mkdir()
    inside = house.folder("in")
    (inside / "sub").mkdir()
    for place in (inside, inside / "sub", house.folder("out"), house.folder("book")):
        (place / "to_file").symlink_to(outside / "secret.txt")
        (place / "to_folder").symlink_to(outside)
        (place / "to_sibling").symlink_to("../../other")
        (place / "to_root").symlink_to("/")
        (place / "to_nothing").symlink_to(outside / "made-by-client")
        (place / ".part~hidden").symlink_to(outside / "secret.txt")
        (place / ".part~dangling").symlink_to(outside / "made-by-client-2")
        os.mkfifo(place / "to_pipe")
    return outside


def hostile_paths(base: Path) -> list[bytes]:
    """Every way up, every way around, every link."""
    targets = [b"secret.txt", b"in/secret.txt", b"other/in/secret.txt", b".claimed/secret.txt", b"partners/other"]
    ups = [
        b"../",
        b"../../",
        b"in/../../",
        b"in/../../other/",
        b"/../",
        b"./in/.././../",
        b"in//..//..//",
        b"out/../../",
    ]
    ups += [
        b"in/sub/../../../",
        b"in/to_folder/",
        b"in/to_sibling/",
        b"in/to_root/",
        b"in/to_folder/../",
        b"in/sub/to_folder/",
    ]
    ups += [
        b"out/to_folder/",
        b"book/to_sibling/",
        b"/" + b"../" * 40,
        b"in/" + b"../" * 12,
        b"/.//../",
        b"in/./../.claimed/../../",
    ]
    paths = [up + target for up, target in product(ups, targets)]
    links = [b"to_file", b"to_folder", b"to_sibling", b"to_root", b"to_nothing", b"hidden", b"dangling", b"to_pipe"]
    links += [
        b".part~hidden",
        b".part~dangling",
        b"to_file/.",
        b"to_folder/.",
        b"to_file/..//to_file",
        b"to_root/etc/passwd",
    ]
    paths += [
        folder + link for folder, link in product((b"in/", b"/in/", b"in/sub/", b"out/", b"book/", b"in/./"), links)
    ]
    absolute = [
        b"/etc/passwd",
        b"//etc/passwd",
        b"/proc/self/environ",
        b"/dev/null",
        b"/tmp",
        os.fsencode(base / "outside/secret.txt"),
    ]
    absolute += [
        b"/.claimed",
        b"/.claimed/secret.txt",
        b".claimed",
        b"secret.txt",
        b"/secret.txt",
        b"/inn",
        b"/in.txt",
        b"/IN/x",
    ]
    odd = [
        b"..",
        b"/..",
        b"in/..",
        b"...",
        b"~",
        b"~root/.ssh",
        b"in\0/../..",
        b"in/\0",
        b"in/a\0b",
        b"in/a\nb",
        b"in/\x1b[2J",
        b"in/\x7f",
    ]
    odd += [
        b"in/" + b"x" * 256,
        b"in/" + b"x" * 250,
        b"x" * 5000,
        b"in/" + b"a/" * 300 + b"x",
        b"in/" + b"../in/" * 500 + b"../../x",
    ]
    odd += [
        b"in/.part~mine",
        b"in/sub/.part~",
        b".part~x",
        b"..\xc0\xaf..\xc0\xafetc/passwd",
        b"in/\xff/../../../x",
        b"%2e%2e/%2e%2e/secret.txt",
    ]
    odd += [
        b"in;/etc/passwd",
        b"file:///etc/passwd",
        b"\\..\\..\\secret.txt",
        b"C:\\secret.txt",
        b"in/..\\..\\secret.txt"[:3] + b"/../../secret.txt",
    ]
    return [*paths, *absolute, *odd]


def every_request(path: bytes) -> Iterator[tuple[int, bytes]]:
    """Each request type that names a path, with it as source and as target."""
    for flags in (1, 2, 3, 2 | 8, 2 | 8 | 16, 2 | 4 | 8, 2 | 8 | 32, 3 | 8, 3 | 8 | 16, 2 | 16, 1 | 8, 1 | 16, 0, 63):
        yield raw.OPEN, string(path) + u32(flags) + raw.NO_WISHES
    for kind in (raw.OPENDIR, raw.STAT, raw.LSTAT, raw.READLINK, raw.REALPATH, raw.REMOVE, raw.RMDIR):
        yield kind, string(path)
    yield raw.MKDIR, string(path) + raw.NO_WISHES
    yield raw.SETSTAT, string(path) + u32(1 | 4 | 8) + u64(0) + u32(0o777) + u32(1) + u32(1)
    yield raw.SETSTAT, string(path) + u32(8) + u32(1) + u32(1)
    yield raw.SETSTAT, string(path) + u32(2) + u32(0) + u32(0)
    for kind, head in ((raw.RENAME, b""), (raw.EXTENDED, string(b"posix-rename@openssh.com"))):
        yield kind, head + string(path) + string(b"in/stolen")
        yield kind, head + string(b"in/own.xml") + string(path)
        yield kind, head + string(path) + string(path)
    yield raw.SYMLINK, string(path) + string(b"in/new-link")
    yield raw.SYMLINK, string(b"in/new-link") + string(path)
    for name in (b"hardlink@openssh.com", b"copy-data", b"check-file", b"statvfs@openssh.com", b"lsetstat@openssh.com"):
        yield raw.EXTENDED, string(name) + string(path) + string(b"in/new-link")
        yield raw.EXTENDED, string(name) + string(b"in/own.xml") + string(path)
    yield raw.EXTENDED, string(b"expand-path@openssh.com") + string(path)


def tree(*roots: Path) -> dict[str, object]:
    """Everything below, not followed: kind, content, times, links."""
    found: dict[str, object] = {}
    for root in roots:
        for top, folders, files in os.walk(root):
            for name in (*folders, *files):
                path = Path(top) / name
                facts = path.lstat()
                content = path.read_bytes() if path.is_file() and not path.is_symlink() else None
                # A link's access time changes by looking at it; nothing else may.
                found[str(path)] = (facts.st_mode, facts.st_size, facts.st_mtime_ns, facts.st_nlink, content)
    return found


def test_no_path_in_no_request_gets_out(house: House, canaries: Path) -> None:
    paths = hostile_paths(house.base)
    assert len(set(paths)) >= 200
    outside = (canaries, house.accounts["other"].root, house.folder(".claimed"), house.folder("out"))
    before = tree(*outside)
    own_secret = house.accounts["acme"].root / "secret.txt"
    links = {p: os.readlink(p) for p in house.folder("in").rglob("to_*") if p.is_symlink()}
    house.set(refusals_per_channel=1_000_000)
    transport = house.connect()
    client = RawClient(transport)
    client.put(b"in/own.xml", b"own")
    asked = 0

    for path in paths:
        for kind, body in every_request(path):
            answer = client.ask(kind, body)
            asked += 1
            assert SECRET not in answer.body
            if answer.kind == raw.HANDLE:
                content = client.read(answer.handle, 0, 4096)
                listing = client.ask(raw.READDIR, string(answer.handle))
                assert SECRET not in content.body and b"secret" not in listing.body and b"root:" not in content.body
                client.write(answer.handle, 0, b"overwritten by client")
                client.ask(raw.FSETSTAT, string(answer.handle) + u32(8) + u32(1) + u32(1))
                client.close(answer.handle)
            if kind in (raw.STAT, raw.LSTAT) and answer.kind == raw.ATTRS:
                assert path_is_own(path), path
    client.put(b"in/last.xml", b"still served")
    transport.close()

    assert asked > 8000
    assert tree(*outside) == before
    assert own_secret.read_bytes() == SECRET and sorted(p.name for p in house.accounts["acme"].root.iterdir()) == [
        ".claimed",
        "book",
        "in",
        "out",
        "secret.txt",
    ]
    assert {p: os.readlink(p) for p in links} == links
    assert not [p for p in house.folder("in").rglob("*") if p.is_symlink() and p.name[:3] not in ("to_", ".pa")]
    assert (house.folder("in") / "last.xml").read_bytes() == b"still served"
    assert all(event.path.isprintable() and event.detail.isprintable() for event in house.audit)


def path_is_own(path: bytes) -> bool:
    """Does the path stay inside by its text, and go over no link?"""
    parts: list[bytes] = []
    for part in path.split(b"/"):
        if part == b"..":
            if not parts:
                return False
            parts.pop()
        elif part not in (b"", b"."):
            parts.append(part)
    inside = not parts or parts[0] in (b"in", b"out", b"book")
    return inside and not any(part.startswith(b"to_") for part in parts)


def test_links_pipes_and_what_is_ours_are_not_even_named(house: House, canaries: Path) -> None:
    (house.folder("out") / ".ack.csv.writing").write_bytes(b"half")
    transport = house.connect()
    client = RawClient(transport)

    listed = [client.names(path) for path in (b"/", b"in", b"in/sub", b"out", b"book")]
    transport.close()

    assert listed == [[b"book", b"in", b"out"], [b"sub"], [], [], []]


def test_a_folder_swapped_for_a_link_while_it_is_used_leads_nowhere(house: House, canaries: Path) -> None:
    inside = house.folder("in")
    (inside / "real").mkdir()
    (inside / "real" / "secret.txt").write_bytes(b"own")
    over = threading.Event()
    before = tree(canaries)

    def swap() -> None:
        swaps = inside / "swapped"
        while not over.is_set():
            (inside / "real").rename(swaps)
            swaps.rename(inside / "real")
            swaps.symlink_to(canaries)
            swaps.unlink()

    house.set(refusals_per_channel=1_000_000)
    swapping = threading.Thread(target=swap, daemon=True)
    transport = house.connect()
    client = RawClient(transport)
    swapping.start()
    reads = 0
    for number in range(600):
        got = client.open(b"in/swapped/secret.txt", 1)
        if got.kind == raw.HANDLE:
            reads += 1
            assert client.read(got.handle, 0, 100).data == b"own"
            client.close(got.handle)
        made = client.open(b"in/swapped/new%d" % number, 2 | 8 | 16)
        if made.kind == raw.HANDLE:
            client.write(made.handle, 0, b"x")
            client.close(made.handle)
        for kind in (raw.REMOVE, raw.RMDIR, raw.OPENDIR, raw.STAT):
            answer = client.ask(kind, string(b"in/swapped/canary-folder"))
            assert answer.kind == raw.STATUS and answer.code != raw.OK
        client.ask(raw.RENAME, string(b"in/swapped/secret.txt") + string(b"in/stolen%d" % number))
        client.ask(raw.RENAME, string(b"in/stolen%d" % number) + string(b"in/swapped/secret.txt"))
    over.set()
    swapping.join()
    transport.close()

    assert tree(canaries) == before
    for path in inside.rglob("*"):
        assert path.is_symlink() or not path.is_file() or SECRET not in path.read_bytes()


def test_names_that_are_no_utf8_stay_as_they_are(house: House) -> None:
    transport = house.connect()
    client = RawClient(transport)
    name = "facture_été.xml".encode("latin-1")

    code = client.put(b"in/" + name, b"x").code
    listed = client.names(b"in")
    transport.close()

    assert code == raw.OK and listed == [name] and os.listdir(os.fsencode(house.folder("in"))) == [name]
    assert house.completed[0].name == name


def test_another_partner_sees_nothing_of_the_first(house: House) -> None:
    transport = house.connect("other")
    client = RawClient(transport)
    (house.folder("in") / "a.xml").write_bytes(b"of acme")

    answers = [client.names(b"in"), client.ask(raw.STAT, string(b"in/a.xml")).code]
    transport.close()

    assert answers == [[], raw.NO_SUCH_FILE]


def test_the_same_account_by_paramikos_own_client(house: House) -> None:
    transport = house.connect()
    sftp = paramiko.SFTPClient.from_transport(transport)
    assert sftp is not None

    with pytest.raises(OSError):
        sftp.symlink("/etc/passwd", "in/x")
    with pytest.raises(OSError):
        sftp.readlink("in/x")
    transport.close()
