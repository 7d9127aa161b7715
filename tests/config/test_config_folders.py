"""A partner's folder is its own: not another's, not ours, and on one file system."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.config.conftest import House


def put_operator_in(house: House, root: Path | str) -> None:
    house.write("partners.d/operator.toml", f'name = "operator"\nroot = "../{root}"\n')


@pytest.mark.parametrize("root", ["drop/erp", "drop/./erp", "drop/erp/in", "drop/erp/deep/er"])
def test_two_partners_do_not_share_a_folder_nor_nest(house: House, root: str) -> None:
    put_operator_in(house, root)

    fault = house.fault()

    assert (fault.file.name, fault.key) == ("operator.toml", "root")
    assert "erp.toml" in fault.found


def test_a_partner_around_another_is_told_at_the_inner_one(house: House) -> None:
    put_operator_in(house, "drop")

    fault = house.fault()

    assert fault.file.name == "erp.toml"
    assert "operator.toml" in fault.found


def test_a_link_into_another_partners_folder_is_seen_through(house: House, tmp_path: Path) -> None:
    (house.folder / "drop/erp/in").mkdir(parents=True)
    (house.folder / "drop/operator").mkdir()
    (house.folder / "drop/operator/in").symlink_to(house.folder / "drop/erp/in")

    assert house.fault().file.name == "operator.toml"


def test_a_loop_of_links_does_not_hang(house: House) -> None:
    (house.folder / "drop").mkdir()
    (house.folder / "drop/operator").symlink_to(house.folder / "drop/operator")

    assert house.fault().file.name == "operator.toml"


@pytest.mark.parametrize("root", ["state", "state/deep", ".", "..", "../../../../../../../.."])
def test_a_partner_is_neither_in_nor_around_what_is_ours(house: House, root: str) -> None:
    put_operator_in(house, root)

    faults = house.faults()

    assert {fault.key for fault in faults} == {"root"}


def test_a_secret_does_not_lie_where_a_partner_writes(house: House) -> None:
    secret = house.write("drop/operator/in/secret", "hush-file")
    secret.chmod(0o600)
    house.spoil("gateway.toml", '{ env = "ACCOUNT" }', '{ file = "drop/operator/in/secret" }')

    assert "a secret file" in house.fault().found


def test_a_file_in_place_of_a_folder_is_told(house: House) -> None:
    house.write("drop/erp/in", "not a folder")

    assert "to be a folder" in house.fault().expected


def test_folders_on_two_file_systems_are_told(house: House) -> None:
    other = Path("/dev/shm")
    (house.folder / "drop/erp").mkdir(parents=True)
    if not other.is_dir() or os.stat(other).st_dev == os.stat(house.folder).st_dev:
        pytest.skip("this machine has no second file system to try with")
    elsewhere = other / f"gateway-test-{os.getpid()}"
    elsewhere.mkdir()
    try:
        (house.folder / "drop/erp/in").symlink_to(elsewhere)

        assert "one file system" in house.fault().expected
    finally:
        elsewhere.rmdir()


def test_folders_that_do_not_exist_yet_are_no_fault(house: House) -> None:
    assert house.load().partners["erp"].inbox == house.folder / "drop/erp/in"
