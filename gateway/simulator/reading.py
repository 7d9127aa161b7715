"""What a deposited file holds: its documents, and the technical faults that make the whole flow irrecevable."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any, Final

from lxml import etree

from gateway.simulator.invoice import Invoice, read_invoice
from gateway.simulator.schemas import CII_ROOT, UBL_CREDITNOTE_ROOT, UBL_INVOICE_ROOT, Schemas, fault, line_of
from gateway.simulator.unpack import Member, Unreadable, members, xml_of_pdf

UBL_ROOTS: Final = frozenset({UBL_INVOICE_ROOT, UBL_CREDITNOTE_ROOT})


@dataclass(frozen=True, slots=True)
class Syntax:
    """One syntaxeFlux: its interface, and what a flow of it must hold."""

    interface: str
    roots: frozenset[str]
    in_pdf: bool = False
    mixed: bool = False  #: each document carries an attachment


#: Those of chorus-pro.md 1.4 that this simulator can read; recuperer/formatflux lists them.
SYNTAXES: Final = {
    "IN_DP_E1_UBL_INVOICE": Syntax("FSO1100A", UBL_ROOTS),
    "IN_DP_E1_CII_16B": Syntax("FSO1106A", frozenset({CII_ROOT})),
    "IN_DP_E2_UBL_INVOICE_MIN": Syntax("FSO1110A", UBL_ROOTS, mixed=True),
    "IN_DP_E2_CII_MIN_16B": Syntax("FSO1116A", frozenset({CII_ROOT}), mixed=True),
    "IN_DP_E2_CII_FACTURX": Syntax("FSO1117A", frozenset({CII_ROOT}), in_pdf=True),
}


@dataclass(frozen=True, slots=True)
class Deposited:
    """One member: what it is, its hash, and the invoice in it as far as it could be read."""

    member: str
    sha256: str
    size: int
    invoice: Invoice | None

    def identity(self) -> dict[str, Any]:
        """What the receipt says of it."""
        terms = self.invoice
        return {
            "member": self.member,
            "sha256": self.sha256,
            "issuer": terms.seller.identifier if terms else "",
            "number": terms.number if terms else "",
            "year": terms.issued[:4] if terms else "",
        }

    def kept(self) -> dict[str, Any]:
        return {
            "member": self.member,
            "sha256": self.sha256,
            "size": self.size,
            "invoice": asdict(self.invoice) if self.invoice else None,
        }


@dataclass(frozen=True, slots=True)
class Flow:
    """A deposited file, read. With any technical fault, nothing of it is integrated."""

    documents: tuple[Deposited, ...]
    technical: tuple[str, ...]


def read_flow(name: str, content: bytes, syntax: Syntax, schemas: Schemas) -> Flow:
    """Unpack, parse and validate a deposit. Raises `TooLarge`; every other fault is in the result."""
    try:
        found = members(name, content)
    except Unreadable as error:
        return Flow((), (_told(str(error)),))
    documents: list[Deposited] = []
    technical: list[str] = []
    for member in found:
        invoice, faults = _read(member, syntax, schemas)
        sha256 = hashlib.sha256(member.content).hexdigest()
        documents.append(Deposited(member.name[:255], sha256, len(member.content), invoice))
        technical += faults
    return Flow(tuple(documents), tuple(technical))


def _read(member: Member, syntax: Syntax, schemas: Schemas) -> tuple[Invoice | None, list[str]]:
    """The invoice is told even where faults are: a receipt names what it can."""
    is_pdf = member.content[:1024].lstrip().startswith(b"%PDF")
    try:
        root = _parse(xml_of_pdf(member.content) if is_pdf else member.content)
    except Unreadable as error:
        return None, [_told(str(error))]
    faults = schemas.faults(root)
    if is_pdf != syntax.in_pdf:
        faults.append(_told("IRRECEVABILITE: le fichier ne correspond pas à la syntaxe du flux"))
    if root.tag not in syntax.roots and not faults:
        tag = etree.QName(root).localname
        faults.append(fault(f"cvc-elt.1: Cannot find the declaration of element '{tag}'.", line_of(root), 1))
    return read_invoice(root), faults


def _parse(content: bytes) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line, column = getattr(error, "position", (1, 1))
        raise Unreadable(fault("Le fichier n'est pas un XML bien formé.", line or 1, column or 1)) from error
    docinfo: Any = root.getroottree().docinfo
    if docinfo.doctype:
        raise Unreadable(fault("DOCTYPE is disallowed.", 1, 1))
    return root


def _told(text: str) -> str:
    return text if " - ligne: " in text else f"{text} - ligne: 1 - position: 1"
