"""Turns what pydantic says of a file into faults that an administrator understands.

Values are shown only where they stand under a harmless key, and never as a whole table or under an unknown key,
because people do write passwords in the wrong place.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from gateway.config.faults import Fault
from gateway.config.locate import locate
from gateway.config.values import shown_size
from gateway.domain.finding import printable

_SENSITIVE: Final = re.compile(r"pass|secret|token|client|login|credential|url|accounts", re.IGNORECASE)
_URL: Final = re.compile(r"://[^/\s]*@")
_SHOWN: Final = 80
_FAULTS_PER_FILE: Final = 200


def from_validation(file: Path, text: str, model: type[BaseModel], error: ValidationError) -> list[Fault]:
    """The faults of one file, from what pydantic says of it."""
    details = error.errors(include_url=False)[:_FAULTS_PER_FILE]
    return [_fault(file, text, model, dict(detail)) for detail in details]


def found_value(key: str, value: object) -> str:
    """A value as it may be shown: short, printable, and not at all under a key that may hold a secret."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, (list, tuple, set, frozenset)):
        return "a list"
    if _SENSITIVE.search(key):
        return "another value (not shown)"
    if isinstance(value, str):
        if _URL.search(value):
            return "an address with credentials (not shown)"
        return f'"{printable(value, _SHOWN)}"'
    return printable(str(value), _SHOWN)


def _fault(file: Path, text: str, model: type[BaseModel], detail: dict[str, Any]) -> Fault:
    context = detail.get("ctx", {})
    path = [part for part in detail["loc"] if part != "[key]"]
    if context.get("key"):
        path.append(context["key"])
    key = dotted(path)
    line = locate(text, path)
    if detail["type"] == "extra_forbidden":
        return _unknown(file, model, path, line)
    expected = _expected(detail["type"], context, detail["msg"], key)
    found = _found(detail["type"], context, key, detail.get("input"))
    return Fault(file, key, expected, found, line=line)


def _unknown(file: Path, model: type[BaseModel], path: Sequence[str | int], line: int | None) -> Fault:
    known = keys_at(model, path[:-1])
    near = difflib.get_close_matches(str(path[-1]), known, n=1)
    suggestion = f" Did you mean {near[0]}?" if near else ""
    expected = "one of the keys " + ", ".join(sorted(known)) if known else "no key here"
    return Fault(file, dotted(path), expected, "an unknown key", line=line, suggestion=suggestion)


def keys_at(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """The keys that a model knows in the table at `path`."""
    parts = iter(path)
    for part in parts:
        info = model.model_fields.get(str(part))
        inner, named = table_of(info.annotation) if info else (None, False)
        if inner is None:
            return []
        if named:
            next(parts, None)  # the name that the file chose, such as that of an account
        model = inner
    return list(model.model_fields)


def table_of(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The model of a table, and whether it is one of several under names of the file's choosing."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    optional = get_origin(annotation) in (Union, UnionType)
    for argument in get_args(annotation):
        if isinstance(argument, type) and issubclass(argument, BaseModel):
            return argument, not optional
    return None, False


def dotted(path: Iterable[str | int]) -> str:
    """`chorus.accounts.main.password`, `sending.settle[1]`; keys of partners' making are made printable."""
    words = ""
    for part in path:
        words += f"[{part}]" if isinstance(part, int) else f".{printable(part, 60)}"
    return words.lstrip(".")


_TYPES: Final[Mapping[str, str]] = {
    "string_type": "a text in quotes",
    "int_type": "a whole number, without quotes",
    "float_type": "a number, without quotes",
    "bool_type": "true or false, without quotes",
    "date_type": "a date without quotes, such as 2026-01-31",
    "date_from_datetime_inexact": "a date without time, such as 2026-01-31",
    "tuple_type": 'a list, such as ["…"]',
    "frozen_set_type": 'a list, such as ["…"]',
    "dict_type": "a table",
    "model_type": "a table",
    "missing": "this key, which is required",
}
_PATTERNS: Final[Mapping[str, str]] = {
    r"^[a-z0-9][a-z0-9_-]{0,31}$": "a short name of small letters, digits, - and _ (at most 32)",
    r"^[^@\s]{1,64}@[^@\s]{1,190}$": "a mail address",
    r"^(|BT-[1-9][0-9]{0,2})$": "a term such as BT-13",
    r"^(\*|[A-Z][A-Z_0-9]{1,59})$": 'a status code of Chorus Pro such as MISE_EN_PAIEMENT, or "*"',
}


def _expected(kind: str, context: Mapping[str, Any], message: str, key: str) -> str:
    if kind == "wrong":
        return str(context["expected"])
    if kind in _TYPES:
        return _TYPES[kind]
    if kind in {"enum", "literal_error"}:
        return f"one of {context['expected']}"
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(context["pattern"], f"a text like {context['pattern']}")
    bounds = {"greater_than_equal": "at least {ge}", "less_than_equal": "at most {le}"}
    if kind in bounds:
        sized = key.endswith("_bytes")
        limits = {name: shown_size(int(value)) if sized else value for name, value in context.items()}
        return f"a {'size' if sized else 'number'} of {bounds[kind].format(**limits)}"
    lengths = {"string_too_short": "min_length", "string_too_long": "max_length", "too_short": "min_length",
               "too_long": "max_length"}  # fmt: skip
    if kind in lengths:
        side = "at least" if lengths[kind] == "min_length" else "at most"
        unit = "characters" if kind.startswith("string") else "entries"
        return f"{side} {context[lengths[kind]]} {unit}"
    return f"something else ({message})"


def _found(kind: str, context: Mapping[str, Any], key: str, value: object) -> str:
    if kind == "missing":
        return "nothing"
    if key.endswith("_bytes") and type(value) is int and value > 0:
        return shown_size(value)
    return str(context.get("found") or found_value(key, value))
