"""Read the directory from a file: `gateway buyers import F`. JSON Lines or CSV; all of it, or none.

JSON Lines, one public body a line; only `siret` is required, flags default to false, `active` to true:

    {"siret": "21987654700015", "name": "Ville d'Exempleville", "active": true, "ej_mandatory": false,
     "service_mandatory": true, "ej_or_service": false, "never_tells_payment": false,
     "services": [{"code": "SERV1", "name": "Achats", "active": true, "ej_mandatory": false,
                   "valid_from": "2020-01-01", "valid_to": null}]}

CSV, UTF-8, separated by `;`, header required, one service a line (the body's columns repeated, its lines together),
flags 1/0, true/false or oui/non, dates ISO; a body without service has its service columns empty:

    siret;name;active;ej_mandatory;service_mandatory;ej_or_service;never_tells_payment;
    service_code;service_name;service_active;service_ej_mandatory;service_valid_from;service_valid_to
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from gateway.buyers.entries import Entry, Refreshed
from gateway.buyers.refresh import replace_all
from gateway.domain.facts import Buyer, Service
from gateway.domain.finding import printable

_BUYER_FLAGS: Final = ("ej_mandatory", "service_mandatory", "ej_or_service", "never_tells_payment")
_BUYER_COLUMNS: Final = ("siret", "name", "active", *_BUYER_FLAGS)
_TRUE: Final = frozenset({"1", "true", "oui", "yes"})
_FALSE: Final = frozenset({"0", "false", "non", "no"})
#: A line longer than this is no public body; the largest have some ten thousand services of 150 characters.
_LINE_LIMIT: Final = 16 * 1024 * 1024


class BadImport(Exception):
    """The file cannot be used; the message tells the line and what was expected. Nothing was imported."""


def import_file(file: Path, snapshot: Path, taken_at: datetime, *, force: bool = False) -> Refreshed:
    """Replace `snapshot` by what `file` tells. On `BadImport` or `TooFew` nothing changed."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        try:
            first = lines.read(1)
            lines.seek(0)
            entries = read_json_lines(_lines(lines)) if first in ("{", "") else read_csv(_lines(lines))
            return replace_all(snapshot, _once_each(entries), taken_at, force=force)
        except UnicodeDecodeError as error:
            raise BadImport(f"not UTF-8: {error.reason} at byte {error.start}") from error


def read_json_lines(lines: Iterable[str]) -> Iterator[Entry]:
    """The bodies of a JSON Lines file."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BadImport(f"line {number}: not JSON ({error})") from error
        if not isinstance(row, dict):
            raise BadImport(f"line {number}: an object was expected")
        services = row.get("services") or []
        if not isinstance(services, list) or not all(isinstance(each, dict) for each in services):
            raise BadImport(f"line {number}: services: a list of objects was expected")
        buyer = _buyer(row, number)
        yield Entry(buyer.siret, buyer, tuple(_service(each, "", number) for each in services))


def read_csv(lines: Iterable[str]) -> Iterator[Entry]:
    """The bodies of a CSV file, whose lines must stand together."""
    reader = csv.DictReader(lines, delimiter=";")
    if "siret" not in (reader.fieldnames or ()):
        raise BadImport("line 1: a header with the column siret was expected (separator ;)")
    try:
        rows = ((reader.line_num, row) for row in reader)
        for _, together in groupby(rows, key=lambda numbered: numbered[1]["siret"]):
            yield _csv_entry(list(together))
    except csv.Error as error:
        raise BadImport(f"line {reader.line_num}: {error}") from error


def _csv_entry(rows: list[tuple[int, dict[str, Any]]]) -> Entry:
    first_number, first = rows[0]
    buyer = _buyer(first, first_number)
    services: list[Service] = []
    for number, row in rows:
        if None in row or None in row.values():
            raise BadImport(f"line {number}: not as many columns as the header")
        if any(row.get(column) != first.get(column) for column in _BUYER_COLUMNS):
            raise BadImport(f"line {number}: the columns of {buyer.siret} differ from its line {first_number}")
        if row.get("service_code"):
            services.append(_service(row, "service_", number))
    return Entry(buyer.siret, buyer, tuple(services))


def _buyer(row: Mapping[str, Any], number: int) -> Buyer:
    siret = row.get("siret")
    if not isinstance(siret, str) or len(siret) != 14 or not (siret.isascii() and siret.isdigit()):
        raise BadImport(f"line {number}: siret: 14 digits were expected, not {printable(repr(siret), 40)}")
    flags = {name: _flag(row, name, number, default=False) for name in _BUYER_FLAGS}
    name = _text(row, "name", number, 400)
    return Buyer(siret, name, active=_flag(row, "active", number, default=True), **flags)


def _service(row: Mapping[str, Any], prefix: str, number: int) -> Service:
    code = _text(row, prefix + "code", number, 100)
    if not code:
        raise BadImport(f"line {number}: {prefix}code: a service without a code")
    return Service(
        code=code,
        name=_text(row, prefix + "name", number, 400),
        active=_flag(row, prefix + "active", number, default=True),
        ej_mandatory=_flag(row, prefix + "ej_mandatory", number, default=False),
        valid_from=_date(row, prefix + "valid_from", number),
        valid_to=_date(row, prefix + "valid_to", number),
    )


def _text(row: Mapping[str, Any], key: str, number: int, limit: int) -> str:
    value = row.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > limit:
        raise BadImport(f"line {number}: {key}: a text of at most {limit} characters was expected")
    return value.strip()


def _flag(row: Mapping[str, Any], key: str, number: int, *, default: bool) -> bool:
    value = row.get(key)
    if value is None or value == "":
        return default
    word = str(value).strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise BadImport(f"line {number}: {key}: true or false was expected, not {printable(repr(value), 40)}")


def _date(row: Mapping[str, Any], key: str, number: int) -> date | None:
    value = row.get(key)
    if value is None or value == "":
        return None
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        shown = printable(repr(value), 40)
        raise BadImport(f"line {number}: {key}: a date YYYY-MM-DD was expected, not {shown}") from error


def _once_each(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The same body or service twice means that the file is not what it seems: which of the two would count?"""
    seen: set[str] = set()
    for entry in entries:
        siret = entry.siret
        if siret in seen:
            raise BadImport(f"{siret} stands in the file twice")
        codes = [service.code for service in entry.services]
        if len(codes) != len(set(codes)):
            raise BadImport(f"{siret}: a service code stands in the file twice")
        seen.add(siret)
        yield entry


def _lines(file: Any) -> Iterator[str]:
    while line := file.readline(_LINE_LIMIT):
        if len(line) >= _LINE_LIMIT and not line.endswith("\n"):
            raise BadImport("a line is too long to be a public body")
        yield line
