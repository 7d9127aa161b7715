"""The groups of EN 16931 that both syntaxes bind term by term: BG-3, BG-22, BG-23, BG-24. The syntax gives where each
term stands (its `Binding`); what the group means is said once, here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Final

from lxml import etree

from gateway.domain.document import Attachment, Preceding, Totals, VatLine
from gateway.parsers.binding import Binding, Found
from gateway.parsers.terms import TermReader, text_of

#: The element of an attachment also carries an object identifier (130: BT-18) and a tender or project reference
#: (50: BT-17, or BT-11 of a UBL credit note), which are no attachments. Legacy files give no code.
_NOT_ATTACHMENTS: Final = frozenset({"130", "50"})


def preceding_of(
    read: TermReader, binding: Binding, found: Found, day: Callable[[etree._Element], date | None]
) -> tuple[Preceding, ...]:
    """Every preceding invoice (BG-3)."""
    return tuple(
        Preceding(read.text(parts, "BT-25"), read.day(parts, "BT-26", day))
        for parts in map(binding.read, read.mark(found, "BG-3"))
    )


def totals_of(read: TermReader, found: Found, vat: Decimal | None, vat_accounting: Decimal | None) -> Totals:
    """The document totals (BG-22); BT-110 and BT-111 share an element, so they are read apart."""
    return Totals(
        lines=read.amount(found, "BT-106"),
        allowances=read.amount(found, "BT-107"),
        charges=read.amount(found, "BT-108"),
        net=read.amount(found, "BT-109"),
        vat=vat,
        vat_accounting=vat_accounting,
        gross=read.amount(found, "BT-112"),
        paid=read.amount(found, "BT-113"),
        rounding=read.amount(found, "BT-114"),
        due=read.amount(found, "BT-115"),
    )


def vat_lines_of(read: TermReader, binding: Binding, found: Found) -> tuple[VatLine, ...]:
    """The VAT breakdown (BG-23)."""
    return tuple(_vat_line(read, parts) for parts in map(binding.read, read.mark(found, "BG-23")))


def attachments_of(read: TermReader, binding: Binding, found: Found) -> tuple[Attachment, ...]:
    """The supporting documents (BG-24)."""
    attached: list[Attachment] = []
    for element in found.get("BG-24", ()):
        parts = binding.read(element)
        if any(text_of(code) in _NOT_ATTACHMENTS for code in parts.get("type", ())):
            continue
        read.mark({"BG-24": [element]}, "BG-24")
        attached.append(read.attachment(parts))
    return tuple(attached)


def _vat_line(read: TermReader, parts: Found) -> VatLine:
    return VatLine(
        base=read.amount(parts, "BT-116"),
        tax=read.amount(parts, "BT-117"),
        category=read.text(parts, "BT-118"),
        rate=read.amount(parts, "BT-119"),
        exemption=read.text(parts, "BT-120") or read.text(parts, "BT-121"),
    )
