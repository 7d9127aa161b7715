"""What the XMP packet of a PDF claims: the Factur-X (or ZUGFeRD, Order-X) extension and the PDF/A part.

It is a claim only: the XML inside decides what the file is. A contradiction between the two is for rules to tell.
The packet is hostile: no DTD, no entities, one megabyte at most; what cannot be read claims nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lxml import etree

_LIMIT_BYTES: Final = 1_000_000

#: Factur-X 1.0, ZUGFeRD 1 and 2, Order-X: each puts the same properties into a namespace of its own.
_EXTENSIONS: Final = ("urn:factur-x:", "urn:ferd:", "urn:zugferd:")
_PDFA: Final = "http://www.aiim.org/pdfa/ns/id/"


@dataclass(frozen=True, slots=True)
class XmpClaim:
    """Empty strings where the packet says nothing."""

    namespace: str = ""
    conformance_level: str = ""  #: MINIMUM … EXTENDED, XRECHNUNG
    document_type: str = ""  #: INVOICE, ORDER, …
    document_file_name: str = ""
    version: str = ""
    pdfa_part: str = ""
    pdfa_conformance: str = ""


NO_CLAIM: Final = XmpClaim()


def read_xmp(packet: bytes) -> XmpClaim:
    """The claim of one packet; an unreadable one claims nothing."""
    start = packet.find(b"<")
    if start < 0 or len(packet) > _LIMIT_BYTES or b"<!DOCTYPE" in packet:
        return NO_CLAIM
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False)
    try:
        root = etree.fromstring(packet[start:].rstrip(b"\0 \r\n\t"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return NO_CLAIM
    return _claim(_properties(root))


def _properties(root: etree._Element) -> dict[tuple[str, str], str]:
    """Every property by (namespace, name), whether written as an attribute or as an element; the first counts."""
    found: dict[tuple[str, str], str] = {}
    for element in root.iter(etree.Element):
        for key, value in element.attrib.items():
            name = etree.QName(str(key))
            found.setdefault((name.namespace or "", name.localname), str(value).strip())
        own = etree.QName(element)
        if len(element) == 0 and element.text:
            found.setdefault((own.namespace or "", own.localname), element.text.strip())
    return found


def _claim(properties: dict[tuple[str, str], str]) -> XmpClaim:
    namespace = next((space for space, _ in properties if space.lower().startswith(_EXTENSIONS)), "")
    return XmpClaim(
        namespace=namespace,
        conformance_level=properties.get((namespace, "ConformanceLevel"), "") if namespace else "",
        document_type=properties.get((namespace, "DocumentType"), "") if namespace else "",
        document_file_name=properties.get((namespace, "DocumentFileName"), "") if namespace else "",
        version=properties.get((namespace, "Version"), "") if namespace else "",
        pdfa_part=properties.get((_PDFA, "part"), ""),
        pdfa_conformance=properties.get((_PDFA, "conformance"), ""),
    )
