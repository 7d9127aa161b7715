"""Compiled sheets kept on disk, so that a start need not compile them.

A file is named by the digest of all that went into it: the sheet, the code lists beside it, our compiler and the Python
that runs. It holds code that will be run, so it is only read from a folder that is ours alone (0700), and only if its
own digest is right; whatever is wrong with it, the sheet is compiled again. Files are replaced whole, never written to.
"""

from __future__ import annotations

import hashlib
import importlib.util
import marshal
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import astuple, dataclass
from functools import lru_cache
from pathlib import Path
from types import CodeType
from typing import Any, Final

from gateway.rules.rulebook.compiler.code_lists import CodeLists
from gateway.rules.rulebook.compiler.program import compiled
from gateway.rules.rulebook.compiler.table import Alternative, Asked, Program, Rule
from gateway.rules.rulebook.outcome import UncompilablePack
from gateway.rules.rulebook.runtime.kept import EmptyWithout
from gateway.rules.rulebook.stylesheet import read_stylesheet

_SUFFIX: Final = ".rulebook"
#: Files kept: the ten packs in several versions.
_FILES: Final = 60
_LARGEST: Final = 64 * 1024 * 1024
_DIGEST: Final = hashlib.sha256().digest_size


@dataclass(frozen=True, slots=True)
class Compiled:
    """A program, and its module as Python runs it."""

    program: Program
    code: CodeType


@dataclass(frozen=True, slots=True)
class _Sources:
    """All that a sheet is compiled from, read once: the key of the cache and the program are of the same bytes."""

    sheet: Path
    content: bytes
    lists: CodeLists

    @classmethod
    def of(cls, sheet: Path) -> _Sources:
        """Raises `UncompilablePack` where a file cannot be read."""
        try:
            return cls(sheet, sheet.read_bytes(), CodeLists.beside(sheet))
        except OSError as error:
            raise UncompilablePack(f"{sheet.name}: {error}") from error

    @property
    def key(self) -> str:
        """A digest of it, and of what compiles it."""
        whole = hashlib.sha256(_compiler_digest())
        for name, content in ((self.sheet.name, self.content), *self.lists.contents.items()):
            whole.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
        return whole.hexdigest()

    def compiled(self) -> Compiled:
        """Raises `UncompilablePack`."""
        program = compiled(read_stylesheet(self.sheet, self.content), self.lists)
        return Compiled(program, compile(program.source, f"<{self.sheet.name}>", "exec", dont_inherit=True))


def compile_sheet(sheet: Path) -> Compiled:
    """Compile one sheet. Raises `UncompilablePack`."""
    return _Sources.of(sheet).compiled()


class RulebookCache:
    """A folder of compiled sheets. Without a folder that is safe to use, every sheet is compiled each time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, sheet: Path) -> Compiled:
        """The compiled sheet: as kept, or compiled and kept. Raises `UncompilablePack`."""
        if not self._safe():
            return compile_sheet(sheet)
        sources = _Sources.of(sheet)
        file = self._folder / (sources.key + _SUFFIX)
        kept = _read(file)
        if kept is None:
            kept = sources.compiled()
            with suppress(OSError):
                _write(file, kept)
        return kept

    def _safe(self) -> bool:
        """Is the folder ours alone? It is made when it is not there."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self._folder.lstat()
        except OSError:
            return False
        return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def default_folder() -> Path:
    """`GATEWAY_CACHE_DIR`, or where the system keeps caches of a user."""
    if own := os.environ.get("GATEWAY_CACHE_DIR"):
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    if base.startswith("~"):  # a user without a home: expanduser leaves it as it is
        base = tempfile.gettempdir()
    return Path(base) / f"chorus-gateway-{os.geteuid()}" / "rulebooks"


@lru_cache(maxsize=1)
def _compiler_digest() -> bytes:
    """Of our own source and of the Python that runs: the form of code objects differs from one to the next."""
    whole = hashlib.sha256(importlib.util.MAGIC_NUMBER + sys.version.encode())
    for path in _sources():
        whole.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return whole.digest()


def _sources() -> Iterator[Path]:
    here = Path(__file__).parent
    for pattern in ("*.py", "compiler/*.py", "runtime/*.py"):
        yield from sorted(here.glob(pattern))


def _read(file: Path) -> Compiled | None:
    """What is in a file of the cache; None for anything but what was written there."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as stream:
        found = os.fstat(stream.fileno())
        ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
        if not ours or found.st_size > _LARGEST:
            return None
        content = stream.read(_LARGEST)
    payload = content[_DIGEST:]
    if hashlib.sha256(payload).digest() != content[:_DIGEST]:
        return None
    try:
        return _from_tuple(marshal.loads(payload))  # noqa: S302 -- our own file, in a folder that is ours alone
    except (EOFError, ValueError, TypeError):
        return None


def _write(file: Path, kept: Compiled) -> None:
    """Write beside, then put in place: a reader sees the old file or the new one."""
    payload = marshal.dumps((kept.code, *astuple(kept.program)[1:]))
    handle, name = tempfile.mkstemp(dir=file.parent, suffix=".part")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(hashlib.sha256(payload).digest() + payload)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(file)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    _trim(file.parent)


def _trim(folder: Path) -> None:
    """What older versions of sheets and of ourselves left behind goes in the end."""
    for old in sorted(folder.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime, reverse=True)[_FILES:]:
        old.unlink(missing_ok=True)


def _from_tuple(whole: tuple[Any, ...]) -> Compiled:
    """The source is not kept: the code is what runs."""
    code, rules, asserts, kept, variables, looked_for, empties = whole
    made = tuple(
        Rule(mode, priority, tuple(Alternative(*a) for a in alternatives), *rest)
        for mode, priority, alternatives, *rest in rules
    )
    asked = tuple(Asked(*each) for each in asserts)
    without = tuple(EmptyWithout(*each) for each in empties)
    return Compiled(Program("", made, asked, kept, variables, looked_for, without), code)
