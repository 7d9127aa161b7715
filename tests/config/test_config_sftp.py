"""The tables of SFTP: what is accepted, what each wrong one is told, and who may write the files that open doors."""

from __future__ import annotations

import pytest

from gateway.config.read import fingerprint
from tests.config.conftest import House

PARTNER = "partners.d/erp.toml"
PIN = "SHA256:" + "A" * 43
SERVER = f"""
[sftp]
host = "sftp.erp.example"
user = "gateway"
host_keys = ["{PIN}"]
key = "keys/erp"
fetch_from = "/out"
deliver_to = "/in"
"""
LOGIN = """
[login]
keys = "keys/erp.pub"
"""


def with_tables(house: House, tables: str) -> None:
    text = house.path(PARTNER).read_text("utf-8")
    house.write(PARTNER, text + tables)


def test_a_partner_may_have_a_server_of_its_own_and_a_login_at_ours(house: House) -> None:
    with_tables(house, SERVER + LOGIN)
    house.spoil("gateway.toml", "\n[chorus]", '\n[sftp_server]\nlisten = "127.0.0.1:2222"\n[chorus]')

    settings = house.load()

    assert settings.remotes["erp"].key == house.folder / "partners.d/keys/erp"
    assert settings.logins["erp"].keys == house.folder / "partners.d/keys/erp.pub"
    assert set(settings.remotes) == set(settings.logins) == {"erp"}
    assert settings.warnings == ()


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ('"sftp.erp.example"', '"sftp://erp.example"', "sftp.host", "without sftp:// and without port"),
        ('"sftp.erp.example"', '"erp.example:22"', "sftp.host", "without sftp:// and without port"),
        ('"sftp.erp.example"', r'"fe80::1%x\n* ssh-ed25519 AAAA"', "sftp.host", "the name or address of a host"),
        (PIN, "MD5:16:27:ac", "sftp.host_keys[0]", "ssh-keygen -lf"),
        (f'host_keys = ["{PIN}"]\n', "", "sftp.host_keys", "whom would we trust?"),
        ('key = "keys/erp"\n', "", "sftp.key", "how would we log in?"),
        ('key = "keys/erp"', 'agent = true\ncertificate = "c"', "sftp.key", "certificate without key"),
        ('"/out"', '"/out/../../etc"', "sftp.fetch_from", "an absolute folder"),
        ('"/out"', '"out"', "sftp.fetch_from", "an absolute folder"),
        ('"/out"', '"/in/"', "sftp.fetch_from", "we would fetch our own acknowledgements"),
        ('fetch_from = "/out"\ndeliver_to = "/in"\n', "", "sftp.fetch_from", "neither"),
        ('"/out"', '"//in"', "sftp.fetch_from", "we would fetch our own acknowledgements"),
        ('"/out"', '"///in"', "sftp.fetch_from", "we would fetch our own acknowledgements"),
        ('"/out"', '"/./in/."', "sftp.fetch_from", "we would fetch our own acknowledgements"),
        ('"/in"', '"/out/.taken"', "sftp.deliver_to", "another folder than .taken/ and archive/"),
        ('"/in"', '"//out//.taken/"', "sftp.deliver_to", "another folder than .taken/ and archive/"),
        ('"/in"', '"/out/archive/"', "sftp.deliver_to", "another folder than .taken/ and archive/"),
        (
            '"/out"\ndeliver_to = "/in"',
            '"/"\ndeliver_to = "/archive"',
            "sftp.deliver_to",
            "another folder than .taken/",
        ),
        ("deliver_to", "afterwards = 'eat'\ndeliver_to", "sftp.afterwards", "'delete', 'archive' or 'leave'"),
        ('key = "keys/erp"', 'password = "hunter2"', "sftp.password", "a secret by reference"),
        ('user = "gateway"', 'usr = "gateway"\nuser = "gateway"', "sftp.usr", "Did you mean user?"),
    ],
)
def test_each_wrong_server_gives_its_one_fault(house: House, old: str, new: str, key: str, says: str) -> None:
    with_tables(house, SERVER.replace(old, new))

    fault = house.fault()

    assert (fault.key, fault.file) == (key, house.path(PARTNER))
    assert says in str(fault)
    assert "hunter2" not in str(fault)


