"""Reading Chorus Pro's JSON: each field by name and type, absent or wrong-typed ones as empty, sizes bounded.

Every answer carries `codeRetour` and `libelle`; a business error is HTTP 200 with `codeRetour` ≠ 0, and the numbers
mean something else in each service (domain facts 1.2), so an error is known by service, number and prefix.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Final

from gateway.domain.finding import Text, printable
from gateway.routes.chorus_api.dates import read_day, read_moment
from gateway.routes.protocol import Unreachable

LONGEST_TEXT: Final = 4000
_PREFIX: Final = re.compile(r"[A-Z]{2,4}_MSG_\d{2}[._]\d{3}")


class Garbage(Exception):
    """What came back is no answer of Chorus Pro."""


class Fields:
    """A JSON object of an answer."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def text(self, name: str, limit: int = LONGEST_TEXT) -> str:
        """A string or number as text, without control characters; "" where absent."""
        value = self._values.get(name)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return ""
        return printable(str(value).strip(), limit)

    def whole(self, name: str) -> int | None:
        """A whole number, also where it is written as a string."""
        value = self._values.get(name)
        if isinstance(value, bool):
            return None
        if isinstance(value, int):
            return value
        if isinstance(value, str) and len(value) < 20 and re.fullmatch(r"-?[0-9]+", value):
            return int(value)
        return None

    def flag(self, name: str, absent: bool = False) -> bool:
        """A boolean; some services write it as a word."""
        value = self._values.get(name)
        if isinstance(value, str):
            return value.strip().lower() in {"true", "oui", "1"}
        return value if isinstance(value, bool) else absent

    def moment(self, name: str) -> datetime | None:
        return read_moment(self.text(name, 64))

    def day(self, name: str) -> date | None:
        return read_day(self.text(name, 64))

    def part(self, name: str) -> Fields:
        """An object inside; an empty one where absent."""
        value = self._values.get(name)
        return Fields(value) if isinstance(value, dict) else Fields({})

    def items(self, name: str) -> Iterator[Fields]:
        """The objects of a list; what is no object in it is left out."""
        value = self._values.get(name)
        if isinstance(value, list):
            yield from (Fields(item) for item in value if isinstance(item, dict))


class BusinessError(Exception):
    """`codeRetour` ≠ 0: the service understood the call and says no."""

    def __init__(self, service: str, code: int, libelle: str) -> None:
        super().__init__(service, code, libelle)
        self.service = service
        self.code = code
        self.libelle = libelle

    @property
    def prefix(self) -> str:
        """The stable part of the text (GDP_MSG_11.022), with one spelling of its separators."""
        found = _PREFIX.search(self.libelle)
        return re.sub(r"_(\d{3})$", r".\1", found.group()) if found else ""

    @property
    def key(self) -> str:
        """What a refusal is known by: the number alone means nothing."""
        return " ".join(part for part in (self.service, str(self.code), self.prefix) if part)

    def __str__(self) -> str:
        return f"{self.key}: {self.libelle}"

    def as_unreachable(self) -> Unreachable:
        """For a read that has no other use for the error."""
        return Unreachable(
            Text(
                f"Chorus Pro répond par une erreur au service {self.service} : {self.libelle} (code {self.code}).",
                f"Chorus Pro answers {self.service} with an error: {self.libelle} (code {self.code}).",
            )
        )


def read_answer(service: str, body: bytes) -> Fields:
    """The answer of a service. Raises `Garbage` or `BusinessError`."""
    fields = read_object(body)
    code = fields.whole("codeRetour")
    if code is None:
        raise Garbage("it carries no codeRetour")
    if code != 0:
        raise BusinessError(service, code, fields.text("libelle", 500))
    return fields


def read_object(body: bytes) -> Fields:
    """A JSON object in UTF-8. Nesting beyond what the reader bears is garbage too."""
    try:
        value = json.loads(body.decode("utf-8-sig"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Garbage("it is no JSON") from error
    if not isinstance(value, dict):
        raise Garbage("it is no JSON object")
    return Fields(value)


def _no_constant(name: str) -> object:
    raise ValueError(name)
