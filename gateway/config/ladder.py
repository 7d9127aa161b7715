"""Checks of the completeness ladder of a partner: what could take nothing, or anything, is refused at the start."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from gateway.config.values import wrong
from gateway.domain.partner import Rung
from gateway.transports.local import is_temporary

_LENGTH: Final = 60
_FIELD: Final = re.compile(r"\{(?:name|stem)\}")
_PLAIN: Final = re.compile(r"[^/\\{}\x00-\x1f\x7f]*")
_PATTERN: Final = re.compile(r"[A-Za-z0-9 ._~+=,@%*?-]+")


def check_ladder(ladder: Sequence[Rung], control_names: Sequence[str]) -> None:
    """Each rung once, and one that holds after a restart and without structure."""
    if not ladder:
        raise wrong("at least one", key="ladder")
    if not control_names:
        raise wrong("at least one", key="control_names")
    if len(set(ladder)) < len(ladder):
        raise wrong("each of them once", key="ladder")
    if set(ladder) <= {Rung.STRUCTURE}:
        raise wrong("another beside structure, such as quiet, for half a file may end well", key="ladder")
    if set(ladder) <= {Rung.STRUCTURE, Rung.CLOSE_EVENT}:
        raise wrong("another beside close-event, such as quiet, for events are lost on a restart", key="ladder")


def check_done_name(template: str) -> str:
    """One {name} or {stem}, something beside it, and no name that is never looked at."""
    before, *after = _FIELD.split(template)
    if len(template) > _LENGTH or len(after) != 1 or not all(map(_PLAIN.fullmatch, (before, *after))):
        raise wrong('a name with {name} or {stem} in it once and no path, such as "{name}.done"')
    if not before + after[0]:
        raise wrong("something beside {name} or {stem}, for a file is not its own done-file")
    if is_temporary(_FIELD.sub("x", template).encode()):
        raise wrong("a name that is looked at: no dot in front, and not .part, .filepart, .tmp or .writing at the end")
    return template


def check_control_name(pattern: str) -> str:
    """A pattern that not every name fits."""
    if len(pattern) > _LENGTH or not _PATTERN.fullmatch(pattern):
        raise wrong('a file name in which * and ? stand for other signs, such as "*.ctr"')
    if not pattern.strip("*?.") or pattern.count("*") > 3:
        raise wrong("a pattern with a few letters, for it must not fit every file")
    if is_temporary(pattern.replace("*", "x").encode()):
        raise wrong("a name that is looked at: no dot in front, and not .part, .filepart, .tmp or .writing at the end")
    return pattern
