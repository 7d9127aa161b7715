"""Secrets: where the configuration says they stand, and a value that never shows itself.

A secret is never in the TOML. It is written as `{ env = "NAME" }` or `{ file = "path" }`; the file is a regular one
that nobody but the user of the service (or root) may read. What is read goes straight into `Secret`.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

_LIMIT_BYTES: Final = 64 * 1024
_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]{0,99}")
_CLOSED_FILE: Final = "a regular file of mode 0600 (or 0400) that belongs to the user of the service"
WHERE: Final = (
    'a secret by reference: { env = "NAME" } (an environment variable) or { file = "PATH" } (a file of mode 0600)'
)


class SecretUnavailable(Exception):
    """The secret could not be read; the text says why and never holds any of it."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"expected {expected}; found {found}")
        self.expected = expected
        self.found = found


class Secret:
    """A text that is shown to nobody by accident: only `reveal` gives it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the one call that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        # A pickled secret would travel to the workers, where hostile PDFs are opened.
        raise TypeError("a Secret is not handed to other processes; hand over the parts that they need")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self


def from_environment(name: str, environ: Mapping[str, str]) -> Secret:
    """The secret in the environment variable `name`."""
    # Only what looks like a name is repeated: people do write the password itself here.
    if _VARIABLE.fullmatch(name) is None:
        raise SecretUnavailable("the name of an environment variable, in capitals", "something else (not shown)")
    expected = f"the environment variable {name} to be set and not empty"
    if name not in environ:
        raise SecretUnavailable(expected, "no such variable")
    return Secret(_one_line(environ[name], expected))


def from_file(path: Path) -> Secret:
    """The secret in the file `path`, refused unless only its owner (we or root) may read or write it."""
    try:
        # Not to hang on a FIFO, and to judge the very file that is read: opened first, looked at afterwards.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise SecretUnavailable(_CLOSED_FILE, _why(error)) from None
    try:
        found = _objection(os.fstat(handle))
        if found:
            raise SecretUnavailable(_CLOSED_FILE, found)
        content = os.read(handle, _LIMIT_BYTES + 1)
    except OSError as error:
        raise SecretUnavailable(_CLOSED_FILE, _why(error)) from None
    finally:
        os.close(handle)
    if len(content) > _LIMIT_BYTES:
        raise SecretUnavailable("a secret of at most 64 KiB", "a larger file")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise SecretUnavailable("UTF-8 text in the file", "other bytes") from None
    return Secret(_one_line(text, "the secret on one line of the file"))


def _objection(status: os.stat_result) -> str:
    if not stat.S_ISREG(status.st_mode):
        return "something that is not a regular file"
    if stat.S_IMODE(status.st_mode) & 0o077:
        return f"mode {stat.S_IMODE(status.st_mode):04o}: others may use it (chmod 600)"
    if status.st_uid not in {0, os.geteuid()}:
        return f"a file that belongs to user {status.st_uid}"
    return ""


def _one_line(text: str, expected: str) -> str:
    value = text.rstrip("\r\n")
    if not value.strip():
        raise SecretUnavailable(expected, "an empty one")
    if any(character in value for character in "\r\n\0"):
        raise SecretUnavailable(expected, "several lines, or a NUL")
    return value


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, PermissionError):
        return "a file that we may not read"
    return f"a file that cannot be opened ({type(error).__name__})"
