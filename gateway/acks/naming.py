"""Names of acknowledgement files: ASCII, no blanks, at most 60 characters, never outside their folder.

Per tick the partner's template decides; per interchange the received file's own base name leads, so that an
operator finds the answer beside its question. A received name is hostile (any bytes, `../`, leading dots).
"""

from __future__ import annotations

import re
import string
import unicodedata
from datetime import UTC, datetime
from typing import Final

from gateway.domain.ack import Level

LIMIT: Final = 60
#: Where findings have a file of their own, both names share the stem.
CHILD: Final = ".findings"
DEFAULT_TEMPLATE: Final = "{partner}_{level}_{seq:08d}_{utc}.{extension}"

_FIELDS: Final = frozenset({"partner", "level", "seq", "utc", "extension"})
_SEQ_FORMAT: Final = re.compile(r"(0[1-9][0-9]?)?d?")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_DOTS: Final = re.compile(r"\.{2,}")
_STEM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class BadTemplate(ValueError):
    """A name template that cannot serve; the message says what was expected."""


def check_template(template: str) -> None:
    """Raise `BadTemplate` unless names made from `template` are safe and cannot collide."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as fault:
        raise BadTemplate(f"name_template: {fault}") from None
    used = [field for _, field, _, _ in parts if field is not None]
    for _, field, form, conversion in parts:
        if field is not None and field not in _FIELDS:
            raise BadTemplate(f"name_template: unknown field {{{field}}}; known are {', '.join(sorted(_FIELDS))}")
        if conversion or (form and (field != "seq" or not _SEQ_FORMAT.fullmatch(form))):
            raise BadTemplate("name_template: only {seq} may be formatted, as in {seq:08d}")
    for needed in ("level", "seq"):
        if needed not in used:
            raise BadTemplate(f"name_template: {{{needed}}} is missing: without it two files would share a name")
    if used.count("partner") > 1:
        raise BadTemplate("name_template: {partner} may stand once")
    if not template.endswith(".{extension}"):
        raise BadTemplate("name_template: it must end in .{extension}")
    # The longest that can come, with a partner's name of one letter.
    _fit(template, "p", Level.LIFECYCLE, 10**8, "0" * 16, f"{CHILD[1:]}.csv")


def tick_name(template: str, partner: str, level: Level, seq: int, at: datetime, extension: str) -> str:
    """The name of one tick's file. A partner's name that is too long is cut, so that the rest stays whole."""
    utc = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    safe = _safe(partner) or "partner"
    room = LIMIT - len(_fit(template, "", level, seq, utc, extension, check=False))
    return _fit(template, safe[: max(room, 1)].rstrip("._-"), level, seq, utc, extension)


def interchange_name(received: str, level: Level, seq: int, extension: str) -> str:
    """The name of the file that answers one interchange: `<base name>.<level>.<seq>.<extension>`."""
    tail = f".{level}.{seq:08d}.{extension}"
    base = received.replace("\\", "/").rpartition("/")[2]
    stem = base.rpartition(".")[0] or base
    return _checked((_safe(stem)[: LIMIT - len(tail)].rstrip("._-") or "interchange") + tail)


def _fit(template: str, partner: str, level: Level, seq: int, utc: str, extension: str, *, check: bool = True) -> str:
    name = template.format(partner=partner, level=level.value, seq=seq, utc=utc, extension=extension)
    return _checked(name) if check else name


def _safe(name: str) -> str:
    """The ASCII letters, digits, dots, hyphens and underscores of `name`; no dot in front, no two together."""
    plain = unicodedata.normalize("NFKD", name[:200]).encode("ascii", "ignore").decode("ascii")
    return _DOTS.sub(".", _UNSAFE.sub("-", plain)).strip("._-")


def _checked(name: str) -> str:
    if len(name) > LIMIT or not _STEM.fullmatch(name) or ".." in name:
        raise BadTemplate(f"{name!r}: a name must be ASCII, begin with a letter or digit and have at most {LIMIT}")
    return name