@pytest.mark.parametrize(
    ("fetched", "delivered"),
    [("/", ""), ("/", "/acks"), ("/out", "/"), ("/out", "/out/acks"), ("/acks/archive", "/acks")],
)
def test_folders_of_a_server_that_do_not_meet_are_taken(house: House, fetched: str, delivered: str) -> None:
    with_tables(house, SERVER.replace('"/out"', f'"{fetched}"').replace('"/in"', f'"{delivered}"'))

    assert (house.load().remotes["erp"].fetch_from, house.load().remotes["erp"].deliver_to) == (fetched, delivered)


def test_a_login_without_a_key_or_a_password_is_no_login(house: House) -> None:
    with_tables(house, "\n[login]\nquota_files = 5\n")

    assert "how would the partner log in?" in str(house.fault())


def test_a_password_that_is_not_hashed_is_a_fault_and_not_shown(house: House) -> None:
    house.environ = {**house.environ, "LOGIN_HASH": "correct horse battery"}
    with_tables(house, '\n[login]\npassword_hash = { env = "LOGIN_HASH" }\n')

    fault = house.fault()

    assert fault.key == "login.password_hash"
    assert "hash-password" in str(fault)


def test_a_login_at_a_server_that_is_not_there_is_told(house: House) -> None:
    with_tables(house, LOGIN)

    assert [warning.key for warning in house.load().warnings] == ["sftp_server.listen"]


@pytest.mark.parametrize("host", ["192.0.2.7", "2001:db8::7", "fe80::7%eth0", "fe80::7%eth0.100"])
def test_a_server_may_be_named_by_its_address(house: House, host: str) -> None:
    with_tables(house, SERVER.replace("sftp.erp.example", host))

    assert house.load().remotes["erp"].host == host


@pytest.mark.parametrize(
    "listen",
    ["2222", "localhost:2222", "127.0.0.1:99999", "[::1]", "127.0.0.1:-1", "127.0.0.1:²", "[fe80::1%a b]:22"],
)
def test_where_to_listen_is_an_address_and_a_port(house: House, listen: str) -> None:
    house.spoil("gateway.toml", "\n[chorus]", f'\n[sftp_server]\nlisten = "{listen}"\n[chorus]')

    assert house.fault().key == "sftp_server.listen"


def test_one_user_name_is_one_partner(house: House) -> None:
    house.spoil("gateway.toml", "\n[chorus]", '\n[sftp_server]\nlisten = "[::1]:2222"\n[chorus]')
    with_tables(house, LOGIN)
    text = house.path("partners.d/operator.toml").read_text("utf-8")
    house.write("partners.d/operator.toml", text + LOGIN + 'user = "erp"\n')

    assert house.fault().key == "login.user"


@pytest.mark.parametrize("table", [SERVER, LOGIN])
def test_no_partner_can_write_the_files_that_open_doors(house: House, table: str) -> None:
    """A partner that writes its own authorized_keys, or our known_hosts, chooses who comes in."""
    house.spoil("gateway.toml", "\n[chorus]", '\n[sftp_server]\nlisten = "127.0.0.1:2222"\n[chorus]')
    with_tables(house, table.replace('"keys/', '"../drop/operator/in/'))

    fault = house.fault()

    assert (fault.key, fault.file) == ("root", house.path("partners.d/operator.toml"))
    assert "a key file of SFTP" in str(fault)


def test_a_changed_password_of_a_partner_s_server_is_noticed(house: House) -> None:
    secret = house.write("partners.d/secret", "hush")
    secret.chmod(0o600)
    with_tables(house, SERVER.replace('key = "keys/erp"', 'password = { file = "secret" }'))
    before = fingerprint(house.path())
    house.load()

    house.write("partners.d/secret", "hush, hush")

    assert fingerprint(house.path()) != before
