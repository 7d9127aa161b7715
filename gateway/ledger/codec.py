"""Findings, terms, verdicts and acks as JSON text, and back. Decimals travel as text, times as ISO 8601."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from gateway.domain.ack import Ack, AckRow, Action, Event, FindingRow, Level, Source
from gateway.domain.finding import Finding, Layer, Severity, Text
from gateway.domain.terms import KeyTerms
from gateway.domain.verdict import Missing, PackVerdict, Verdict


def dump(value: object) -> str:
    """Compact JSON; raises TypeError for what has no agreed form."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:  # half of a surrogate pair, which no database stores as it is
            return json.dumps(value, separators=(",", ":"), default=_plain)
    return text


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"no JSON form for {type(value).__name__}")


def dump_findings(findings: tuple[Finding, ...]) -> str:
    """The findings as a JSON array of arrays, in the order of the fields (there may be thousands a night)."""
    return dump(
        [[f.layer, f.rule, f.severity, f.message, f.remedy, f.pack, f.term, f.location, f.line] for f in findings]
    )


def load_findings(text: str) -> tuple[Finding, ...]:
    """The inverse of `dump_findings`."""
    return tuple(
        Finding(
            Layer(layer),
            rule,
            Severity(severity),
            Text(*message),
            Text(*remedy),
            pack=pack,
            term=term,
            location=location,
            line=line,
        )
        for layer, rule, severity, message, remedy, pack, term, location, line in json.loads(text)
    )


def dump_terms(terms: KeyTerms) -> str:
    """The terms that are present, by name."""
    present = {f.name: getattr(terms, f.name) for f in fields(terms)}
    # Not `in ("", None, False)`: a total of 0.00 equals False, and is a total.
    return dump({name: v for name, v in present.items() if v is not None and v is not False and v != ""})


def load_terms(text: str) -> KeyTerms:
    """The inverse of `dump_terms`."""
    raw: dict[str, Any] = json.loads(text)
    if "issued" in raw:
        raw["issued"] = date.fromisoformat(raw["issued"])
    for money in ("net", "vat", "gross"):
        if money in raw:
            raw[money] = Decimal(raw[money])
    return KeyTerms(**raw)


def dump_packs(packs: tuple[PackVerdict, ...]) -> str:
    """The pack verdicts, by name of the field."""
    return dump([asdict(pack) for pack in packs])


def load_packs(text: str) -> tuple[PackVerdict, ...]:
    """The inverse of `dump_packs`."""
    return tuple(
        PackVerdict(**{**p, "verdict": Verdict(p["verdict"]), "missing": Missing(p["missing"])})
        for p in json.loads(text)
    )


_ENUMS: Mapping[str, type[StrEnum]] = {"level": Level, "source": Source, "event": Event, "action": Action}


def dump_ack(ack: Ack) -> str:
    """An ack: its row without empty cells, and its findings."""
    row = {f.name: v for f in fields(ack.row) if (v := getattr(ack.row, f.name)) not in ("", None)}
    return dump({"row": row, "findings": [asdict(finding) for finding in ack.findings]})


def load_ack(text: str) -> Ack:
    """The inverse of `dump_ack`."""
    raw = json.loads(text)
    row: dict[str, Any] = raw["row"]
    for name, enum in _ENUMS.items():
        if name in row:
            row[name] = enum(row[name])
    for name in ("occurred_at", "recorded_at"):
        row[name] = datetime.fromisoformat(row[name])
    if "document_date" in row:
        row["document_date"] = date.fromisoformat(row["document_date"])
    for money in ("net", "vat", "gross"):
        if money in row:
            row[money] = Decimal(row[money])
    return Ack(AckRow(**row), tuple(FindingRow(**finding) for finding in raw["findings"]))


def load_index_row(text: str) -> Mapping[str, str]:
    """A row of an index file, column by name."""
    raw: dict[str, str] = json.loads(text)
    return raw
