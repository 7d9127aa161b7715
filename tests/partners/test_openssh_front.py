"""A partner connected by `gateway partner add`, with the real sshd, the real clients and the real intake."""

from __future__ import annotations

import os
import stat
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gateway.acks.outbox import Outbox
from gateway.acks.render import AckFile
from gateway.domain.states import InterchangeState
from tests.partners.conftest import MakeKey
from tests.partners.connected import Connected, connect
from tests.partners.machine import GATEWAY, Machine, Sshd
from tests.transports.intake import GIVE_UP, Intake


@pytest.fixture
def partner(machine: Machine, sshd: Sshd, make_key: MakeKey) -> Connected:
    return connect(machine, sshd, make_key())


# --- in/: dropped by the partner, taken by the gateway --------------------------------------------------------------


@dataclass(frozen=True)
class TakenFile:
    name: str
    state: InterchangeState
    content: bytes | None


def take(root: Path, wait_s: float = 0) -> list[TakenFile]:
    """What the gateway's intake makes of the drop folder; run with the rights of the gateway."""
    intake = Intake(Path(tempfile.mkdtemp(dir="/srv/state")))
    intake.change(root=root)
    intake.take()
    if wait_s:
        intake.wait(wait_s)
        intake.take()
    rows = intake.rows()
    intake.close()
    return [
        TakenFile(row.file_name, row.state, intake.kept(row) if row.state is InterchangeState.ARCHIVED else None)
        for row in rows
    ]


