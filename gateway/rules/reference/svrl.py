"""SVRL, the report that the official sheets write, read into an outcome."""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from gateway.rules.rulebook.outcome import Fired, Outcome

_SVRL: Final = "{http://purl.oclc.org/dsdl/svrl}"
_FAILED: Final = f"{_SVRL}failed-assert"
_SUCCEEDED: Final = f"{_SVRL}successful-report"
#: The four blanks of XML and no others: a no-break space in a value that is quoted stays.
_BLANKS: Final = re.compile(r"[ \t\r\n]+")


def read_svrl(svrl: str) -> Outcome:
    """The asserts that failed and the reports that succeeded, in the order of the report."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    root = etree.fromstring(svrl.encode(), parser)
    return Outcome(tuple(_fired(element) for element in root.iter(_FAILED, _SUCCEEDED)))


def _fired(element: etree._Element) -> Fired:
    text = element.find(f"{_SVRL}text")
    message = "" if text is None else "".join(str(part) for part in text.itertext())
    return Fired(
        rule=element.get("id", ""),
        flag=element.get("flag", ""),
        report=element.tag == _SUCCEEDED,
        location=element.get("location", ""),
        line=None,
        test=element.get("test", ""),
        message=_BLANKS.sub(" ", message).strip(" "),
    )
