"""What `gateway partner add` writes, what it leaves to root, and what it refuses before anything is written."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from tests.partners.client import Client
from tests.partners.conftest import MakeKey
from tests.partners.connected import connect, left_to_do, new_name, type_commands
from tests.partners.machine import CONFIG, GATEWAY, STATE, Machine, Sshd


def snapshot(*folders: Path) -> dict[str, tuple[int, int, int, int]]:
    """Everything below some folders, so that the least change shows."""
    found = {}
    for folder in folders:
        for path in (folder, *folder.rglob("*")):
            status = path.lstat()
            found[str(path)] = (status.st_ino, status.st_mtime_ns, status.st_mode, status.st_uid)
    return found


def everything(machine: Machine) -> dict[str, tuple[int, int, int, int]]:
    return snapshot(machine.path(CONFIG), machine.path("/etc/ssh"), machine.path("/srv/drop"))


def add(machine: Machine, name: str, key: Path, *more: str, root: str = "", user: str = "root"):
    where = ("--root", root or f"/srv/drop/{name}")
    return machine.gateway("partner", "add", name, *where, "--key", str(key), *more, user=user)


@pytest.fixture(autouse=True)
def _drop(machine: Machine) -> None:
    machine.path("/srv/drop").mkdir(mode=0o755, exist_ok=True)


# --- what is written ------------------------------------------------------------------------------------------------


def test_folders_file_keys_and_fragment_are_there_with_their_rights(
    machine: Machine, sshd: Sshd, make_key: MakeKey
) -> None:
    partner = connect(machine, sshd, make_key())

    def rights(path: str) -> tuple[str, str]:
        status = machine.path(partner.root / path).lstat()
        groups = {line.split(":")[2]: line.split(":")[0] for line in machine.run("getent", "group").splitlines()}
        return f"{status.st_uid}:{groups[str(status.st_gid)]}", f"{status.st_mode & 0o7777:o}"

    assert rights("") == ("0:root", "755")
    assert [rights(name) for name in ("in", "out", "book")] == [("0:chorus-sftp", "770")] * 3
    assert rights(".claimed") == ("0:chorus", "770")
    assert f'root = "{partner.root}"' in machine.path(f"{CONFIG}/partners.d/{partner.name}.toml").read_text()
    checked = machine.gateway("config", "check")
    assert partner.name not in checked.stdout


def test_the_same_again_changes_nothing_and_says_so(machine: Machine, sshd: Sshd, make_key: MakeKey) -> None:
    key = make_key()
    partner = connect(machine, sshd, key)
    before = everything(machine)

    again = add(machine, partner.name, key, "--sshd-config", f"/etc/ssh/sshd_config.d/50-{partner.name}.conf")

    assert again.exit_code == 0, again.stderr
    assert "Nothing was to be changed." in again.stdout
    assert "Nothing is left to do." in again.stdout
    assert everything(machine) == before


def test_the_same_key_with_another_comment_or_other_order_of_addresses_is_the_same(
    machine: Machine, sshd: Sshd, make_key: MakeKey
) -> None:
    key = make_key(comment=f"{'a' * 99} tail")
    partner = connect(machine, sshd, key, "--from", "127.0.0.1", "--from", "192.0.2.0/24")
    before = everything(machine)
    kind, blob, _ = key.read_text().split(maxsplit=2)
    key.write_text(f"{kind} {blob} laptop\n")

    again = add(machine, partner.name, key, "--from", "192.0.2.0/24", "--from", "127.0.0.1")
    elsewhere = add(machine, partner.name, key, "--from", "127.0.0.1")

    assert again.exit_code == 0, again.stderr
    assert (elsewhere.exit_code, "other keys or addresses" in elsewhere.stderr) == (2, True)
    assert everything(machine) == before


def test_a_dry_run_says_what_it_would_write_and_writes_nothing(machine: Machine, make_key: MakeKey) -> None:
    name, before = new_name(), everything(machine)

    ran = add(machine, name, make_key(), "--dry-run")

    assert ran.exit_code == 0, ran.stderr
    assert f"would write {CONFIG}/partners.d/{name}.toml" in ran.stdout
    assert f"Match User sftp-{name}" in ran.stdout
    assert everything(machine) == before


def test_what_was_cut_short_is_finished_by_the_same_command(machine: Machine, sshd: Sshd, make_key: MakeKey) -> None:
    key = make_key()
    partner = connect(machine, sshd, key)
    machine.path(f"{CONFIG}/partners.d/{partner.name}.toml").unlink()
    machine.path(partner.root / "out").rmdir()
    machine.path(partner.root / "in").chmod(0o777)

    again = add(machine, partner.name, key, "--sshd-config", f"/etc/ssh/sshd_config.d/50-{partner.name}.conf")

    assert again.exit_code == 0, again.stderr
    wrote = {line.split()[1] for line in again.stdout.splitlines() if line.startswith("wrote")}
    toml = f"{CONFIG}/partners.d/{partner.name}.toml"
    assert wrote == {str(partner.root / "out"), str(partner.root / "in"), toml}
    assert left_to_do(again.stdout)[0] == "sshd -t", "whether sshd was told the first time is not known"


CHANGES = {"open", "os.mkdir", "os.chmod", "os.chown", "os.rename", "os.link", "os.remove"}


def add_and_die(arguments: list[str], after: int) -> None:
    """Run the command; the process is gone at its n-th change of the file system, as by kill -9."""
    left = [after]

    def count(event: str, details: tuple[object, ...]) -> None:
        if event in CHANGES and (event != "open" or (isinstance(details[2], int) and details[2] & os.O_CREAT)):
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    CliRunner().invoke(app, arguments, env={"GATEWAY_CONFIG": CONFIG})
    raise EOFError("it got to its end")


def test_killed_at_any_change_the_same_command_finishes_it(machine: Machine, sshd: Sshd, make_key: MakeKey) -> None:
    key = make_key()
    connect(machine, sshd, key)  # the group is there from here on
    for after in range(100):
        name = new_name()
        fragment = f"/etc/ssh/sshd_config.d/50-{name}.conf"
        words = ["--root", f"/srv/drop/{name}", "--key", str(key), "--sshd-config", fragment]
        try:
            machine.inside(add_and_die, ["partner", "add", name, *words], after)
        except EOFError:
            pass  # killed: no answer came
        except AssertionError as ended:
            assert "it got to its end" in str(ended)
            break

        again = machine.gateway("partner", "add", name, *words)
        assert again.exit_code == 0, (after, again.stderr)
        assert "Nothing was to be changed." in machine.gateway("partner", "add", name, *words).stdout, after
        reload = ["sshd", "systemctl"] if "wrote" in again.stdout else []
        assert [line.split()[0] for line in left_to_do(again.stdout)] == ["useradd", *reload], after
        machine.path(f"{CONFIG}/partners.d/{name}.toml").unlink()
    assert after > 15, "every folder and file was a moment to die at"
    machine.run("sshd", "-t")


def test_a_partner_file_that_was_edited_is_kept(machine: Machine, sshd: Sshd, make_key: MakeKey) -> None:
    key = make_key()
    partner = connect(machine, sshd, key)
    toml = machine.path(f"{CONFIG}/partners.d/{partner.name}.toml")
    toml.write_text(toml.read_text().replace('format = "csv"', 'format = "xml"'))

    assert add(machine, partner.name, key).exit_code == 0
    assert 'format = "xml"' in toml.read_text()


def test_without_a_place_for_it_the_fragment_is_printed_and_sshd_takes_it(
    machine: Machine, sshd: Sshd, make_key: MakeKey
) -> None:
    name, key = new_name(), make_key()
    before = snapshot(machine.path("/etc/ssh"))

    ran = add(machine, name, key)

    assert snapshot(machine.path("/etc/ssh")) == before, "nothing is written there unless it is named"
    printed = ran.stdout.partition("The part for sshd_config:\n\n")[2].partition("\nLeft to do")[0]
    machine.path(f"/etc/ssh/sshd_config.d/50-{name}.conf").write_text(printed)
    type_commands(machine, sshd, ran.stdout)
    assert Client(sshd, f"sftp-{name}", key.with_suffix(""), key.parent).sftp("ls in").returncode == 0


def test_without_being_root_it_writes_what_it_can_and_the_commands_do_the_rest(
    machine: Machine, sshd: Sshd, make_key: MakeKey
) -> None:
    name, key = new_name(), make_key()
    key.chmod(0o644)
    config = machine.path("/srv/state/config")
    shutil.copytree(machine.path(CONFIG), config, dirs_exist_ok=True)
    machine.run("chown", "-R", f"{GATEWAY}:", "/srv/state/config")
    public = machine.path("/srv/state/new.pub")
    shutil.copy(key, public)
    fragment = f"/etc/ssh/sshd_config.d/50-{name}.conf"
    words = ("--config", "/srv/state/config", "--sshd-config", fragment)

    ran = add(machine, name, Path("/srv/state/new.pub"), *words, user=GATEWAY)

    assert ran.exit_code == 0, ran.stderr
    assert (config / "partners.d" / f"{name}.toml").exists()
    assert not machine.path(f"/srv/drop/{name}").exists()
    assert f"put the part for sshd_config into {fragment}" in ran.stdout
    printed = ran.stdout.partition("The part for sshd_config:\n\n")[2].partition("\nLeft to do")[0]
    machine.path(fragment).write_text(printed)
    type_commands(machine, sshd, ran.stdout)
    assert Client(sshd, f"sftp-{name}", key.with_suffix(""), key.parent).sftp("ls in").returncode == 0

    again = add(machine, name, Path("/srv/state/new.pub"), *words, user=GATEWAY)
    assert again.exit_code == 0, again.stderr
    assert "Nothing was to be changed." in again.stdout
    assert "Nothing is left to do." in again.stdout


def test_a_configuration_that_logins_cannot_enter_is_told_with_the_command(machine: Machine, make_key: MakeKey) -> None:
    machine.path(CONFIG).chmod(0o750)
    try:
        ran = add(machine, new_name(), make_key(), "--dry-run")
    finally:
        machine.path(CONFIG).chmod(0o755)

    assert f"chmod o+x {CONFIG}" in left_to_do(ran.stdout)


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["a\nMatch all", "a b", "Acme", "a,root", "*", "../a", "", "é", "a" * 33, "a\n", "!a", "a%u", "-a/b"]
)
def test_a_name_that_could_say_more_than_a_name_is_refused(machine: Machine, make_key: MakeKey, name: str) -> None:
    before = everything(machine)

    ran = machine.gateway("partner", "add", "--root", "/srv/drop/x", "--key", str(make_key()), "--", name)

    assert (ran.exit_code, ran.stdout) == (2, "")
    assert "expected a partner's name" in ran.stderr
    assert everything(machine) == before


@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        ("--user", "root", "somebody else's"),
        ("--user", "sshd", "somebody else's"),
        ("--user", GATEWAY, "the gateway's own account"),
        ("--user", "a\nMatch all", "expected small letters"),
        ("--user", "a,b", "expected small letters"),
        ("--user", "*", "expected small letters"),
        ("--group", "root", "a group of its own"),
        ("--group", GATEWAY, "a group of its own"),
        ("--group", "a b", "expected small letters"),
        ("--gateway-user", "root", "whom no chroot holds"),
        ("--gateway-user", "nobody-there", "no account"),
        ("--from", "anywhere", "an address or a network"),
        ("--root", "/srv/drop/a\nb", "without quotes"),
        ("--root", '/srv/drop/a"b', "without quotes"),
        ("--root", "/srv/drop/a\\b", "without quotes"),
        ("--root", "/srv/drop/../drop/a", "without .."),
        ("--root", "/srv/open/acme", "others than root may write"),
        ("--root", f"{STATE}/acme", "others than root"),
        ("--root", "/srv/link/acme", "without links"),
        ("--root", "/srv", "it holds"),
        ("--root", "/", "it holds"),
        ("--root", CONFIG, "it holds"),
        ("--root", f"{CONFIG}/partners.d/acme", "apart from"),
        ("--root", "/srv/file", "expected a folder"),
        ("--root", "/srv/planted", "found something else"),
        ("--key", "/srv/private", "private key"),
    ],
)
def test_what_would_open_a_hole_is_refused_and_nothing_is_written(
    machine: Machine, make_key: MakeKey, option: str, value: str, why: str
) -> None:
    machine.run(
        "sh",
        "-c",
        "cd /srv; mkdir -p open planted; chmod 1777 open; ln -sfn drop link; ln -sfn /srv/open planted/in; : > file;"
        " test -f private || ssh-keygen -q -t ed25519 -N '' -f private",
    )
    before = everything(machine)

    ran = add(machine, new_name(), make_key(), option, value)

    assert (ran.exit_code, ran.stdout) == (2, "")
    assert why in ran.stderr
    assert "Traceback" not in ran.stderr
    assert everything(machine) == before


def test_another_key_for_a_known_partner_asks_for_the_key_command(
    machine: Machine, sshd: Sshd, make_key: MakeKey
) -> None:
    partner = connect(machine, sshd, make_key("one"))
    before = everything(machine)

    ran = add(machine, partner.name, make_key("two"))

    assert ran.exit_code == 2
    assert f"gateway partner key add {partner.name}" in ran.stderr
    assert everything(machine) == before


@pytest.mark.parametrize("other", [("--root", "/srv/drop/elsewhere"), ("--user", "other"), ("--group", "other")])
def test_other_arguments_for_a_known_partner_are_refused(
    machine: Machine, sshd: Sshd, make_key: MakeKey, other: tuple[str, str]
) -> None:
    key = make_key()
    partner = connect(machine, sshd, key)
    before = everything(machine)

    assert add(machine, partner.name, key, *other).exit_code == 2
    assert everything(machine) == before


def test_a_login_that_is_there_before_its_group_is_told_how_both_become_right(
    machine: Machine, make_key: MakeKey
) -> None:
    name, key = new_name(), make_key()
    machine.run("useradd", "--system", "--non-unique", "--uid", machine.run("id", "-u", GATEWAY).strip(), "early")

    ran = add(machine, name, key, "--user", "early", "--group", "late")

    assert ran.exit_code == 2
    machine.run("sh", "-c", ran.stderr.partition("mend it with: ")[2])
    assert add(machine, name, key, "--user", "early", "--group", "late").exit_code == 0


def test_the_login_of_another_partner_is_refused_and_nothing_is_written(
    machine: Machine, sshd: Sshd, make_key: MakeKey
) -> None:
    first = connect(machine, sshd, make_key("one"))
    second, before = new_name(), everything(machine)
    fragment = f"/etc/ssh/sshd_config.d/40-{second}.conf"

    ran = add(machine, second, make_key("two"), "--user", first.client.login, "--sshd-config", fragment)

    assert (ran.exit_code, ran.stdout) == (2, "")
    assert f"the login of partner {first.name}; choose another name" in ran.stderr
    assert everything(machine) == before


def test_the_login_of_a_partner_that_is_gone_is_free_once_its_key_file_is(
    machine: Machine, sshd: Sshd, make_key: MakeKey
) -> None:
    gone = connect(machine, sshd, make_key("one"))
    name, key = new_name(), make_key("two")
    machine.path(f"{CONFIG}/partners.d/{gone.name}.toml").unlink()
    machine.path(f"/etc/ssh/sshd_config.d/50-{gone.name}.conf").unlink()

    refused = add(machine, name, key, "--user", gone.client.login)
    left = machine.path(f"{CONFIG}/keys.d/{gone.name}")
    left.rename(left.with_name(f".{gone.name}.writing"))

    assert (refused.exit_code, f"{CONFIG}/keys.d/{gone.name}" in refused.stderr) == (2, True)
    assert add(machine, name, key, "--user", gone.client.login).exit_code == 0


def test_a_root_within_another_partners_folder_is_refused(machine: Machine, sshd: Sshd, make_key: MakeKey) -> None:
    partner = connect(machine, sshd, make_key("one"))

    ran = add(machine, new_name(), make_key("two"), root=str(partner.root / "more"))

    assert ran.exit_code == 2
    assert "inside a folder of" in ran.stderr


def test_a_fragment_of_another_hand_is_never_overwritten(machine: Machine, make_key: MakeKey) -> None:
    machine.path("/srv/own.conf").write_text("# mine\n")

    ran = add(machine, new_name(), make_key(), "--sshd-config", "/srv/own.conf")

    assert ran.exit_code == 2
    assert machine.path("/srv/own.conf").read_text() == "# mine\n"


@pytest.mark.parametrize("further", [GATEWAY, "disk", "sudo"])
def test_a_login_in_a_further_group_is_refused_and_the_remedy_mends_it(
    machine: Machine, sshd: Sshd, make_key: MakeKey, further: str
) -> None:
    key = make_key()
    partner = connect(machine, sshd, key)
    machine.run("usermod", "--append", "--groups", further, partner.client.login)

    ran = add(machine, partner.name, key)

    assert ran.exit_code == 2
    assert f"only group, but it is in {further};" in ran.stderr
    machine.run(*shlex.split(ran.stderr.partition("mend it with: ")[2]))
    assert add(machine, partner.name, key).exit_code == 0


def test_a_login_whose_first_group_is_another_is_refused_and_the_remedy_mends_it(
    machine: Machine, sshd: Sshd, make_key: MakeKey
) -> None:
    key = make_key()
    partner = connect(machine, sshd, key)
    machine.run("usermod", "--gid", "games", "--groups", "chorus-sftp", partner.client.login)

    ran = add(machine, partner.name, key)

    assert (ran.exit_code, "but it is in games;" in ran.stderr) == (2, True)
    machine.run(*shlex.split(ran.stderr.partition("mend it with: ")[2]))
    assert add(machine, partner.name, key).exit_code == 0


# --- show and list --------------------------------------------------------------------------------------------------


def test_show_tells_where_it_drops_its_keys_and_what_is_left(machine: Machine, sshd: Sshd, make_key: MakeKey) -> None:
    key = make_key()
    partner = connect(machine, sshd, key, "--from", "127.0.0.1")

    told = machine.gateway("partner", "show", partner.name).stdout
    machine.path(partner.root / "in").chmod(0o700)
    wrong = json.loads(machine.gateway("partner", "show", partner.name, "--json").stdout)

    assert str(partner.root / "in") in told
    assert "from 127.0.0.1" in told
    assert "left to do" not in told
    assert wrong["left"] == [f"install -d -o root -g chorus-sftp -m 0770 {partner.root}/in"]
    assert wrong["keys"][0]["fingerprint"] in told


def test_list_names_every_partner_also_those_without_openssh(machine: Machine, sshd: Sshd, make_key: MakeKey) -> None:
    partner = connect(machine, sshd, make_key())

    lines = machine.gateway("partner", "list").stdout.splitlines()

    assert f"{partner.name}  {partner.root}  OpenSSH sftp-{partner.name} (1 key)" in lines
    assert any(line.startswith("my-erp ") and line.endswith("  -") for line in lines)


@pytest.mark.parametrize("command", ["show", "key list", "key remove"])
def test_a_partner_that_is_not_known_is_told(machine: Machine, command: str) -> None:
    more = ["SHA256:x"] if command.endswith("remove") else []

    ran = machine.gateway("partner", *command.split(), "nobody", *more)

    assert ran.exit_code == 2
    assert "known are" in ran.stderr


def test_keys_of_a_known_partner_without_openssh_are_none(machine: Machine) -> None:
    ran = machine.gateway("partner", "key", "add", "my-erp", os.devnull)

    assert ran.exit_code == 2
