"""Our own rules for people to read: `gateway rules list`, `gateway rules show ID`, and docs/rules.md.

All of it comes from the rules themselves; `python -m gateway.rules.handbook > docs/rules.md` writes the page, and a
test holds it to the code.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from gateway.domain.finding import Severity
from gateway.domain.issuer import Route
from gateway.rules import chorus, issuer
from gateway.rules.rule import EVERY_ROUTE, Need, Rule

ALL_RULES: Final[tuple[Rule, ...]] = (*chorus.RULES, *issuer.RULES)

_HEAD: Final = """\
# The gateway's own rules

Written by `python -m gateway.rules.handbook`; do not edit. These rules are what the gateway demands beyond the
official packs (XML Schema, Factur-X, EN 16931, BR-FR). `fatal` refuses the invoice, `hold` keeps it and asks,
`warning` sends it and tells. In the texts, `{where}` is the term at fault.
"""
_NEEDS: Final = {
    Need.NOTHING: "",
    Need.DIRECTORY: "the directory",
    Need.BUYER: "the buyer's entry in the directory",
    Need.ISSUERS: "the list of issuers",
    Need.PARTNER: "the list of issuers, and who sends",
}


def find(rule_id: str) -> Rule | None:
    """The rule of this id, in any case."""
    return next((rule for rule in ALL_RULES if rule.id == rule_id.upper()), None)


def facts_of(rule: Rule) -> Sequence[tuple[str, str]]:
    """What there is to say of a rule, in order; empty answers left out."""
    told = (
        ("asks", rule.asks),
        ("terms", ", ".join(rule.terms)),
        ("severity", rule.severity.value + _but(rule)),
        ("foresees", rule.foresees.value if rule.foresees else ""),
        ("routes", "" if rule.routes == EVERY_ROUTE else ", ".join(r.value for r in Route if r in rule.routes)),
        ("needs", _NEEDS[rule.needs]),
        ("source", rule.source),
        ("says (fr)", rule.message.fr),
        ("says (en)", rule.message.en),
        ("remedy (fr)", rule.remedy.fr),
        ("remedy (en)", rule.remedy.en),
    )
    return tuple((name, text) for name, text in told if text)


def markdown(rules: Sequence[Rule] = ALL_RULES) -> str:
    """The whole page."""
    parts = [_HEAD, _index(rules)]
    for rule in rules:
        facts = "\n".join(f"- **{name}**: {text}" for name, text in facts_of(rule))
        parts.append(f"## {rule.id}\n\n{facts}\n")
    return "\n".join(parts)


def _index(rules: Sequence[Rule]) -> str:
    rows = [f"| {rule.id} | {rule.layer.value} | {rule.severity.value} | {rule.asks} |" for rule in rules]
    return "\n".join(("| rule | layer | severity | asks |", "|---|---|---|---|", *rows, ""))


def _but(rule: Rule) -> str:
    exceptions: list[tuple[str, Severity | None]] = [
        ("with a directory older than a day", rule.when_aged),
        ("in the sandbox", rule.in_sandbox),
    ]
    told = [f"{severity.value} {when}" for when, severity in exceptions if severity is not None]
    return f" ({'; '.join(told)})" if told else ""


if __name__ == "__main__":
    sys.stdout.write(markdown())
