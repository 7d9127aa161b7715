"""What a valid configuration becomes: the domain's values, defaults filled in, paths absolute, times in Paris."""

from __future__ import annotations

import dataclasses
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from gateway.config import Hours, check, load
from gateway.config.values import _hours, _size
from gateway.domain.issuer import Environment, Issuer, Route
from gateway.domain.partner import AckFormat, Completeness
from tests.config.conftest import House


def test_files_become_the_values_of_the_domain(house: House) -> None:
    settings = house.load()

    assert settings.issuers["12345678200010"] == Issuer(
        "12345678200010", "Acme", Route.CHORUS_API, frozenset({"erp"}), "main", Environment.TEST
    )
    assert set(settings.partners) == {"erp", "operator"}
    assert settings.partners["erp"].acks.format is AckFormat.CSV
    assert settings.chorus.accounts[settings.issuers["12345678200010"].account].login == "TECH_1_123456@cpro.fr"


def test_paths_are_relative_to_their_own_file_and_become_absolute(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(house.folder, house.folder.parent / "elsewhere")
    monkeypatch.chdir(house.folder.parent)

    settings = load(Path("elsewhere"), house.environ)

    base = house.folder.parent / "elsewhere"
    assert settings.state_dir == base / "state"
    assert settings.partners["erp"].root == base / "drop/erp"
    assert settings.ledger_url.database == str(base / "state/ledger.sqlite3")


def test_a_partner_takes_from_the_gateway_what_it_leaves_out(house: House) -> None:
    house.spoil("gateway.toml", "[chorus]", '[intake]\nquiet = "7s"\nlimit_bytes = "5MiB"\n[chorus]')
    house.spoil("gateway.toml", "environment", 'language = "en"\nenvironment')
    house.spoil("partners.d/erp.toml", "root", 'completeness.give_up = "1h"\nroot')

    partners = house.load().partners

    assert partners["erp"].completeness == Completeness(7.0, 3600.0, 5 * 2**20)
    assert partners["operator"].completeness == Completeness(7.0, 1800.0, 5 * 2**20)
    assert partners["erp"].acks.dialect.language == "en"


def test_a_partners_dialect_is_in_the_signs_themselves(house: House) -> None:
    house.spoil(
        "partners.d/erp.toml", "root",
        'acks.dialect = { separator = "\\t", newline = "crlf", decimal = ",", bom = true }\nroot',
    )  # fmt: skip

    dialect = house.load().partners["erp"].acks.dialect

    assert (dialect.separator, dialect.newline, dialect.decimal, dialect.bom) == ("\t", "\r\n", ",", True)


def test_the_two_platforms_have_their_addresses(house: House) -> None:
    assert house.load().token_url == "https://sandbox-oauth.piste.gouv.fr/api/oauth/token"
    assert house.load().api_url == "https://sandbox-api.piste.gouv.fr"


def test_a_simulator_is_reached_over_plain_http_on_this_machine(house: House) -> None:
    house.spoil(
        "gateway.toml", '"sandbox"',
        '"custom"\ntoken_url = "http://127.0.0.1:8765/api/oauth/token"\napi_url = "http://127.0.0.1:8765/"',
    )  # fmt: skip

    assert house.load().api_url == "http://127.0.0.1:8765"


def test_a_mandate_date_is_a_date(house: House) -> None:
    house.spoil("issuers.d/acme.toml", "account", "mandate_signed = 2026-01-31\naccount")

    assert house.load().issuers["12345678200010"].mandate_signed == date(2026, 1, 31)


def test_settings_do_not_change(house: House) -> None:
    settings = house.load()

    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.source = Path("x")  # type: ignore[misc]
    with pytest.raises(TypeError):
        settings.partners["new"] = settings.partners["erp"]  # type: ignore[index]
    with pytest.raises(ValueError, match="frozen"):
        settings.intake.quiet = timedelta(0)


def test_files_of_other_kinds_and_hidden_ones_are_left_alone(house: House) -> None:
    for name in ("partners.d/erp.toml~", "partners.d/.#erp.toml", "partners.d/notes.txt", "issuers.d/.hidden.toml"):
        house.write(name, "no = toml =")

    assert len(house.load().partners) == 2


def test_a_gateway_without_senders_is_warned_about_but_starts(house: House) -> None:
    shutil.rmtree(house.path("partners.d"))
    shutil.rmtree(house.path("issuers.d"))

    assert [warning.file.name for warning in house.load().warnings] == ["issuers.d", "partners.d"]


def test_check_says_in_one_line_that_all_is_well(house: House) -> None:
    checked = check(house.folder, house.environ)

    assert checked.ok
    assert len(checked.lines) == 1
    assert "partners 2, issuers 1" in checked.lines[0]


def test_check_counts_the_faults(house: House) -> None:
    house.spoil("gateway.toml", '"test"', '"prod"')

    checked = check(house.path(), house.environ)

    assert not checked.ok
    assert checked.lines[-1] == "1 fault; nothing is started."


@pytest.mark.parametrize(
    ("hours", "utc", "inside"),
    [
        ("always", "2026-06-01T12:00", True),
        ("22:00-05:30", "2026-06-01T19:59", False),
        ("22:00-05:30", "2026-06-01T20:00", True),  # 22:00 in Paris, summer
        ("22:00-05:30", "2026-12-01T20:30", False),  # 21:30 in Paris, winter
        ("22:00-05:30", "2026-12-01T04:29", True),
        ("22:00-05:30", "2026-12-01T04:30", False),
        ("08:00-18:00", "2026-12-01T17:00", False),
        ("02:00-03:00", "2026-10-25T00:30", True),  # the hour that comes twice, its first time
        ("02:00-03:00", "2026-10-25T01:30", True),  # and its second
        ("02:00-03:00", "2026-03-29T01:00", False),  # the night without it: 02:00 does not exist, it is 03:00
    ],
)
def test_hours_are_those_of_paris_in_summer_and_winter(hours: str, utc: str, inside: bool) -> None:
    moment = datetime.fromisoformat(utc).replace(tzinfo=UTC)

    assert _hours(hours).contains(moment) is inside
    assert Hours().always


@pytest.mark.parametrize(("text", "size"), [("10MB", 10**7), ("1 GiB", 2**30), ("7B", 7), (5, 5)])
def test_sizes_are_read_with_their_unit(text: object, size: int) -> None:
    assert _size(text) == size


def test_three_hundred_partners_and_two_thousand_issuers_load_in_seconds(house: House) -> None:
    from time import perf_counter

    from tests.config.conftest import ISSUER, PARTNER

    for number in range(300):
        house.write(f"partners.d/p{number}.toml", PARTNER.format(name=f"p{number}"))
    for number in range(2000):
        house.write(f"issuers.d/{number}.toml", ISSUER.format(siret=f"{number:014d}"))
    started = perf_counter()

    settings = house.load()

    assert len(settings.issuers) == 2001
    assert perf_counter() - started < 120, "a hang guard, no measure"