@pytest.fixture(autouse=True, scope="module")
def _all_is_imported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the gateway imports late may lie where its user, in the forked process, may not read."""
    intake = Intake(tmp_path_factory.mktemp("warm"))
    intake.drop("a.xml")
    intake.take()
    intake.close()
    yield


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o400, 0o666])
def test_an_upload_of_any_mode_is_claimed_and_read(machine: Machine, partner: Connected, mode: int) -> None:
    partner.client.file("a.xml", b"<invoice/>", mode)

    put = partner.client.sftp("put a.xml in/.a.xml.part", "rename in/.a.xml.part in/a.xml")

    assert put.returncode == 0, put.stderr
    assert machine.inside(take, partner.root, user=GATEWAY) == [
        TakenFile("a.xml", InterchangeState.ARCHIVED, b"<invoice/>")
    ]
    assert os.listdir(machine.path(partner.root / "in")) == []
    assert os.listdir(machine.path(partner.root / ".claimed")) == []


def test_a_whole_folder_of_a_partner_with_umask_077_is_claimed_and_read(machine: Machine, partner: Connected) -> None:
    partner.client.file("night/a.xml", b"<invoice/>", 0o600)
    (partner.client.folder / "night").chmod(0o700)

    put = partner.client.sftp("put -rp night in/", umask=0o077)

    assert put.returncode == 0, put.stderr
    assert stat.S_IMODE(machine.path(partner.root / "in/night").stat().st_mode) == 0o700
    (taken,) = machine.inside(take, partner.root, user=GATEWAY)
    assert (taken.name, taken.content) == ("night/a.xml", b"<invoice/>")


def test_scp_works_as_well(machine: Machine, partner: Connected) -> None:
    partner.client.file("a.xml", b"<invoice/>", 0o600)

    sent = partner.client.scp("a.xml", "/in/a.xml")

    assert sent.returncode == 0, sent.stderr
    assert [taken.content for taken in machine.inside(take, partner.root, user=GATEWAY)] == [b"<invoice/>"]


def test_a_file_that_the_partner_locks_is_told_and_not_silently_left(machine: Machine, partner: Connected) -> None:
    partner.client.file("a.xml")

    assert partner.client.sftp("put a.xml in/a.xml", "chmod 000 in/a.xml").returncode == 0
    (taken,) = machine.inside(take, partner.root, GIVE_UP, user=GATEWAY)

    # Its owner, the gateway, could give itself the right; that it is refused with its reason is enough.
    assert (taken.state, taken.content) in ((InterchangeState.REFUSED, None), (InterchangeState.ARCHIVED, b"<a/>"))


def test_a_planted_link_is_refused_and_what_it_points_to_is_not_read(machine: Machine, partner: Connected) -> None:
    machine.path("/var/lib/chorus-gateway/secret.xml").write_text("<secret/>")

    planted = partner.client.sftp(
        "symlink /var/lib/chorus-gateway/secret.xml in/a.xml", "symlink ../../../../etc in/etc", "symlink /out in/b"
    )

    assert planted.returncode == 0, planted.stderr
    taken = machine.inside(take, partner.root, user=GATEWAY)
    assert [file.state for file in taken] == [InterchangeState.REFUSED] * 3
    assert all(file.content is None for file in taken)


# --- out/: written by the gateway, fetched by the partner -----------------------------------------------------------


def write_ack(folder: Path, umask: int) -> None:
    os.umask(umask)
    Outbox(folder).write([AckFile("a_receipt_00000001.csv", b"ack\n")])


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_an_ack_is_fetched_and_deleted_by_the_partner(machine: Machine, partner: Connected, umask: int) -> None:
    machine.inside(write_ack, partner.root / "out", umask, user=GATEWAY)

    fetched = partner.client.sftp("get out/a_receipt_00000001.csv got.csv", "rm out/a_receipt_00000001.csv")

    assert fetched.returncode == 0, fetched.stderr
    assert (partner.client.folder / "got.csv").read_bytes() == b"ack\n"
    assert os.listdir(machine.path(partner.root / "out")) == []


# --- nothing else ---------------------------------------------------------------------------------------------------


def test_the_partner_sees_its_own_folder_as_the_root_and_nothing_beyond(machine: Machine, partner: Connected) -> None:
    listed = partner.client.sftp("ls -1 /", "ls -1 ../../../..")

    seen = [line for line in listed.stdout.splitlines() if "sftp>" not in line]
    assert seen == [f"{where}{name}" for where in ("/", "../../../../") for name in ("book", "in", "out")]
    for outside in ("get /etc/passwd", "ls /srv", "get ../../../../etc/passwd", "cd /var/lib/chorus-gateway"):
        assert partner.client.sftp(outside).returncode != 0, outside


def test_claimed_files_are_out_of_the_partners_reach(machine: Machine, partner: Connected) -> None:
    machine.path(partner.root / ".claimed" / "one").write_text("claimed")
    partner.client.file("a.xml")

    for attempt in (
        "ls .claimed/one",
        "get .claimed/one",
        "rm .claimed/one",
        "put a.xml .claimed/a",
        "chmod 777 .claimed",
        "rename .claimed in/c",
        "rmdir in",
        "chmod 700 in",
        "rename in in2",
        "mkdir more",
        "put a.xml a.xml",
        "symlink in .claimed/in",
    ):
        assert partner.client.sftp(attempt).returncode != 0, attempt
    assert machine.path(partner.root / ".claimed" / "one").read_text() == "claimed"


def look_into(process: int) -> list[str]:
    """What of another process is open to these rights."""
    opened = []
    for what in ("environ", "mem", "maps", "root/etc/passwd", "fd/0", "cwd/."):
        try:
            os.close(os.open(f"/proc/{process}/{what}", os.O_RDONLY))
        except OSError:
            continue
        opened.append(what)
    return opened


def test_the_rights_of_a_session_do_not_suffice_to_look_into_the_gateway(machine: Machine, partner: Connected) -> None:
    """Both have one user id: it is the group that keeps them apart, for the kernel compares both."""
    words = ["--reuid", GATEWAY, "--regid", GATEWAY, "--init-groups", "sleep", "600"]
    gateway = machine.start("setpriv", *words)
    try:
        deadline = time.monotonic() + 20
        while "sleep" not in Path(f"/proc/{gateway.pid}/comm").read_text() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert "environ" in machine.inside(look_into, gateway.pid, user=GATEWAY)
        assert machine.inside(look_into, gateway.pid, user=partner.client.login) == []
    finally:
        gateway.kill()
        gateway.wait()


def test_there_is_no_shell_no_command_and_no_terminal(partner: Connected) -> None:
    for words in ((), ("id",), ("-tt", "id"), ("-s", "netconf")):
        asked = partner.client.ssh(*words)
        assert "uid=" not in asked.stdout, words
        assert asked.returncode != 0, words


def test_nothing_is_forwarded(sshd: Sshd, partner: Connected) -> None:
    forwarded = partner.client.ssh("-W", f"127.0.0.1:{sshd.port}")
    listening = partner.client.ssh("-o", "ExitOnForwardFailure=yes", "-N", "-R", "0:127.0.0.1:22")

    assert "SSH-2.0" not in forwarded.stdout
    assert "prohibited" in forwarded.stderr
    assert listening.returncode != 0
    assert "remote port forwarding failed" in listening.stderr


def test_a_password_is_not_even_asked_for(partner: Connected) -> None:
    asked = replace(partner.client, key=Path("/nonexistent")).ssh()

    assert "Permission denied (publickey)" in asked.stderr


# --- keys -----------------------------------------------------------------------------------------------------------


def test_keys_are_rotated_side_by_side_without_a_reload(
    machine: Machine, partner: Connected, make_key: MakeKey
) -> None:
    old, new_file = partner.client, make_key("new", "rsa", 3072)
    new = replace(old, key=new_file.with_suffix(""))
    assert new.sftp("ls").returncode != 0

    added = machine.gateway("partner", "key", "add", partner.name, str(new_file))
    assert added.exit_code == 0, added.stderr
    assert [old.sftp("ls").returncode, new.sftp("ls").returncode] == [0, 0]

    fingerprint = added.stdout.split()[0]
    removed = machine.gateway("partner", "key", "remove", partner.name, fingerprint)
    assert removed.exit_code == 0, removed.stderr
    assert old.sftp("ls").returncode != 0
    assert new.sftp("ls").returncode == 0


@pytest.mark.parametrize(("address", "opens"), [("127.0.0.0/8", True), ("192.0.2.10", False)])
def test_a_key_is_taken_only_from_the_addresses_given(
    machine: Machine, sshd: Sshd, make_key: MakeKey, address: str, opens: bool
) -> None:
    partner = connect(machine, sshd, make_key(), "--from", address)

    assert (partner.client.sftp("ls").returncode == 0) is opens


def test_of_two_partners_each_reaches_its_own_folder_only(machine: Machine, sshd: Sshd, make_key: MakeKey) -> None:
    one, other = connect(machine, sshd, make_key("one")), connect(machine, sshd, make_key("other"))

    one.client.file("a.xml")
    assert one.client.sftp("put a.xml in/a.xml").returncode == 0
    assert os.listdir(machine.path(one.root / "in")) == ["a.xml"]
    assert os.listdir(machine.path(other.root / "in")) == []
    assert replace(one.client, login=other.client.login).sftp("ls").returncode != 0


# --- what sshd makes of the fragment --------------------------------------------------------------------------------


@pytest.mark.parametrize("root", ["/srv/drop/with space", "/srv/drop/100%u", "/srv/drop/été", "/srv/drop/a'b#c"])
def test_a_root_with_odd_signs_is_quoted_for_sshd(machine: Machine, sshd: Sshd, make_key: MakeKey, root: str) -> None:
    partner = connect(machine, sshd, make_key(), root=root)
    partner.client.file("a.xml")

    put = partner.client.sftp("put a.xml in/a.xml")

    assert put.returncode == 0, put.stderr + sshd.log[-2000:]
    assert os.listdir(machine.path(Path(root) / "in")) == ["a.xml"]


def test_the_fragment_says_nothing_about_anybody_else(machine: Machine, sshd: Sshd, partner: Connected) -> None:
    machine.run("sshd", "-t")

    others = machine.run("sshd", "-T", "-C", "user=root,host=localhost,addr=127.0.0.1")
    its_own = machine.run("sshd", "-T", "-C", f"user={partner.client.login},host=localhost,addr=127.0.0.1")

    assert "chrootdirectory none" in others
    assert "forcecommand none" in others
    assert f"chrootdirectory {partner.root}" in its_own
    for forbidden in ("allowtcpforwarding", "x11forwarding", "permittunnel", "permittty", "passwordauthentication"):
        assert f"{forbidden} no\n" in its_own


def test_pasted_into_sshd_config_it_ends_where_it_ends(machine: Machine, partner: Connected) -> None:
    part = machine.path(f"/etc/ssh/sshd_config.d/50-{partner.name}.conf").read_text()
    machine.path("/srv/pasted").write_text(f"{part}Banner /etc/issue\n")

    others = machine.run("sshd", "-T", "-f", "/srv/pasted", "-C", "user=root,host=localhost,addr=127.0.0.1")

    assert "banner /etc/issue" in others
