"""Hostile bytes to an XML tree, or one finding that says why not.

No DOCTYPE, no entities, no network, bounded size, depth and number of nodes. libxml2's own limits (text of 10 MB,
depth 256) hold for all files but those larger than 10 MB, where an attachment in base64 may rightly be one long
text: these are parsed with `huge_tree` and bounded by our own limits alone. Comments and processing instructions
are dropped, so that `12<!-- x -->34` is one text, as XPath and the platform read it.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from gateway.domain.finding import Finding
from gateway.parsers import refusals
from gateway.parsers.prolog import Fault, read_prolog
from gateway.parsers.syntax_errors import explain

#: Chorus Pro takes 10 MB a file through the API (domain facts 1.6); other routes and drafts may be larger.
MAX_BYTES: Final = 100 * 1024 * 1024
#: The deepest UBL or CII path is below 20.
MAX_DEPTH: Final = 200
#: Tags and attributes, each some 120 to 250 bytes in the tree. 10,000 lines of the richest sample need 0.7 million.
MAX_NODES: Final = 1_500_000
#: libxml2 refuses longer texts unless `huge_tree` is set; no file below this size can hold one.
_LONG_TEXT_BYTES: Final = 10_000_000

_TOO_DEEP: Final = etree.XPath("boolean(/" + "*/" * MAX_DEPTH + "*)")


class XmlRefused(Exception):
    """The bytes are no XML that we take; `finding` says why and what to do."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message.en)
        self.finding = finding


def parse_xml(content: bytes) -> etree._ElementTree:
    """The tree of `content`. Raises `XmlRefused`."""
    if len(content) > MAX_BYTES:
        raise _over("taille en octets", "size in bytes", MAX_BYTES)
    if not content.strip():
        raise XmlRefused(refusals.EMPTY.at())
    prolog = read_prolog(content)
    if prolog.fault is Fault.DOCTYPE:
        raise XmlRefused(refusals.DOCTYPE.at())
    if prolog.fault is Fault.ENCODING:
        raise XmlRefused(refusals.ENCODING.at(encoding=prolog.encoding))
    if content.count(b"<") + content.count(b"=") > MAX_NODES:
        raise _over("balises et attributs", "tags and attributes", MAX_NODES)
    try:
        tree = etree.fromstring(content, _parser(huge=len(content) >= _LONG_TEXT_BYTES)).getroottree()
    except etree.XMLSyntaxError as error:
        raise _refusal_of(error) from None
    # The look at the prolog came first; this is the second lock on the same door.
    if tree.docinfo.internalDTD is not None or tree.docinfo.externalDTD is not None:
        raise XmlRefused(refusals.DOCTYPE.at())
    if _TOO_DEEP(tree):
        raise _over("profondeur des balises", "depth of tags", MAX_DEPTH)
    return tree


def salvage_xml(content: bytes) -> etree._ElementTree | None:
    """What libxml2 can save of a broken file, so that its refusal can name the invoice; never judged or sent."""
    if len(content) >= _LONG_TEXT_BYTES or read_prolog(content).fault is not None:
        return None
    if content.count(b"<") + content.count(b"=") > MAX_NODES:
        return None
    try:
        root = etree.fromstring(content, _parser(huge=False, recover=True))
    except etree.XMLSyntaxError:
        return None
    # With `recover`, lxml answers None where nothing could be saved, whatever its stubs say.
    saved: etree._Element | None = root
    if saved is None or next(saved.iter(etree.Entity), None) is not None:
        return None  # an entity that nobody defines cuts values in two: half a number would mislead
    tree = saved.getroottree()
    return None if _TOO_DEEP(tree) else tree


def _parser(*, huge: bool, recover: bool = False) -> etree.XMLParser:
    """A new parser each time (0.5 µs): no error log or state is shared between files or threads."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=huge,
        recover=recover,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )


def _refusal_of(error: etree.XMLSyntaxError) -> XmlRefused:
    line, column = error.position
    code: int = getattr(error, "code", 0)  # the stubs of lxml do not know it
    if code in (etree.ErrorTypes.ERR_RESOURCE_LIMIT, etree.ErrorTypes.ERR_NAME_TOO_LONG):
        return _over("profondeur ou longueur d'un élément", "depth or length of an element", MAX_DEPTH)
    fault, remedy = explain(code, error.msg)
    finding = refusals.NOT_WELL_FORMED.at(
        line=line,
        at_line=line,
        column=column,
        fault_fr=fault.fr,
        fault_en=fault.en,
        remedy_fr=remedy.fr,
        remedy_en=remedy.en,
    )
    return XmlRefused(finding)


def _over(what_fr: str, what_en: str, limit: int) -> XmlRefused:
    return XmlRefused(refusals.LIMIT.at(what_fr=what_fr, what_en=what_en, limit=f"{limit:,}".replace(",", " ")))
