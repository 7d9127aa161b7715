"""A request's JSON, read field by field: absent is empty, another type than the OpenAPI's is a 400."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from gateway.simulator.platform import Platform
from gateway.simulator.seed import Account
from gateway.simulator.times import read_bound

T = TypeVar("T")

DEFAULT_PAGE: Final = 10  #: chorus-pro.md 1.2: the default that made clients lose all but ten invoices
LARGEST_PAGE: Final = 1000  #: ours
BIG_INTEGER: Final = 2**63 - 1


class BadRequest(Exception):
    """HTTP 400."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A JSON object of a request."""

    fields: Mapping[str, Any]

    def text(self, name: str) -> str:
        value = self.fields.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise BadRequest(f"{name} must be a string")
        return value

    def integer(self, name: str) -> int | None:
        value = self.fields.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > BIG_INTEGER:
            raise BadRequest(f"{name} must be an integer")
        return value

    def number(self, name: str) -> float | None:
        value = self.fields.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadRequest(f"{name} must be a number")
        return float(value)

    def boolean(self, name: str) -> bool | None:
        value = self.fields.get(name)
        if value is not None and not isinstance(value, bool):
            raise BadRequest(f"{name} must be a boolean")
        return value

    def object(self, name: str) -> Asked:
        value = self.fields.get(name)
        if value is None:
            return Asked({})
        if not isinstance(value, dict):
            raise BadRequest(f"{name} must be an object")
        return Asked(value)

    def objects(self, name: str) -> Sequence[Asked]:
        values = self.fields.get(name) or []
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            raise BadRequest(f"{name} must be a list of objects")
        return [Asked(value) for value in values]

    def texts(self, name: str) -> Sequence[str]:
        values = self.fields.get(name) or []
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise BadRequest(f"{name} must be a list of strings")
        return values

    def integers(self, name: str) -> Sequence[int]:
        values = self.fields.get(name) or []
        if not isinstance(values, list) or not all(
            isinstance(value, int) and not isinstance(value, bool) and abs(value) <= BIG_INTEGER for value in values
        ):
            raise BadRequest(f"{name} must be a list of integers")
        return values

    def bound(self, name: str, *, end: bool) -> int | None:
        """A bound of a period, in microseconds."""
        text = self.text(name)
        try:
            return read_bound(text, end=end) if text else None
        except (ValueError, OverflowError) as error:
            raise BadRequest(f"{name} must be a date") from error


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated call of a service."""

    platform: Platform
    account: Account
    asked: Asked


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted, counted from 1."""

    number: int
    size: int

    @classmethod
    def asked(cls, parameters: Asked, number: str = "pageResultatDemandee", size: str = "nbResultatsParPage") -> Page:
        return cls(
            max(1, min(parameters.integer(number) or 1, 1_000_000)),
            max(1, min(parameters.integer(size) or DEFAULT_PAGE, LARGEST_PAGE)),
        )

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size

    def pages(self, total: int) -> int:
        return -(-total // self.size)

    def returned(self, total: int) -> dict[str, int]:
        """`parametresRetour`."""
        return {
            "pageCourante": self.number,
            "pages": self.pages(total),
            "nbResultatsParPage": self.size,
            "total": total,
        }

    def of(self, rows: Sequence[T]) -> Sequence[T]:
        return rows[self.offset : self.offset + self.size]


def done(**fields: Any) -> dict[str, Any]:
    """A success of the services other than the deposit's."""
    return {"codeRetour": 0, "libelle": "TRA_MSG_00.000", **without_nothing(fields)}


def failed(code: int, libelle: str) -> dict[str, Any]:
    """A business error: HTTP 200 all the same. The number means something within its service only."""
    return {"codeRetour": code, "libelle": libelle}


def without_nothing(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields without a value are left out, as null is no value that the OpenAPI allows."""
    return {name: value for name, value in fields.items() if value is not None}
