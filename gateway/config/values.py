"""The kinds of values that stand in the configuration: durations, sizes, schedules, hours, folders, secrets.

Each is an annotated type: how it is written in TOML, what it becomes, and how the JSON Schema describes it. What is
wrong with a value is raised as `Wrong`: what was expected and, where that helps, what was found.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from gateway.acks.due import BadSchedule, check_schedule
from gateway.clock import PARIS
from gateway.config.secrets import WHERE, Secret, SecretUnavailable, from_environment, from_file

IMMEDIATE: Final = "immediate"

_DURATION: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(ms|s|m|h|d)")
_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_SIZE: Final = re.compile(r"([0-9]{1,12}) ?(B|kB|MB|GB|KiB|MiB|GiB)")
_BYTES: Final = {
    "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30,
}  # fmt: skip
_HOURS: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")
_REFERENCE: Final = ({"env"}, {"file"})


@dataclass(frozen=True, slots=True)
class Context:
    """What validation may know beside the TOML: where relative paths start, and the environment."""

    folder: Path
    environ: Mapping[str, str] = field(repr=False)


def wrong(expected: str, found: str = "", key: str = "") -> PydanticCustomError:
    """The error of a value that is not as expected. `found` is left out where the value itself may be shown; `key`
    is given where a whole table is judged and one key of it is at fault."""
    return PydanticCustomError("wrong", "expected {expected}", {"expected": expected, "found": found, "key": key})


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of the day in Europe/Paris, the end not included; past midnight when the end comes first."""

    start: time = time(0)
    end: time = time(0)

    @property
    def always(self) -> bool:
        return self.start == self.end

    def contains(self, moment: datetime) -> bool:
        """Is `moment` (aware) inside these hours?"""
        now = moment.astimezone(PARIS).time().replace(tzinfo=None)
        if self.always:
            return True
        if self.start < self.end:
            return self.start <= now < self.end
        return now >= self.start or now < self.end


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise wrong('a duration with its unit (ms, s, m, h or d), such as "30s" or "15m"')
    seconds = float(match[1]) * _SECONDS[match[2]]
    if seconds > 3650 * 86400:
        raise wrong("a duration of at most ten years")
    return timedelta(seconds=seconds)


def _size(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise wrong('a size: bytes, or a text with its unit (kB, MB, GB, KiB, MiB, GiB), such as "10MB"')
    return int(match[1]) * _BYTES[match[2]]


def _hours(value: object) -> Hours:
    if isinstance(value, Hours):
        return value
    if value == "always":
        return Hours()
    match = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[1] + match[2] == match[3] + match[4]:
        raise wrong('"always", or two different times of the day in Europe/Paris, such as "22:00-05:30"')
    return Hours(time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4])))


def _cron(value: object) -> str:
    expected = 'a cron line of five fields (minute hour day month weekday), such as "0 6,14 * * mon-fri"'
    if not isinstance(value, str) or len(value) > 200 or len(value.split()) != 5:
        raise wrong(expected)
    if any(character.isdigit() for character in value.split()[4]):
        # APScheduler counts 0 as Monday, crontab as Sunday (apscheduler issue 286): a number fires on a wrong day.
        raise wrong("weekdays by name (mon, tue, wed, thu, fri, sat, sun), for numbers differ between programs")
    try:
        check_schedule(value)
    except BadSchedule as fault:
        raise wrong(f"{expected}; {str(fault).partition(': ')[2]}") from None
    return value


def _schedule(value: object) -> str:
    if value == IMMEDIATE:
        return IMMEDIATE
    if isinstance(value, str) and len(value.split()) == 5:
        return _cron(value)
    raise wrong('"immediate", or a cron line in Europe/Paris such as "0 6,14 * * mon-fri"')


def _path(value: object, info: ValidationInfo) -> Path:
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value.strip() or "\0" in value or len(value) > 4096:
        raise wrong("a path, absolute or relative to the folder of this file")
    return _absolute(value, info)


def _secret(value: object, info: ValidationInfo) -> Secret:
    if isinstance(value, Secret):
        return value
    if not isinstance(value, dict) or set(value) not in _REFERENCE or not all(map(_is_name, value.values())):
        kind = "a literal text (not shown)" if isinstance(value, str) else "something else (not shown)"
        raise wrong(WHERE, f"{kind}; whatever stood there should be changed" if kind[2] == "l" else kind)
    try:
        if "env" in value:
            return from_environment(value["env"], _context(info).environ)
        return from_file(_absolute(value["file"], info))
    except SecretUnavailable as unavailable:
        raise wrong(unavailable.expected, unavailable.found) from None


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and "\0" not in value


def _absolute(value: str, info: ValidationInfo) -> Path:
    # Not `resolve`: links of the administrator's own keep working when they are moved.
    return Path(os.path.abspath(_context(info).folder / value))  # noqa: PTH100


def _context(info: ValidationInfo) -> Context:
    context: Any = info.context
    if not isinstance(context, Context):
        raise TypeError("the configuration is validated with a Context")
    return context


def shown_duration(value: timedelta) -> str:
    """`value` as it is written in TOML, in the largest unit that divides it."""
    milliseconds = round(value.total_seconds() * 1000)
    for unit in ("d", "h", "m", "s"):
        size = int(_SECONDS[unit] * 1000)
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"


def shown_size(value: int) -> str:
    """`value` as it is written in TOML, in the largest unit that divides it."""
    for unit in ("GB", "MB", "kB"):
        if value and value % _BYTES[unit] == 0:
            return f"{value // _BYTES[unit]}{unit}"
    return f"{value}B"


def shown_hours(value: Hours) -> str:
    """`value` as it is written in TOML."""
    return "always" if value.always else f"{value.start:%H:%M}-{value.end:%H:%M}"


_SECRET_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "oneOf": [
        {"properties": {"env": {"type": "string"}}, "required": ["env"]},
        {"properties": {"file": {"type": "string"}}, "required": ["file"]},
    ],
    "properties": {"env": {"type": "string"}, "file": {"type": "string"}},
    "additionalProperties": False,
}

Duration = Annotated[
    timedelta,
    PlainValidator(_duration),
    PlainSerializer(shown_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_DURATION.pattern}$", "examples": ["30s", "15m"]}),
]
Size = Annotated[
    int,
    BeforeValidator(_size),  # not Plain: bounds (ge, le) of a field would be lost without a word
    PlainSerializer(shown_size, return_type=str),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": f"^{_SIZE.pattern}$"}]}),
]
HoursOfDay = Annotated[
    Hours,
    PlainValidator(_hours),
    PlainSerializer(shown_hours, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^(always|{_HOURS.pattern})$"}),
]
Cron = Annotated[str, BeforeValidator(_cron)]
Schedule = Annotated[str, BeforeValidator(_schedule)]
ConfiguredPath = Annotated[Path, PlainValidator(_path), WithJsonSchema({"type": "string", "minLength": 1})]
ConfiguredSecret = Annotated[
    Secret,
    PlainValidator(_secret),
    PlainSerializer(lambda _: "***", return_type=str),
    WithJsonSchema(_SECRET_SCHEMA),
]
