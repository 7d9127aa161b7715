"""Acks to write: plain, with findings, and hostile."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from gateway.domain.ack import ACK_VERSION, Ack, AckRow, Action, Event, FindingRow, Level, Source

AT = datetime(2026, 11, 23, 14, 42, 16, tzinfo=UTC)


def make_ack(number: int = 1, *, findings: int = 0, **changes: object) -> Ack:
    values: dict[str, object] = {
        "ack_version": ACK_VERSION,
        "ack_seq": 0,
        "ack_id": f"A{number:06d}",
        "environment": "test",
        "level": Level.DECISION,
        "source": Source.GATEWAY,
        "event": Event.REFUSED,
        "occurred_at": AT,
        "recorded_at": AT,
        "partner": "erp-lyon",
        "partner_reference": f"VBELN-{number}",
        "interchange_id": "I000001",
        "file_name": f"invoice_{number}.xml",
        "sha256": "ab" * 32,
        "document_id": f"D{number}",
        "document_number": f"F-{number}",
        "document_type": "380",
        "document_date": date(2026, 11, 20),
        "issuer_siret": "12345678200010",
        "buyer_siret": "11000201100044",
        "service_code": "SRV-1",
        "ej": "1501966748",
        "currency": "EUR",
        "net": Decimal("1000.00"),
        "vat": Decimal("200.0"),
        "gross": Decimal("-1200.00"),
        "decision": "refuse",
        "retransmittable": True,
        "action": Action.CORRECT_AND_REDROP,
        "remedy": "Corrigez BT-112, puis redéposez : 1\u202f210,00\u00a0€.",
        "findings_fatal": findings,
        "first_rule": "BR-CO-15" if findings else "",
    }
    values.update(changes)
    row = AckRow(**values)  # type: ignore[arg-type]
    return Ack(row, tuple(_finding(row.ack_id, place) for place in range(findings)))


def _finding(ack_id: str, place: int) -> FindingRow:
    return FindingRow(
        ack_id=ack_id,
        layer="en16931",
        pack="en16931-ubl",
        pack_version="1.3.16",
        rule=f"BR-CO-{10 + place}",
        severity="fatal",
        term="BT-112",
        location="/Invoice/cac:LegalMonetaryTotal",
        line=87 + place,
        message="Le total TTC n'est pas le total HT plus la TVA ; voir BT-112.",
        remedy="Corrigez BT-112.",
    )
