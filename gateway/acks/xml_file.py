"""Acknowledgements as XML (`schemas/acknowledgement.xsd`): the core columns as elements in their order, empty ones
left out, findings inside. Written piece by piece, since a night may owe tens of thousands of rows.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Final, cast

from lxml import etree

from gateway.acks.cells import shown
from gateway.domain.ack import ACK_VERSION, CORE_COLUMNS, FINDING_COLUMNS, Ack

NAMESPACE: Final = f"urn:chorus-gateway:acknowledgement:{ACK_VERSION}"
#: No prefix; lxml takes None for it, its stubs do not know.
_PREFIXES: Final = cast("dict[str, str]", {None: NAMESPACE})
_FINDING: Final = FINDING_COLUMNS[1:]


def document(acks: Iterable[Ack]) -> bytes:
    """All rows in one document."""
    out = io.BytesIO()
    with etree.xmlfile(out, encoding="UTF-8") as xml:
        xml.write_declaration()
        with xml.element(_name("acknowledgements"), nsmap=_PREFIXES):
            for ack in acks:
                xml.write("\n", _element(ack))
            xml.write("\n")
    return out.getvalue() + b"\n"


def _element(ack: Ack) -> etree._Element:
    element = etree.Element(_name("acknowledgement"), nsmap=_PREFIXES)
    _fill(element, CORE_COLUMNS, ack.row)
    if ack.findings:
        findings = etree.SubElement(element, _name("findings"))
        for finding in ack.findings:
            _fill(etree.SubElement(findings, _name("finding")), _FINDING, finding)
    return element


def _fill(element: etree._Element, columns: Sequence[str], row: object) -> None:
    for column in columns:
        value = shown(column, getattr(row, column))
        if value:
            etree.SubElement(element, _name(column)).text = value


def _name(local: str) -> str:
    return f"{{{NAMESPACE}}}{local}"
