"""Writing into a partner's folder: whole or not at all, never over anything, never through a link."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gateway.acks.outbox import NameTaken, Outbox, OutboxFull, OutboxUnavailable, Written
from gateway.acks.render import AckFile
from tests.acks.ack_writer import files as files_of

WRITER = Path(__file__).with_name("ack_writer.py")
MAIN = AckFile("a_decision_00000001.csv", b"main\n")
CHILD = AckFile("a_decision_00000001.findings.csv", b"child\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "out"
    made.mkdir()
    return made


def test_files_appear_under_their_names_and_nothing_else_does(folder):
    assert Outbox(folder).write((MAIN, CHILD)) == {MAIN.name: Written.NEW, CHILD.name: Written.NEW}
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        MAIN.name: MAIN.content,
        CHILD.name: CHILD.content,
    }


def test_writing_again_after_a_crash_changes_nothing(folder):
    Outbox(folder).write((MAIN, CHILD))
    before = (folder / MAIN.name).stat()
    assert set(Outbox(folder).write((MAIN, CHILD)).values()) == {Written.ALREADY_THERE}
    after = (folder / MAIN.name).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_hidden_rest_of_a_crash_is_written_anew(folder):
    (folder / f".{MAIN.name}.writing").write_bytes(b"ma")
    Outbox(folder).write((MAIN,))
    assert [path.name for path in folder.iterdir()] == [MAIN.name]
    assert (folder / MAIN.name).read_bytes() == MAIN.content


def test_a_file_that_was_killed_with_both_its_names_loses_the_hidden_one(folder):
    (folder / MAIN.name).write_bytes(MAIN.content)
    os.link(folder / MAIN.name, folder / f".{MAIN.name}.writing")
    assert Outbox(folder).write((MAIN,)) == {MAIN.name: Written.ALREADY_THERE}
    assert [path.name for path in folder.iterdir()] == [MAIN.name]


def test_the_child_is_there_before_its_main_file(folder):
    seen: list[set[str]] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            seen.append({path.name for path in folder.iterdir()})

    watcher = threading.Thread(target=watch)
    watcher.start()
    for seq in range(40):
        Outbox(folder).write(files_of(seq))
    stop.set()
    watcher.join()
    for names in seen:
        mains = {name for name in names if not name.startswith(".") and not name.endswith(".findings.csv")}
        assert {name.removesuffix(".csv") + ".findings.csv" for name in mains} <= names


@pytest.mark.parametrize("content", [b"other", b"MAIN\n", b""])
def test_a_different_file_of_the_same_name_is_never_overwritten(folder, content):
    (folder / MAIN.name).write_bytes(content)
    with pytest.raises(NameTaken, match=r"a_decision_00000001\.csv"):
        Outbox(folder).write((MAIN,))
    assert (folder / MAIN.name).read_bytes() == content
    assert [path.name for path in folder.iterdir()] == [MAIN.name]


def test_a_file_that_comes_between_the_look_and_the_naming_is_not_overwritten(folder, monkeypatch):
    link = os.link

    def late(*args, **kwargs):
        (folder / MAIN.name).write_bytes(b"came in between")
        return link(*args, **kwargs)

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(NameTaken):
        Outbox(folder).write((MAIN,))
    assert (folder / MAIN.name).read_bytes() == b"came in between"


def test_where_the_file_system_knows_no_links_the_file_is_renamed(folder, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert Outbox(folder).write((MAIN,)) == {MAIN.name: Written.NEW}
    assert [path.name for path in folder.iterdir()] == [MAIN.name]


def test_a_link_under_the_files_name_is_not_followed(folder, tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(MAIN.content)
    (folder / MAIN.name).symlink_to(victim)
    with pytest.raises(NameTaken):
        Outbox(folder).write((MAIN,))
    assert victim.read_bytes() == MAIN.content


def test_a_link_under_the_hidden_name_is_not_written_through(folder, tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (folder / f".{MAIN.name}.writing").symlink_to(victim)
    Outbox(folder).write((MAIN,))
    assert victim.read_bytes() == b"precious"
    assert not (folder / MAIN.name).is_symlink() and (folder / MAIN.name).read_bytes() == MAIN.content


def test_a_folder_that_is_a_link_is_refused(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "out").symlink_to(elsewhere)
    with pytest.raises(OutboxUnavailable, match="cannot open"):
        Outbox(tmp_path / "out").write((MAIN,))
    assert list(elsewhere.iterdir()) == []


def test_a_pipe_under_the_files_name_does_not_stop_us(folder):
    os.mkfifo(folder / MAIN.name)
    with pytest.raises(NameTaken):
        Outbox(folder).write((MAIN,))


def test_a_folder_under_the_hidden_name_is_told(folder):
    (folder / f".{MAIN.name}.writing").mkdir()
    with pytest.raises(OutboxUnavailable, match=MAIN.name):
        Outbox(folder).write((MAIN,))


@pytest.mark.parametrize("name", ["../x.csv", "/etc/x", ".x", "a/b", "", "a\n", "x" * 300])
def test_a_name_that_leaves_the_folder_is_refused(folder, name):
    with pytest.raises(ValueError, match="no name"):
        Outbox(folder).write((AckFile(name, b""),))
    assert list(folder.iterdir()) == []


def test_a_missing_folder_is_told_clearly(tmp_path):
    with pytest.raises(OutboxUnavailable, match=r"cannot open .*/out: No such file"):
        Outbox(tmp_path / "out").write((MAIN,))


def test_a_file_in_the_folders_place_is_told_clearly(tmp_path):
    (tmp_path / "out").write_bytes(b"")
    with pytest.raises(OutboxUnavailable, match="Not a directory"):
        Outbox(tmp_path / "out").write((MAIN,))


def in_child(folder: Path, act: str, before: str = "") -> str:
    """Run in a process of its own, whose rights or limits `before` takes away."""
    code = (
        "import os, resource, sys; from pathlib import Path; from gateway.acks.outbox import *\n"
        "from gateway.acks.render import AckFile\n"
        f"{before}\n"
        f"try:\n    {act}\nexcept Exception as fault: print(type(fault).__name__, fault)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def test_a_folder_without_write_permission_is_told_clearly(folder):
    folder.chmod(0o555)
    nobody = "os.setuid(65534)" if os.getuid() == 0 else ""
    for parent in folder.parents:
        if os.getuid() == 0 and parent.stat().st_uid == 0 and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    said = in_child(folder, "Outbox(Path(sys.argv[1])).write([AckFile('a.csv', b'x')])", nobody)
    folder.chmod(0o755)
    assert said.startswith("OutboxUnavailable cannot write a.csv in") and "Permission denied" in said


def test_without_room_nothing_of_the_file_is_to_be_seen(folder):
    limit = f"resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, {resource.RLIM_INFINITY}))"
    said = in_child(folder, "Outbox(Path(sys.argv[1])).write([AckFile('a.csv', b'x' * 50_000)])", limit)
    assert said.startswith("OutboxFull cannot write a.csv in")
    assert list(folder.iterdir()) == []


def test_on_a_full_disk_nothing_is_half_visible_and_it_works_again_when_there_is_room(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        (disk / "filler").write_bytes(b"x" * 40_000)
        outbox = Outbox(disk)
        with pytest.raises(OutboxFull):
            outbox.write((AckFile("a.csv", b"x" * 60_000),))
        assert [path.name for path in disk.iterdir()] == ["filler"]
        (disk / "filler").unlink()
        assert outbox.write((AckFile("a.csv", b"x" * 50_000),)) == {"a.csv": Written.NEW}
    finally:
        subprocess.run(["umount", disk], check=True)


def test_what_the_partner_took_away_is_noticed(folder):
    outbox = Outbox(folder)
    outbox.write((MAIN, CHILD))
    assert outbox.picked_up([MAIN.name, CHILD.name]) == frozenset()
    (folder / CHILD.name).unlink()
    assert outbox.picked_up([MAIN.name, CHILD.name]) == {CHILD.name}


def test_a_folder_that_is_gone_is_no_pick_up(tmp_path):
    with pytest.raises(OutboxUnavailable):
        Outbox(tmp_path / "out").picked_up([MAIN.name])


@pytest.mark.parametrize("round_of_kills", range(3))
def test_a_writer_that_is_killed_never_leaves_a_half_visible_file(folder, round_of_kills):
    seed = int(os.environ.get("KILL_SEED", 20261123)) + round_of_kills
    dice = random.Random(seed)
    print(f"KILL_SEED={seed}")
    whole = {file.name: file.content for seq in range(400) for file in files_of(seq)}
    in_the_middle = 0

    for _ in range(10):
        process = subprocess.Popen([sys.executable, WRITER, folder, "400"], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(dice.uniform(0.0, 0.08))
        process.send_signal(signal.SIGKILL)
        rest = process.communicate()[0]
        in_the_middle += "done" not in rest
        for path in folder.iterdir():
            if not path.name.startswith("."):
                assert path.read_bytes() == whole[path.name], path.name
                child = path.name.removesuffix(".findings.csv").removesuffix(".csv") + ".findings.csv"
                assert (folder / child).exists()

    assert in_the_middle > 0
    subprocess.run([sys.executable, WRITER, folder, "400"], check=True, capture_output=True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == whole
