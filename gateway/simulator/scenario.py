"""What becomes of an invoice once it is integrated: the first rule that matches gives its statuses.

A rule matches by glob on number, buyer and issuer; its path is a name (`paid`, `rejected:Montant erroné`) or a list
of statuses, each with an optional comment and delay. Status names are not checked: a test may invent one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

ARRIVED: Final = ("DEPOSEE", "EN_COURS_ACHEMINEMENT", "MISE_A_DISPOSITION")

#: Name of a path → its statuses and the comment of the last one where none is given (texts: chorus-pro.md 3.4).
PATHS: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "deposited": (("DEPOSEE",), ""),
    "silent": (ARRIVED, ""),
    "paid": ((*ARRIVED, "MANDATEE", "COMPTABILISEE", "MISE_EN_PAIEMENT"), ""),
    "service-done": ((*ARRIVED, "SERVICE_FAIT", "MANDATEE", "COMPTABILISEE", "MISE_EN_PAIEMENT"), ""),
    "mandated-only": ((*ARRIVED, "MANDATEE"), ""),
    "accounted-only": ((*ARRIVED, "MANDATEE", "COMPTABILISEE"), ""),
    "rejected": ((*ARRIVED, "REJETEE"), "Facture non conforme"),
    "recycle": ((*ARRIVED, "A_RECYCLER"), "SE/EJ incorrect (retransmission possible)"),
    "suspended": ((*ARRIVED, "SUSPENDUE"), "Justificatif absent ou insuffisant"),
    "abandoned": ((*ARRIVED, "ABANDONNEE"), ""),
    "invented": ((*ARRIVED, "INVENTED"), "A status that nobody documented"),
}
DEFAULT_PATH: Final = "paid"


@dataclass(frozen=True, slots=True)
class Passage:
    """One status to come. `after_s` is counted from the one before; the option's delay when None."""

    status: str
    comment: str = ""
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """Invoices that match all three globs take this path."""

    passages: tuple[Passage, ...]
    number: str = "*"
    buyer: str = "*"
    issuer: str = "*"

    def matches(self, number: str, buyer: str, issuer: str) -> bool:
        given = ((number, self.number), (buyer, self.buyer), (issuer, self.issuer))
        return all(fnmatchcase(value, pattern) for value, pattern in given)


@dataclass(frozen=True, slots=True)
class Scenario:
    """An ordered list of rules, and what else a scenario file may carry."""

    rules: tuple[Rule, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: Mapping[str, Any] = field(default_factory=dict)

    def path_of(self, number: str, buyer: str, issuer: str) -> tuple[Passage, ...]:
        for rule in self.rules:
            if rule.matches(number, buyer, issuer):
                return rule.passages
        return path(DEFAULT_PATH)


def path(given: str | Sequence[str | Mapping[str, Any]]) -> tuple[Passage, ...]:
    """`"paid"`, `"rejected:Montant erroné"`, or a list of statuses (strings or {status, comment, after_s})."""
    if isinstance(given, str):
        name, _, comment = given.partition(":")
        if name not in PATHS:
            raise ValueError(f"unknown path {name!r} in simulator scenario; known: {sorted(PATHS)}")
        statuses, usual = PATHS[name]
        last = len(statuses) - 1
        return tuple(Passage(status, (comment or usual) if at == last else "") for at, status in enumerate(statuses))
    if not given:
        raise ValueError("a path in the simulator scenario has no status")
    return tuple(Passage(item) if isinstance(item, str) else Passage(**item) for item in given)


def load_scenario(given: Mapping[str, Any] | Path | None = None) -> Scenario:
    """A scenario from a mapping or a TOML file with `[[rules]]`, `[options]` and `[seed]`."""
    if isinstance(given, Path):
        given = tomllib.loads(given.read_text(encoding="utf-8"))
    given = given or {}
    if unknown := sorted(set(given) - {"rules", "options", "seed"}):
        raise ValueError(f"unknown keys in simulator scenario: {unknown}")
    rules = tuple(_rule(row) for row in given.get("rules", ()))
    return Scenario(rules, given.get("options", {}), given.get("seed", {}))


def _rule(row: Mapping[str, Any]) -> Rule:
    if unknown := sorted(set(row) - {"number", "buyer", "issuer", "path"}):
        raise ValueError(f"unknown keys in a rule of the simulator scenario: {unknown}")
    globs = {key: str(row[key]) for key in ("number", "buyer", "issuer") if key in row}
    return Rule(path(row["path"]), **globs)
