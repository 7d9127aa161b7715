"""The configuration changes while the gateway runs: valid changes are taken, invalid ones are not."""

from __future__ import annotations

import os

import pytest

from gateway.config import Configuration, fingerprint
from tests.config.conftest import ISSUER, House


def test_a_new_issuer_is_taken_up(house: House) -> None:
    configuration = Configuration(house.path(), house.environ)
    house.write("issuers.d/new.toml", ISSUER.format(siret="12345678200028"))

    assert configuration.reload().changed
    assert "12345678200028" in configuration.settings.issuers


def test_nothing_is_reloaded_while_nothing_changed(house: House) -> None:
    configuration = Configuration(house.path(), house.environ)
    before = configuration.settings

    assert not configuration.reload().changed
    assert configuration.settings is before


def test_an_invalid_change_leaves_the_old_in_force_and_is_told_once(house: House) -> None:
    configuration = Configuration(house.path(), house.environ)
    before = configuration.settings
    house.spoil("partners.d/erp.toml", "root", "roots")

    first, second = configuration.reload(), configuration.reload()

    assert configuration.settings is before
    assert first.faults
    assert not second.faults


def test_a_change_is_taken_once_it_is_mended(house: House) -> None:
    configuration = Configuration(house.path(), house.environ)
    house.spoil("partners.d/erp.toml", "root", "in_flight = 0\nroot")
    configuration.reload()
    house.spoil("partners.d/erp.toml", "in_flight = 0", "in_flight = 7")

    assert configuration.reload().changed
    assert configuration.settings.partners["erp"].in_flight == 7


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('"state"', '"other"', "gateway.state_dir"),
        ("[chorus]", '[ledger]\nurl = "sqlite:////tmp/l.db"\n[chorus]', "ledger.url"),
        ("[chorus]", "[workers]\nprocesses = 3\n[chorus]", "workers.processes"),
    ],
)
def test_what_the_process_is_built_upon_needs_a_restart(house: House, old: str, new: str, key: str) -> None:
    configuration = Configuration(house.path(), house.environ)
    before = configuration.settings
    house.spoil("gateway.toml", old, new)

    told = configuration.reload()

    assert configuration.settings is before
    assert [fault.key for fault in told.faults] == [key]


def test_a_changed_password_file_is_noticed(house: House) -> None:
    secret = house.write("password", "hush-one")
    secret.chmod(0o600)
    house.spoil("gateway.toml", '{ env = "ACCOUNT" }', '{ file = "password" }')
    configuration = Configuration(house.path(), house.environ)
    secret.write_text("hush-two")
    os.utime(secret, ns=(1, 1))

    assert configuration.reload().changed
    assert configuration.settings.chorus.accounts["main"].password.reveal() == "hush-two"


def test_the_fingerprint_sees_every_file_come_change_and_go(house: House) -> None:
    seen = [fingerprint(house.path())]

    house.write("issuers.d/new.toml", "x = 1")
    seen.append(fingerprint(house.path()))
    house.write("issuers.d/new.toml", "x = 2")
    seen.append(fingerprint(house.path()))
    house.path("issuers.d/new.toml").rename(house.path("issuers.d/newer.toml"))
    seen.append(fingerprint(house.path()))
    house.path("issuers.d/newer.toml").unlink()

    assert len(set(seen)) == 4
    assert fingerprint(house.path()) == seen[0]
    house.path().unlink()
    assert fingerprint(house.path()) != seen[0]
