"""What a pack says of a document, and what we decide from it. A pack that could not run is never `valid`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.finding import Finding


class Verdict(StrEnum):
    """Of one pack on one document."""

    VALID = "valid"
    INVALID = "invalid"
    NOT_JUDGED = "not_judged"


class Decision(StrEnum):
    """Of the route on one document."""

    SEND = "send"
    HOLD = "hold"
    REFUSE = "refuse"


class Missing(StrEnum):
    """Why a pack did not judge."""

    NOTHING = ""
    FACTS = "facts"  #: what it asks about is not known here (no directory snapshot); no engine failure
    ENGINE = "engine"  #: it failed on this document
    CEILING = "ceiling"  #: it met a time or memory ceiling
    UNAVAILABLE = "unavailable"  #: it is not installed, or its hash does not match


@dataclass(frozen=True, slots=True)
class PackVerdict:
    """The verdict of one pack, with what was run, so that it can be proved later."""

    name: str
    version: str
    sha256: str
    verdict: Verdict
    ms: float = 0.0
    missing: Missing = Missing.NOTHING
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """All verdicts and findings on one document, in the order in which the packs ran."""

    packs: tuple[PackVerdict, ...] = ()
    findings: tuple[Finding, ...] = ()
