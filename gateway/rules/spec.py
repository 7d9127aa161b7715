"""The entries of `schemas/packs.toml`: what a pack is, where its files lie, and the digest that they must have.

An entry that is not understood is a fault of the installation and stops the start (`BadPackFile`); files that are
absent or altered are not: that pack alone does not load.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Any, Final

import gateway
from gateway.domain.document import Document, Kind, Profile
from gateway.domain.finding import Layer, Severity
from gateway.domain.issuer import Route

_KEYS: Final = frozenset(
    {"name", "layer", "engine", "version", "source", "licence", "package", "folder", "files", "roots", "covers"}
    | {"sha256", "valid_from", "valid_to", "gravest"}
)
_COVERS: Final = frozenset({"kinds", "guideline", "other_than", "profile", "routes"})
_GRAVEST: Final = frozenset({"severity", "rules", "until"})


class BadPackFile(Exception):
    """packs.toml cannot be used; the message names the entry and what is wrong."""


@dataclass(frozen=True, slots=True)
class Covers:
    """Documents that a pack is for: of these kinds, by their guideline (BT-24), profile and route."""

    kinds: frozenset[Kind]
    guideline: re.Pattern[str] | None = None
    other_than: re.Pattern[str] | None = None  #: a guideline that has a pack of its own
    profile: Profile | None = None
    routes: frozenset[Route] = frozenset(Route)

    def matches(self, document: Document, route: Route) -> bool:
        """Is the document one of these?"""
        return (
            document.kind in self.kinds
            and route in self.routes
            and (self.guideline is None or self.guideline.fullmatch(document.guideline) is not None)
            and (self.other_than is None or self.other_than.fullmatch(document.guideline) is None)
            and (self.profile is None or document.profile is self.profile)
        )

    def meets(self, other: Covers) -> bool:
        """Are there documents for both, for certain? Of two guidelines that are not written alike nothing is known."""
        return (
            not self.kinds.isdisjoint(other.kinds)
            and not self.routes.isdisjoint(other.routes)
            and (self.profile is None or other.profile is None or self.profile is other.profile)
            and self._guidelines_meet(other)
        )

    def _guidelines_meet(self, other: Covers) -> bool:
        if self.guideline is None and other.guideline is None:
            return True  # what both exclude is never all
        wanted = {each for each in (self.guideline, other.guideline) if each is not None}
        excluded = {each for each in (self.other_than, other.other_than) if each is not None}
        return len(wanted) == 1 and not excluded


@dataclass(frozen=True, slots=True)
class Gravest:
    """The gravest that findings of a pack can be: of some rules, or of all; on some days, or always."""

    severity: Severity
    rules: re.Pattern[str] | None = None
    until: date | None = None  #: last day included

    def on(self, day: date) -> bool:
        """Does it hold on `day`?"""
        return self.until is None or day <= self.until

    def covers(self, rule: str) -> bool:
        """Does it hold for this rule?"""
        return self.rules is None or self.rules.fullmatch(rule) is not None


@dataclass(frozen=True, slots=True)
class PackSpec:
    """One version of one pack, as pinned. `folder` is absolute; `roots` names the file to start from by kind.

    Two are the same only when all of the entry is: of one set of files, another entry may make another pack.
    """

    name: str
    layer: Layer
    engine: str
    version: str
    sha256: str
    source: str
    licence: str
    folder: Path
    patterns: tuple[str, ...]
    roots: Mapping[Kind, str] = field(hash=False)  # compared, but a mapping has no hash
    covers: tuple[Covers, ...]
    valid_from: date | None = None
    valid_to: date | None = None  #: last day included
    gravest: tuple[Gravest, ...] = ()
    file: Path = field(default=Path(), compare=False)  #: the packs.toml that it stands in, for messages

    def concerns(self, document: Document, route: Route) -> bool:
        """Is the document one that this pack is for, when it goes by `route`?"""
        return any(each.matches(document, route) for each in self.covers)

    def rivals(self, other: PackSpec) -> bool:
        """Would both judge the same documents from the same day on, so that one of them never does?"""
        return (self.name, self.valid_from) == (other.name, other.valid_from) and any(
            one.meets(another) for one in self.covers for another in other.covers
        )

    def valid_on(self, day: date) -> bool:
        """May this version judge what is deposited on `day`?"""
        starts = self.valid_from is None or self.valid_from <= day
        return starts and (self.valid_to is None or day <= self.valid_to)

    def digest(self) -> str:
        """The digest of the files as they are now; "" when there are none."""
        return digest_of(self.folder, self.patterns)


def pinned_files(folder: Path, patterns: tuple[str, ...]) -> frozenset[Path]:
    """The files that a digest is taken over."""
    return frozenset(path for pattern in patterns for path in folder.glob(pattern) if path.is_file())


def digest_of(folder: Path, patterns: tuple[str, ...]) -> str:
    """SHA-256 over the sorted relative names and contents, so that no file can be added, renamed or edited."""
    found = pinned_files(folder, patterns)
    if not found:
        return ""
    whole = hashlib.sha256()
    for path in sorted(found, key=lambda path: path.relative_to(folder).as_posix()):
        name = path.relative_to(folder).as_posix().encode()
        whole.update(name + b"\0" + hashlib.sha256(path.read_bytes()).hexdigest().encode() + b"\n")
    return whole.hexdigest()


def packs_file() -> Path:
    """`packs.toml`: inside the package in a wheel, in `schemas/` beside it in a working copy."""
    package = Path(gateway.__file__).parent
    inside = package / "schemas" / "packs.toml"
    return inside if inside.exists() else package.parent / "schemas" / "packs.toml"


def read_specs(path: Path) -> tuple[PackSpec, ...]:
    """Every entry of one packs.toml, in its order."""
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))["pack"]
    except (OSError, KeyError, ValueError) as error:
        raise BadPackFile(f"{path}: {error}") from error
    return tuple(_spec(entry, path) for entry in entries)


def _spec(entry: dict[str, Any], path: Path) -> PackSpec:
    try:
        _only(entry, _KEYS)
        spec = PackSpec(
            name=entry["name"],
            layer=Layer(entry["layer"]),
            engine=entry["engine"],
            version=entry["version"],
            sha256=entry["sha256"],
            source=entry["source"],
            licence=entry["licence"],
            folder=_folder(entry, path),
            patterns=tuple(entry["files"]),
            roots={Kind(kind): root for kind, root in entry["roots"].items()},
            covers=tuple(_covers(each) for each in entry["covers"]),
            valid_from=_day(entry.get("valid_from")),
            valid_to=_day(entry.get("valid_to")),
            gravest=tuple(_gravest(each) for each in entry.get("gravest", ())),
            file=path,
        )
    except (KeyError, ValueError, TypeError, ModuleNotFoundError) as error:
        name = entry.get("name", "?") if isinstance(entry, dict) else "?"
        raise BadPackFile(f"{path}: pack {name}: {type(error).__name__}: {error}") from error
    if fault := _fault(spec):
        raise BadPackFile(f"{path}: pack {spec.name}, version {spec.version}: {fault}")
    return spec


def _fault(spec: PackSpec) -> str:
    """Why an entry that can be read must not judge; "" when it may."""
    sheetless = sorted(frozenset[Kind]().union(*(covers.kinds for covers in spec.covers)) - spec.roots.keys())
    if sheetless:
        return f"covers names the kind {', '.join(sheetless)}; expected a file to start from in roots for every kind"
    for root in sorted(set(spec.roots.values())):
        if not _may_match(root, spec.patterns):
            patterns = ", ".join(spec.patterns)
            return f"roots starts from {root}; expected a file in the folder that files matches ({patterns})"
    return ""


def _may_match(root: str, patterns: tuple[str, ...]) -> bool:
    """Is `root` a file within the folder, and would a pattern find it? The files themselves need not be there."""
    parts = PurePosixPath(root).parts
    inside = bool(parts) and ".." not in parts and not PurePosixPath(root).is_absolute()
    return inside and any(_matches(parts, PurePosixPath(pattern).parts) for pattern in patterns)


def _matches(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_matches(parts[skipped:], pattern[1:]) for skipped in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _folder(entry: dict[str, Any], path: Path) -> Path:
    """`package` + `folder`: inside an installed Python package; `folder` alone: beside the packs.toml."""
    base = Path(str(files(entry["package"]))) if "package" in entry else path.parent
    return base / str(entry["folder"])


def _covers(entry: dict[str, Any]) -> Covers:
    _only(entry, _COVERS)
    return Covers(
        kinds=frozenset(Kind(kind) for kind in entry["kinds"]),
        guideline=_pattern(entry.get("guideline")),
        other_than=_pattern(entry.get("other_than")),
        profile=Profile(entry["profile"]) if "profile" in entry else None,
        routes=frozenset(Route(route) for route in entry["routes"]) if "routes" in entry else frozenset(Route),
    )


def _gravest(entry: dict[str, Any]) -> Gravest:
    _only(entry, _GRAVEST)
    return Gravest(Severity(entry["severity"]), _pattern(entry.get("rules")), _day(entry.get("until")))


def _only(entry: dict[str, Any], known: frozenset[str]) -> None:
    """A misspelt key would widen or soften a pack without a word."""
    unknown = sorted(entry.keys() - known)
    if unknown:
        raise ValueError(f"unknown key {', '.join(unknown)}")


def _day(written: object) -> date | None:
    if written is None or type(written) is date:
        return written
    raise ValueError(f"{written!r} is no day (2026-09-30, without quotes)")


def _pattern(written: str | None) -> re.Pattern[str] | None:
    return None if written is None else re.compile(written)
