"""A finding: one fault or remark about a file or document, with what to mend, in French and English.

`Definition` is what is always the same about a fault (id, layer, severity, the texts); `Definition.at` makes
the finding for one place. A finding carries its *natural* severity; what a route makes of it is in
`domain/severities.py`. Ids are published ones where they exist (IRR_VIDE_F, ERR_XSD_001, BR-CO-15), else ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """What a finding does to its document, the gravest first."""

    FATAL = "fatal"  #: refuse
    HOLD = "hold"  #: keep and ask
    WARNING = "warning"  #: send and tell
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the gravest."""
        return list(Severity).index(self)


class Layer(StrEnum):
    """Where a finding comes from (DESIGN 4.2)."""

    INTAKE = "intake"
    XSD = "xsd"
    FACTURX = "facturx"
    EN16931 = "en16931"
    BR_FR = "br-fr"
    CHORUS = "chorus"
    ISSUER = "issuer"
    BOOK = "book"
    HISTORY = "history"


class Text(NamedTuple):
    """One text for people, in both languages."""

    fr: str
    en: str

    def in_language(self, language: str) -> str:
        """The text in `language` ("fr" or "en"); French for any other."""
        return self.en if language == "en" else self.fr


NO_TEXT = Text("", "")
#: No-break spaces: French puts them into amounts ("1 210,00 €"), and Python counts them as unprintable.
_BLANKS = "\u00a0\u202f"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault or remark. `location` is an XPath or a member name, `line` counts from 1, `term` is a BT or BG."""

    layer: Layer
    rule: str
    severity: Severity
    message: Text
    remedy: Text = NO_TEXT
    pack: str = ""
    term: str = ""
    location: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """What is the same for every finding of one rule. The texts are `str.format` templates of ours.

    >>> empty = Definition("IRR_VIDE_F", Layer.INTAKE, Severity.FATAL,
    ...                    Text("Le fichier {name} est vide.", "The file {name} is empty."))
    >>> empty.at(name="a.xml").message.en
    'The file a.xml is empty.'
    """

    rule: str
    layer: Layer
    severity: Severity
    message: Text
    remedy: Text = NO_TEXT
    pack: str = field(default="", kw_only=True)

    def at(self, *, term: str = "", location: str = "", line: int | None = None, **values: object) -> Finding:
        """The finding at one place; `values` fill the templates (untrusted values are only ever arguments)."""
        shown = {key: printable(str(value)) for key, value in values.items()}
        return Finding(
            layer=self.layer,
            rule=self.rule,
            severity=self.severity,
            message=Text(self.message.fr.format(**shown), self.message.en.format(**shown)),
            remedy=Text(self.remedy.fr.format(**shown), self.remedy.en.format(**shown)),
            pack=self.pack,
            term=term,
            location=location,
            line=line,
        )


def printable(value: str, limit: int = 300) -> str:
    """`value` fit for a message or a CSV cell: no control or direction marks, no line breaks, at most `limit`
    characters. Names and contents of partners are hostile (line breaks forge rows, RTL marks forge names)."""
    flat = "".join(c if c.isprintable() or c in _BLANKS else (" " if c in "\r\n\t" else "�") for c in value)
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
