"""What a route makes of findings: the natural severity, lowered for layers that the platform itself ignores.

Measured (domain facts 2.3, M1): all of AIFE's own samples fail every Factur-X profile schema and every modern
Schematron, so on the Chorus routes `facturx`, `en16931` and `br-fr` can be no more than warnings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from gateway.domain.finding import Finding, Layer, Severity
from gateway.domain.issuer import Route
from gateway.domain.verdict import Decision

_LOWERED: Final = frozenset({Layer.FACTURX, Layer.EN16931, Layer.BR_FR})

#: The gravest that a finding of a layer can be on a route.
CEILINGS: Final[Mapping[Route, Mapping[Layer, Severity]]] = {
    Route.CHORUS_API: dict.fromkeys(_LOWERED, Severity.WARNING),
    Route.CHORUS_EDI: dict.fromkeys(_LOWERED, Severity.WARNING),
    Route.PA: {},
}


def on_route(findings: Iterable[Finding], route: Route) -> tuple[Finding, ...]:
    """The findings with the severity that counts on `route`."""
    ceilings = CEILINGS[route]
    return tuple(_lowered(finding, ceilings.get(finding.layer)) for finding in findings)


def decide(findings: Iterable[Finding]) -> Decision:
    """The decision that the gravest finding asks for."""
    gravest = min((finding.severity.rank for finding in findings), default=Severity.INFO.rank)
    if gravest == Severity.FATAL.rank:
        return Decision.REFUSE
    return Decision.HOLD if gravest == Severity.HOLD.rank else Decision.SEND


def _lowered(finding: Finding, ceiling: Severity | None) -> Finding:
    if ceiling is None or finding.severity.rank >= ceiling.rank:
        return finding
    return replace(finding, severity=ceiling)
