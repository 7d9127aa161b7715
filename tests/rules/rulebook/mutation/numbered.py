"""A sheet whose report tells which assert has spoken: many have no id, and some share one.

The copy differs from the official sheet in constants alone: what SVRL repeats as `test` is the number of the assert
in the order of the sheet, and each `fired-rule` carries the number of its template.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Final

from lxml import etree

from gateway.rules.reference.engine import ReferenceRulebook
from gateway.rules.reference.process import ReferenceAborted, ReferenceProcess
from gateway.rules.reference.svrl import read_svrl
from gateway.rules.rulebook.outcome import Abort, Outcome
from gateway.rules.rulebook.sheet import Stylesheet

_XSL: Final = "{http://www.w3.org/1999/XSL/Transform}"
_SVRL: Final = "{http://purl.oclc.org/dsdl/svrl}"
_ENTERED: Final = re.compile(r'<svrl:fired-rule\b[^>]*\btemplate="(\d+)"')


def number_sheet(stylesheet: Stylesheet, folder: Path, only: int | None = None) -> Path:
    """Write the numbered copy into `folder`, with the codes beside it.

    With `only`, all other asserts are taken out: no error in one of them can then hide what this one says.
    """
    tree = etree.parse(stylesheet.path, etree.XMLParser(huge_tree=True, resolve_entities=False, no_network=True))
    lines = [template.line for template in stylesheet.templates]
    number = 0
    others: list[etree._Element] = []
    for element in tree.iter(f"{_XSL}template"):
        if element.sourceline not in lines or not element.get("priority", "-1")[0].isdigit():
            continue
        for fired in element.iter(f"{_SVRL}fired-rule", f"{_SVRL}failed-assert", f"{_SVRL}successful-report"):
            if fired.tag == f"{_SVRL}fired-rule":
                fired.set("template", str(lines.index(element.sourceline)))
                continue
            fired.set("test", str(number))
            asked = _asking(fired)
            if only not in (None, number):
                others.append(asked)
            number += 1
    if number != sum(1 for _ in stylesheet.assertions):
        raise AssertionError(f"{stylesheet.path.name}: {number} asserts numbered")
    for asked in others:
        parent = asked.getparent()
        assert parent is not None
        parent.remove(asked)
    copy = folder / (stylesheet.path.name if only is None else f"{only}-{stylesheet.path.name}")
    tree.write(copy, encoding="UTF-8", xml_declaration=True)
    for codes in stylesheet.path.parent.glob("*.xml"):
        shutil.copy(codes, folder)
    return copy


def _asking(fired: etree._Element) -> etree._Element:
    """The `choose` or `if` around an assert."""
    return next(above for above in fired.iterancestors() if above.tag in (f"{_XSL}choose", f"{_XSL}if"))


class NumberedOracle:
    """The reference engine on the numbered copy: `Fired.test` is the number of the assert."""

    def __init__(self, sheet: Path, process: ReferenceProcess) -> None:
        self.sheet = sheet
        self.process = process
        self.entered: Counter[int] = Counter()  #: how often each template was entered, over all documents
        self.aborted = 0

    def __call__(self, xml: bytes) -> Outcome:
        try:
            svrl = self.process.transform(self.sheet, xml)
        except ReferenceAborted as aborted:
            self.aborted += 1
            return Outcome((), (Abort("", "", None, str(aborted)),))
        self.entered.update(int(number) for number in set(_ENTERED.findall(svrl)))
        return read_svrl(svrl)

    def fresh(self, xml: bytes) -> Outcome:
        """The same from a sheet compiled anew: the oracle's evaluation depends on what it has seen."""
        return ReferenceRulebook(self.sheet, self.process).run(xml, fresh=True)
