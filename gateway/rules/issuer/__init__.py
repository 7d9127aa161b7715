"""Pack `issuer`: may this partner send in this seller's name?"""

from __future__ import annotations

from typing import Final

from gateway.domain.finding import Layer
from gateway.rules.issuer import allowed
from gateway.rules.own import RulePack, source_digest
from gateway.rules.rule import Rule, rules_in

VERSION: Final = "2026.11"
RULES: Final[tuple[Rule, ...]] = rules_in((allowed,))


def pack() -> RulePack:
    """The pack, with the digest of its source."""
    return RulePack("issuer", Layer.ISSUER, VERSION, source_digest(__file__, "*.py"), RULES)
