"""Further rule packs in the configuration: what no service could start with is a fault of the configuration."""

from __future__ import annotations

from tests.config.conftest import House

ENTRY = """
[[pack]]
name = "ours"
layer = "br-fr"
engine = "rulebook"
version = "{version}"
source = "test"
licence = "test"
folder = "."
files = ["*.xslt"]
roots = {{ ubl-invoice = "rules.xslt" }}
covers = [{{ kinds = ["ubl-invoice"] }}]
sha256 = "0"
"""


def test_two_folders_that_are_sound_by_themselves_are_held_against_each_other(house: House) -> None:
    for name, version in (("a", "1"), ("b", "2")):
        house.write(f"{name}/packs.toml", ENTRY.format(version=version))
    house.spoil("gateway.toml", "\n[chorus]", '\n[rules]\npacks = ["a", "b"]\n[chorus]')

    fault = house.fault()

    assert fault.key == "rules.packs"
    assert "version 1" in fault.found
    assert "version 2" in fault.found


def test_each_folder_has_a_fault_of_its_own(house: House) -> None:
    house.write("a/packs.toml", ENTRY.format(version="1").replace("rules.xslt", "../rules.xslt"))
    house.spoil("gateway.toml", "\n[chorus]", '\n[rules]\npacks = ["a", "nowhere"]\n[chorus]')

    found = [fault.found for fault in house.faults()]

    assert len(found) == 2
    assert "../rules.xslt" in found[0]
    assert "which has none" in found[1]
