"""Finds and reads the files of a configuration, and parses and validates each by itself.

Sizes and counts are bounded; a file that cannot be read or parsed is a fault like any other, so that everything
that is wrong is told at once.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from pydantic import ValidationError

from gateway.config.faults import Fault
from gateway.config.model import GatewayFile
from gateway.config.section import Section
from gateway.config.senders import IssuerFile, PartnerFile
from gateway.config.translate import from_validation
from gateway.config.values import Context

MAIN: Final = "gateway.toml"
PARTNERS: Final = "partners.d"
ISSUERS: Final = "issuers.d"
_LIMIT_BYTES: Final = 1024 * 1024
_LIMIT_FILES: Final = 20_000
_POSITION: Final = re.compile(r" \(at line ([0-9]+), column ([0-9]+)\)")

_M = TypeVar("_M", bound=Section)


@dataclass(frozen=True, slots=True)
class ReadFile(Generic[_M]):
    """One file as read. `data` is None when it is no TOML, `model` when it is not valid."""

    file: Path
    text: str = ""
    data: Mapping[str, Any] | None = None
    model: _M | None = None
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadFiles:
    """All files of a configuration."""

    main: ReadFile[GatewayFile]
    partners: tuple[ReadFile[PartnerFile], ...] = ()
    issuers: tuple[ReadFile[IssuerFile], ...] = ()
    faults: tuple[Fault, ...] = field(default=())  #: of folders, and of every file

    def partner_names(self) -> frozenset[str]:
        """The name in every partner file, valid or not, so that one fault does not cause another."""
        values = [(read.data or {}).get("name") for read in self.partners]
        values.extend(read.file.stem for read in self.partners if read.model is None)
        return frozenset(value for value in values if isinstance(value, str))


def main_file(path: Path) -> Path:
    """`gateway.toml`, where its folder is given instead."""
    absolute = path.absolute()
    return absolute / MAIN if absolute.is_dir() else absolute


def read_all(path: Path, environ: Mapping[str, str]) -> ReadFiles:
    """Every file of the configuration at `path`, read and validated by itself."""
    source = main_file(path)
    main = _read(source, GatewayFile, environ)
    faults = list(main.faults)
    partner_files, partner_faults = _listed(source.parent / PARTNERS)
    issuer_files, issuer_faults = _listed(source.parent / ISSUERS)
    partners = tuple(_read(file, PartnerFile, environ) for file in partner_files)
    issuers = tuple(_read(file, IssuerFile, environ) for file in issuer_files)
    for reads in (partners, issuers):
        for read in reads:
            faults.extend(read.faults)
    return ReadFiles(main, partners, issuers, (*faults, *partner_faults, *issuer_faults))


def fingerprint(path: Path) -> str:
    """Changes whenever a file of the configuration, or a secret file that it names, is changed, added or removed.

    Secret files count by time and size, not by content: a fingerprint may be logged.
    """
    source = main_file(path)
    digest = hashlib.sha256()
    for file in (source, *_listed(source.parent / PARTNERS)[0], *_listed(source.parent / ISSUERS)[0]):
        content = _content(file)
        state = content if isinstance(content, bytes) else content.found.encode()
        digest.update(f"{file}\0{len(state)}\0".encode(errors="surrogateescape") + state)
        for secret in secret_files(file.parent, _leniently(state)):
            digest.update(f"{secret}\0{_stamp(secret)}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _read(file: Path, model: type[_M], environ: Mapping[str, str]) -> ReadFile[_M]:
    content = _content(file)
    if isinstance(content, Fault):
        return ReadFile(file, faults=(content,))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return ReadFile(file, faults=(Fault(file, "", "UTF-8 text", "other bytes", line=line),))
    try:
        data = tomllib.loads(text)
    except RecursionError:
        return ReadFile(file, text, faults=(Fault(file, "", "tables of sensible depth", "very deep nesting"),))
    except ValueError as error:
        return ReadFile(file, text, faults=(_syntax_fault(file, text, error),))
    try:
        value = model.model_validate(data, context=Context(file.parent, environ))
    except ValidationError as error:
        return ReadFile(file, text, data, faults=tuple(from_validation(file, text, model, error)))
    return ReadFile(file, text, data, value)


def _content(file: Path) -> bytes | Fault:
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return Fault(file, "", "this file", "nothing")
    except (OSError, ValueError) as error:
        return Fault(file, "", "a file that we may read", type(error).__name__)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        return Fault(file, "", "a regular file", "something else")
    with os.fdopen(handle, "rb") as opened:
        content = opened.read(_LIMIT_BYTES + 1)
    return content if len(content) <= _LIMIT_BYTES else Fault(file, "", "at most 1 MiB", "a larger file")


def _listed(folder: Path) -> tuple[list[Path], list[Fault]]:
    try:
        names = sorted(entry.name for entry in os.scandir(folder))
    except FileNotFoundError:
        return [], []
    except OSError as error:
        return [], [Fault(folder, "", "a folder that we may read", type(error).__name__)]
    files = [folder / name for name in names if name.endswith(".toml") and not name.startswith(".")]
    if len(files) > _LIMIT_FILES:
        return files[:_LIMIT_FILES], [Fault(folder, "", f"at most {_LIMIT_FILES} files", f"{len(files)} files")]
    return files, []


def _syntax_fault(file: Path, text: str, error: ValueError) -> Fault:
    message = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "a value out of range"
    position = _POSITION.search(message)
    what = _POSITION.sub("", message).replace(" (at end of document)", ", at the end of the file")
    line, column = (int(position[1]), int(position[2])) if position else (text.count("\n") + 1, None)
    return Fault(file, "", "TOML", f"a fault of syntax: {what}", line=line, column=column)


def secret_files(folder: Path, data: Mapping[str, Any]) -> Iterator[Path]:
    """The files that the secrets of a file refer to."""
    waiting: list[Any] = [data]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if set(value) == {"file"} and isinstance(value["file"], str):
                yield folder / value["file"]
            waiting.extend(value.values())


def _leniently(content: bytes) -> Mapping[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        return {}


def _stamp(file: Path) -> str:
    try:
        status = file.stat()
    except (OSError, ValueError):
        return "none"
    return f"{status.st_mtime_ns} {status.st_size} {status.st_ino} {status.st_mode} {status.st_uid}"
