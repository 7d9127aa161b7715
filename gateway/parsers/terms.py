"""Values of terms out of the elements that a binding found, with their lines and what could not be read.

One `TermReader` serves one document. It keeps the line of the first occurrence of each term, and a warning for
each value that is no date or amount (the schema layer refuses it; this one says which term stays empty and why).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Final, cast

from lxml import etree

from gateway.domain.document import Attachment, Identifier
from gateway.domain.finding import Finding, printable
from gateway.parsers import refusals, values
from gateway.parsers.binding import Found

#: Terms that identify or route an invoice: where a syntax lets them stand twice, the platform may read the other.
_SINGLE: Final = frozenset(
    {"BT-1", "BT-2", "BT-3", "BT-5", "BT-10", "BT-12", "BT-13", "BT-23", "BT-30", "BT-47", "BT-112", "BT-115"}
)
#: Warnings kept of one document: a file of nothing but faults must not make a report of megabytes.
_MOST_FINDINGS: Final = 50

_A_DATE: Final = ("une date valable", "a valid date")
_AN_AMOUNT: Final = (
    "un nombre décimal (point décimal, sans espace)",
    "a decimal number (decimal point, no blanks)",
)


def text_of(element: etree._Element) -> str:
    """The stripped text of `element`."""
    return (element.text or "").strip()


def line_of(element: etree._Element) -> int | None:
    """The line of `element`'s start tag (the stubs of lxml give `sourceline` no type)."""
    return cast("int | None", element.sourceline)


def identifier_of(element: etree._Element) -> Identifier:
    """The text of `element` under its `schemeID`."""
    return Identifier(text_of(element), (element.get("schemeID") or "").strip())


class TermReader:
    """Reads terms of one document."""

    __slots__ = ("findings", "lines")

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}
        self.findings: list[Finding] = []

    def first(self, found: Found, term: str) -> etree._Element | None:
        """The first element with a text."""
        elements = found.get(term)
        if elements is None:
            return None
        for index, element in enumerate(elements):
            value = (element.text or "").strip()
            if value:
                self._note(term, element)
                if term in _SINGLE and index + 1 < len(elements):
                    self._look_for_others(term, value, elements[index + 1 :])
                return element
        return None

    def text(self, found: Found, term: str) -> str:
        """The first text; "" where there is none."""
        element = self.first(found, term)
        return "" if element is None else text_of(element)

    def texts(self, found: Found, term: str) -> tuple[str, ...]:
        """Every text that is not empty, each once, in document order."""
        read: dict[str, None] = {}
        for element in found.get(term, ()):
            value = text_of(element)
            if value:
                self._note(term, element)
                read[value] = None
        return tuple(read)

    def identifier(self, found: Found, term: str) -> Identifier | None:
        """The first identifier."""
        element = self.first(found, term)
        return None if element is None else identifier_of(element)

    def identifiers(self, found: Found, term: str) -> tuple[Identifier, ...]:
        """Every identifier that is not empty, in document order."""
        read: list[Identifier] = []
        for element in found.get(term, ()):
            identifier = identifier_of(element)
            if identifier.value:
                self._note(term, element)
                read.append(identifier)
        return tuple(read)

    def amount(self, found: Found, term: str) -> Decimal | None:
        """An amount or rate."""
        element = self.first(found, term)
        if element is None:
            return None
        value = values.decimal_of(text_of(element))
        if value is None:
            self._unreadable(term, element, _AN_AMOUNT)
        return value

    def day(self, found: Found, term: str, parse: Callable[[etree._Element], date | None]) -> date | None:
        """A date, written as `parse` reads it."""
        element = self.first(found, term)
        if element is None:
            return None
        value = parse(element)
        if value is None:
            self._unreadable(term, element, _A_DATE)
        return value

    def vat_totals(self, found: Found, currency: str, accounting: str) -> tuple[Decimal | None, Decimal | None]:
        """BT-110 and BT-111: both stand in the same element, told apart by their currency (BT-5, BT-6)."""
        in_currency: list[etree._Element] = []
        in_accounting: list[etree._Element] = []
        for element in found.get("BT-110", ()):
            written = (element.get("currencyID") or "").strip()
            if not in_currency and (not written or not currency or written == currency):
                in_currency.append(element)
            elif written and written == accounting:
                in_accounting.append(element)
        vat = self.amount({"BT-110": in_currency}, "BT-110")
        return vat, self.amount({"BT-111": in_accounting}, "BT-111")

    def attachment(self, parts: Found) -> Attachment:
        """BG-24 out of BT-122 to BT-125; without a file name, the URI or the reference names it (as AIFE does)."""
        reference = self.text(parts, "BT-122")
        description = self.text(parts, "BT-123")
        objects = self.mark(parts, "BT-125")
        if not objects:
            return Attachment(self.text(parts, "BT-124") or reference, reference, description, embedded=False)
        carried = objects[0]
        return Attachment(
            name=(carried.get("filename") or "").strip() or reference,
            reference=reference,
            description=description,
            mime=(carried.get("mimeCode") or "").strip(),
            size=values.decoded_size(carried.text or ""),
        )

    def mark(self, found: Found, term: str) -> list[etree._Element]:
        """The elements of a group (BG), the first one's line kept."""
        elements = found.get(term)
        if elements is None:
            return []
        self._note(term, elements[0])
        return elements

    def _note(self, term: str, element: etree._Element) -> None:
        if term not in self.lines:
            line = line_of(element)
            if line is not None:
                self.lines[term] = line

    def _unreadable(self, term: str, element: etree._Element, expected: tuple[str, str]) -> None:
        expected_fr, expected_en = expected
        self._tell(
            refusals.TERM_UNREADABLE.at(
                term=term,
                line=line_of(element),
                bt=term,
                raw=printable(text_of(element), limit=80),
                expected_fr=expected_fr,
                expected_en=expected_en,
            )
        )

    def _look_for_others(self, term: str, first: str, others: Sequence[etree._Element]) -> None:
        for element in others:
            other = text_of(element)
            if other and other != first:
                line = line_of(element)
                shown = {"first": printable(first, limit=80), "other": printable(other, limit=80)}
                self._tell(refusals.TERM_REPEATED.at(term=term, line=line, bt=term, **shown))
                return

    def _tell(self, finding: Finding) -> None:
        if len(self.findings) < _MOST_FINDINGS:
            self.findings.append(finding)
