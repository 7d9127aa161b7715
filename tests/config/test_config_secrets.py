"""Secrets come from the environment or from a closed file, and are shown to nobody."""

from __future__ import annotations

import copy
import os
import pickle
import traceback
from pathlib import Path

import pytest

from gateway.config import ConfigurationFaults, Secret, check, load
from tests.config.conftest import SECRETS, House

HUSH = "hush-in-a-file"


def put_account_in(house: House, file: Path | str) -> None:
    house.spoil("gateway.toml", '{ env = "ACCOUNT" }', f'{{ file = "{file}" }}')


def secret_file(house: House, content: bytes = HUSH.encode() + b"\n", mode: int = 0o600) -> Path:
    path = house.folder / "account.secret"
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_secret_comes_from_a_file_that_only_its_owner_reads(house: House, mode: int) -> None:
    secret_file(house, mode=mode)
    put_account_in(house, "account.secret")

    assert house.load().chorus.accounts["main"].password.reveal() == HUSH


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o666])
def test_a_secret_file_that_others_may_use_is_refused(house: House, mode: int) -> None:
    secret_file(house, mode=mode)
    put_account_in(house, "account.secret")

    fault = house.fault()

    assert fault.key == "chorus.accounts.main.password"
    assert "0600" in fault.expected
    assert HUSH not in str(fault)


@pytest.mark.parametrize("content", [b"", b"\n", b"  \n", b"one\ntwo\n", b"a\0b", b"\xff\xfe", b"x" * 70_000])
def test_a_secret_file_with_something_else_in_it_is_refused(house: House, content: bytes) -> None:
    secret_file(house, content)
    put_account_in(house, "account.secret")

    assert house.fault().key == "chorus.accounts.main.password"


def test_a_secret_file_that_is_no_file_is_refused(house: House) -> None:
    os.mkfifo(house.folder / "pipe", 0o600)
    (house.folder / "folder").mkdir(mode=0o700)

    for name in ("pipe", "folder", "missing"):
        house.spoil("gateway.toml", "password = ", f'password = {{ file = "{name}" }}  #')
        assert "regular file" in house.fault().expected


def test_a_link_is_judged_by_what_it_points_to(house: House) -> None:
    target = secret_file(house)
    (house.folder / "link").symlink_to(target)
    put_account_in(house, "link")

    assert house.load().chorus.accounts["main"].password.reveal() == HUSH
    target.chmod(0o644)
    assert "0644" in house.fault().found


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_variable_is_no_secret(house: House, value: str) -> None:
    house.environ = SECRETS | {"ACCOUNT": value}
    with pytest.raises(ConfigurationFaults) as caught:
        house.load()

    assert "ACCOUNT" in caught.value.faults[0].expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('password = { env = "ACCOUNT" }', 'password = "S3cr3t-literal"'),
        ('client_secret = { env = "CLIENT_SECRET" }', 'client_secret = "S3cr3t-literal"'),
        ('client_id = { env = "CLIENT_ID" }', 'client_id = ["S3cr3t-literal"]'),
        ('password = { env = "ACCOUNT" }', 'password = { value = "S3cr3t-literal" }'),
        ('password = { env = "ACCOUNT" }', 'password = { env = "ACCOUNT", or = "S3cr3t-literal" }'),
        ('password = { env = "ACCOUNT" }', 'password = { env = "ACCOUNT" }\npasword = "S3cr3t-literal"'),
        ("[chorus.accounts.main]", 'apikey = "S3cr3t-literal"\n[chorus.accounts.main]'),
        ('login = "TECH_1_123456@cpro.fr"', "login = 42\npasswd = 'S3cr3t-literal'"),
        ('login = "TECH_1_123456@cpro.fr"', "login = ['S3cr3t-literal']"),
        ("[chorus.accounts.main]", "[chorus.accounts]\nother = 'S3cr3t-literal'\n[chorus.accounts.main]"),
        ("[chorus]", "[ledger]\nurl = 'postgresql+psycopg://gateway:S3cr3t-literal@db/ledger'\n[chorus]"),
        ("[chorus]", "[ledger]\nurl = 'postgres://gateway:S3cr3t-literal@db/ledger'\n[chorus]"),
        ("[chorus]", "[ledger]\nurl = 'postgresql+psycopg://db/ledger?password=S3cr3t-literal'\n[chorus]"),
        ("[chorus]", "[chorus]\nproxy = 'http://me:S3cr3t-literal@proxy.example:3128'"),
        ('"sandbox"', "'custom'\ntoken_url = 'https://me:S3cr3t-literal@x.example'\napi_url = 'https://x.example'"),
        ('"sandbox"', "'custom'\napi_url = 'https://x.example'\ntoken_url = 'S3cr3t-literal'"),
        ('{ env = "ACCOUNT" }', '{ env = "S3cr3t-literal" }'),
        ('{ env = "ACCOUNT" }', '{ file = "S3cr3t-literal" }'),
        ('{ env = "ACCOUNT" }', "S3cr3t-literal"),
        ('state_dir = "state"', "state_dir = ['S3cr3t-literal']"),
        ('environment = "test"', "environment = { x = 'S3cr3t-literal' }"),
    ],
)
def test_a_literal_secret_is_a_fault_that_does_not_repeat_it(house: House, old: str, new: str) -> None:
    house.spoil("gateway.toml", old, new)

    with pytest.raises(ConfigurationFaults) as caught:
        house.load()
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value.faults)
    shown += "\n".join(check(house.path(), house.environ).lines)

    assert "S3cr3t" not in shown
    for secret in SECRETS.values():
        assert secret not in shown


def test_a_literal_secret_is_told_where_it_belongs(house: House) -> None:
    house.spoil("gateway.toml", '{ env = "ACCOUNT" }', '"literal"')

    text = str(house.fault())

    assert "{ env = " in text
    assert "{ file = " in text
    assert "should be changed" in text


def test_a_secret_shows_itself_nowhere(house: House) -> None:
    settings = house.load()
    password = settings.chorus.accounts["main"].password

    shown = [
        repr(settings), str(settings.chorus), f"{password}", f"{password!r}", f"{password!s:>20}",
        settings.chorus.model_dump_json(), str(settings.chorus.model_dump()), str(copy.deepcopy(password)),
        str(settings.ledger_url),
    ]  # fmt: skip

    for secret in SECRETS.values():
        assert not any(secret in text for text in shown)
    assert password.reveal() == SECRETS["ACCOUNT"]


def test_a_secret_does_not_travel_to_another_process() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret("hush"))


def test_the_password_of_the_ledger_is_in_its_url_but_not_in_what_is_printed(house: House) -> None:
    house.spoil(
        "gateway.toml", "[chorus]",
        '[ledger]\nurl = "postgresql+psycopg://gateway@db/ledger"\npassword = { env = "ACCOUNT" }\n[chorus]',
    )  # fmt: skip

    url = load(house.path(), house.environ).ledger_url

    assert url.password == SECRETS["ACCOUNT"]
    assert SECRETS["ACCOUNT"] not in f"{url} {url!r}"
