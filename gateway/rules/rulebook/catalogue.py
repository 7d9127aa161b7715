"""What rules a sheet has, without running it: for people to read, and to compare two versions of a pack."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.rules.rulebook.sheet import Assertion, Stylesheet, Template
from gateway.rules.rulebook.stylesheet import read_stylesheet
from gateway.rules.rulebook.texts.wording import published_id
from gateway.rules.spec import PackSpec

#: Stands for what a document fills in.
FILLED_IN: Final = "…"
_BLANKS: Final = re.compile(r"[ \t\r\n]+")


@dataclass(frozen=True, slots=True)
class SheetRule:
    """One assert or report. `rule` is the id that its findings bear, `sheet_rule` the one in the sheet."""

    rule: str
    sheet_rule: str
    flag: str
    report: bool
    context: str
    test: str
    message: str

    @property
    def quotes(self) -> bool:
        """Does the message quote the document?"""
        return FILLED_IN in self.message


@dataclass(frozen=True, slots=True)
class Change:
    """A rule that is in both versions, otherwise; `what` names the parts that differ."""

    old: SheetRule
    new: SheetRule
    what: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What happened to a pack between two versions."""

    came: tuple[SheetRule, ...]
    went: tuple[SheetRule, ...]
    changed: tuple[Change, ...]


def rules_of(sheet: Path, pack: str) -> tuple[SheetRule, ...]:
    """Every assert and report of a sheet, in its order. Raises `UncompilablePack`."""
    return tuple(_rules(read_stylesheet(sheet), pack))


def rules_of_pack(spec: PackSpec) -> tuple[SheetRule, ...]:
    """Those of all sheets of an entry of packs.toml; none for another engine. Raises `UncompilablePack`."""
    if spec.engine != "rulebook":
        return ()
    return tuple(
        rule for root in dict.fromkeys(spec.roots.values()) for rule in rules_of(spec.folder / root, spec.name)
    )


def difference(old: Sequence[SheetRule], new: Sequence[SheetRule]) -> Difference:
    """Rules are the same when they bear the same id. Of several under one id, those that are alike in everything are
    the same, and the others are paired in their order."""
    before, after = _by_id(old), _by_id(new)
    came: list[SheetRule] = []
    went: list[SheetRule] = []
    changed: list[Change] = []
    for rule in dict.fromkeys((*before, *after)):
        gone, fresh = _unlike(before.get(rule, []), after.get(rule, []))
        pairs = list(zip(gone, fresh, strict=False))
        changed.extend(Change(one, other, _what(one, other)) for one, other in pairs)
        went.extend(gone[len(pairs) :])
        came.extend(fresh[len(pairs) :])
    return Difference(tuple(came), tuple(went), tuple(changed))


def _rules(sheet: Stylesheet, pack: str) -> Iterator[SheetRule]:
    for template in sheet.templates:
        for item in template.items:
            if isinstance(item, Assertion):
                yield _rule(item, template, pack)


def _rule(item: Assertion, template: Template, pack: str) -> SheetRule:
    text = "".join(part if isinstance(part, str) else FILLED_IN for part in item.message)
    message = _plain(text)
    return SheetRule(
        rule=published_id(pack, item.rule, message),
        sheet_rule=item.rule,
        flag=item.flag,
        report=item.report,
        context=_plain(template.match),
        test=_plain(item.test),
        message=message,
    )


def _plain(text: str) -> str:
    return _BLANKS.sub(" ", text).strip(" ")


def _by_id(rules: Iterable[SheetRule]) -> dict[str, list[SheetRule]]:
    found: dict[str, list[SheetRule]] = {}
    for rule in rules:
        found.setdefault(rule.rule, []).append(rule)
    return found


def _unlike(old: list[SheetRule], new: list[SheetRule]) -> tuple[list[SheetRule], list[SheetRule]]:
    """What remains of both when each has given up what the other has too."""
    left, right = list(old), list(new)
    for rule in old:
        if rule in right:
            right.remove(rule)
            left.remove(rule)
    return left, right


def _what(old: SheetRule, new: SheetRule) -> tuple[str, ...]:
    parts = ("test", "flag", "context", "message", "report", "sheet_rule")
    return tuple(part for part in parts if getattr(old, part) != getattr(new, part))
