"""Rules for people to read: `gateway rules list`, `gateway rules show ID`, and docs/rules.md.

Our own rules are listed and have their page: all of it comes from the rules themselves,
`python -m gateway.rules.handbook > docs/rules.md` writes it, and a test holds it to the code. The some 6,000 rules of
the official sheets are shown one by one, read from the sheets when they are asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.domain.finding import Severity
from gateway.domain.issuer import Route
from gateway.rules import chorus, issuer
from gateway.rules.rule import EVERY_ROUTE, Need, Rule
from gateway.rules.rulebook.catalogue import SheetRule, rules_of_pack
from gateway.rules.rulebook.texts.wording import shown, wording_of
from gateway.rules.spec import PackSpec, packs_file, read_specs

ALL_RULES: Final[tuple[Rule, ...]] = (*chorus.RULES, *issuer.RULES)

_HEAD: Final = """\
# The gateway's own rules

Written by `python -m gateway.rules.handbook`; do not edit. These rules are what the gateway demands beyond the
official packs (XML Schema, Factur-X, EN 16931, BR-FR). `fatal` refuses the invoice, `hold` keeps it and asks,
`warning` sends it and tells. In the texts, `{where}` is the term at fault.
"""
#: A rule of the sheets stands in up to seven packs, one without an id in a hundred places; tests can be pages long.
_SHOWN: Final = 8
_LONG: Final = 600
_NEEDS: Final = {
    Need.NOTHING: "",
    Need.DIRECTORY: "the directory",
    Need.BUYER: "the buyer's entry in the directory",
    Need.ISSUERS: "the list of issuers",
    Need.PARTNER: "the list of issuers, and who sends",
}


@dataclass(frozen=True, slots=True)
class OfficialRule:
    """A rule of the official sheets, as each pack has it."""

    id: str
    found: tuple[tuple[PackSpec, SheetRule], ...]


def find(rule_id: str) -> Rule | OfficialRule | None:
    """The rule of this id, in any case: one of ours, else one of the packs that are shipped."""
    wanted = rule_id.upper()
    ours = next((rule for rule in ALL_RULES if rule.id == wanted), None)
    return ours or _official(wanted, read_specs(packs_file()))


def _official(wanted: str, specs: Iterable[PackSpec]) -> OfficialRule | None:
    found = tuple(
        (spec, rule)
        for spec in specs
        if spec.digest() == spec.sha256
        for rule in rules_of_pack(spec)
        if wanted in (rule.rule.upper(), rule.sheet_rule.upper())
    )
    return OfficialRule(found[0][1].rule, found) if found else None


def facts_of(rule: Rule | OfficialRule) -> Sequence[tuple[str, str]]:
    """What there is to say of a rule, in order; empty answers left out."""
    told = tuple(_facts_of_official(rule)) if isinstance(rule, OfficialRule) else _facts_of_ours(rule)
    return tuple((name, text) for name, text in told if text)


def _facts_of_official(rule: OfficialRule) -> Iterator[tuple[str, str]]:
    for spec, each in rule.found[:_SHOWN]:
        wording = wording_of(each.rule, each.message)
        french, english = (shown(each.message), wording.other)[:: 1 if wording.official_is_french else -1]
        number = f" ({each.sheet_rule})" if each.sheet_rule not in ("", each.rule) else ""
        yield "pack", f"{spec.name} {spec.version}{number}"
        yield "flag", each.flag or "none (fatal)"
        yield "terms", wording.term
        yield "context", each.context
        yield (
            ("fires when" if each.report else "asks"),
            each.test if len(each.test) < _LONG else f"{each.test[:_LONG]}…",
        )
        yield "says (fr)", french
        yield "says (en)", english
        yield "remedy (fr)", f"{wording.remedy.fr}."
        yield "remedy (en)", f"{wording.remedy.en}."
    yield "more", f"{len(rule.found) - _SHOWN} more places" if len(rule.found) > _SHOWN else ""


def _facts_of_ours(rule: Rule) -> Sequence[tuple[str, str]]:
    return (
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
