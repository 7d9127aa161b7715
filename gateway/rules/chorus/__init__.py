"""Pack `chorus`: what Chorus Pro demands of every invoice, beyond its schema; first of all EJ and SE."""

from __future__ import annotations

from typing import Final

from gateway.domain.finding import Layer
from gateway.rules.chorus import buyer, directory, ej, identity, process, service
from gateway.rules.own import RulePack, source_digest
from gateway.rules.rule import Rule, rules_in

VERSION: Final = "2026.11"
RULES: Final[tuple[Rule, ...]] = rules_in((identity, process, directory, buyer, service, ej))


def pack() -> RulePack:
    """The pack, with the digest of its source."""
    return RulePack("chorus", Layer.CHORUS, VERSION, source_digest(__file__, "*.py"), RULES)
