"""`gateway buyers import`: JSON Lines or CSV, all of it or none, and a message that names the line."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.buyers.importer import BadImport, import_file, read_csv, read_json_lines
from gateway.buyers.snapshot import open_snapshot
from gateway.buyers.writing import TooFew
from gateway.domain.facts import Buyer, Service

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
SIRET = "21987654700015"
HEADER = (
    "siret;name;active;ej_mandatory;service_mandatory;ej_or_service;never_tells_payment;"
    "service_code;service_name;service_active;service_ej_mandatory;service_valid_from;service_valid_to\n"
)
EXPECTED_BUYER = Buyer(SIRET, "Ville d'Exempleville", service_mandatory=True)
EXPECTED_SERVICES = (
    Service("SERV1", "Achats; fournitures", ej_mandatory=True, valid_from=date(2020, 1, 1)),
    Service("SERV2", active=False, valid_to=date(2025, 12, 31)),
)
JSON = json.dumps(
    {
        "siret": SIRET,
        "name": "Ville d'Exempleville",
        "service_mandatory": True,
        "services": [
            {"code": "SERV1", "name": "Achats; fournitures", "ej_mandatory": True, "valid_from": "2020-01-01"},
            {"code": "SERV2", "active": False, "valid_to": "2025-12-31"},
        ],
    }
)
CSV = (
    HEADER
    + f'{SIRET};Ville d\'Exempleville;1;0;oui;non;false;SERV1;"Achats; fournitures";1;1;2020-01-01;\n'
    + f"{SIRET};Ville d'Exempleville;1;0;oui;non;false;SERV2;;0;0;;2025-12-31\n"
)


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    return tmp_path / "directory.sqlite3"


@pytest.fixture
def dropped(tmp_path: Path) -> Path:
    return tmp_path / "buyers.txt"


@pytest.mark.parametrize("text", [JSON, JSON + "\n\n", "\ufeff" + JSON, CSV, "\ufeff" + CSV.replace("\n", "\r\n")])
def test_both_formats_tell_the_same(dropped: Path, snapshot: Path, text: str) -> None:
    dropped.write_text(text, encoding="utf-8", newline="")

    done = import_file(dropped, snapshot, NOW)

    read = open_snapshot(snapshot)
    assert read is not None
    assert (done.buyers, done.services) == (1, 2)
    buyer = read.buyer(SIRET, date(2026, 11, 23)).buyer
    assert buyer is not None and buyer.service_mandatory and not buyer.ej_mandatory and buyer.has_active_service
    assert read.service(SIRET, "SERV1") == EXPECTED_SERVICES[0]
    assert read.service(SIRET, "SERV2") == EXPECTED_SERVICES[1]


def test_a_csv_body_without_services_has_none() -> None:
    (entry,) = read_csv((HEADER + f"{SIRET};Mairie;1;1;0;0;0;;;;;;\n").splitlines(keepends=True))

    assert entry.buyer is not None and entry.buyer.ej_mandatory
    assert entry.services == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"siret": "123"}', "line 1: siret: 14 digits"),
        ('{"siret": 21987654700015}', "line 1: siret"),
        (JSON + '\n{"siret": "2198', "line 2: not JSON"),
        (JSON + "\n[1]", "line 2: an object"),
        (JSON + "\n" + JSON, "twice"),
        (JSON.replace("SERV2", "SERV1"), "service code stands in the file twice"),
        (JSON.replace("2020-01-01", "01/01/2020"), "valid_from: a date"),
        (JSON.replace('"service_mandatory": true', '"service_mandatory": "maybe"'), "true or false"),
        (JSON.replace('"SERV2"', '""'), "a service without a code"),
        (JSON.replace('"SERV2"', '"' + "S" * 101 + '"'), "at most 100"),
        ('{"siret": "21987654700015", "services": [1]}', "services"),
        ("[" * 100_000, "header"),
        ("{" + '"a":[' * 100_000, "not JSON"),
        ("name;x\n", "header"),
        (CSV + f"{SIRET};short\n", "columns"),
        (CSV.replace("Exempleville;1;0;oui;non;false;SERV2", "Autreville;1;0;oui;non;false;SERV2"), "differ"),
        (CSV + HEADER.replace("siret", "x"), "siret"),
    ],
)
def test_a_bad_line_refuses_the_whole_file_and_names_it(dropped: Path, snapshot: Path, text: str, told: str) -> None:
    dropped.write_text(JSON, encoding="utf-8")
    import_file(dropped, snapshot, NOW)
    before = snapshot.read_bytes()
    dropped.write_text(text, encoding="utf-8")

    with pytest.raises(BadImport, match=told):
        import_file(dropped, snapshot, NOW, force=True)

    assert snapshot.read_bytes() == before


def test_a_file_that_is_not_utf8_is_refused(dropped: Path, snapshot: Path) -> None:
    dropped.write_bytes(CSV.replace("Exempleville", "Forêt").encode("latin-1"))

    with pytest.raises(BadImport, match="UTF-8"):
        import_file(dropped, snapshot, NOW)
    assert not snapshot.exists()


def test_an_empty_export_does_not_empty_the_directory(dropped: Path, snapshot: Path) -> None:
    dropped.write_text(JSON, encoding="utf-8")
    import_file(dropped, snapshot, NOW)
    dropped.write_text("", encoding="utf-8")

    with pytest.raises(TooFew):
        import_file(dropped, snapshot, NOW)
    assert import_file(dropped, snapshot, NOW, force=True).buyers == 0


@given(st.text(max_size=200))
def test_no_text_breaks_the_readers_otherwise_than_by_their_own_word(text: str) -> None:
    lines = text.splitlines(keepends=True)
    for read in (read_json_lines, read_csv):
        try:
            list(read(lines))
        except BadImport as error:
            assert str(error)


def test_an_empty_export_is_no_directory_even_where_there_was_none(dropped: Path, snapshot: Path) -> None:
    dropped.write_text("", encoding="utf-8")

    with pytest.raises(TooFew):
        import_file(dropped, snapshot, NOW)
    assert not snapshot.exists()
