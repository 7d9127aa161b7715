"""What Chorus Pro takes as a supporting document: extension, size and name (domain facts 1.6).

The ids are the State's own (DGFiP G7.18). Used for the files that stand beside an invoice in an archive; what is
embedded in an invoice is for the rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.domain.finding import Definition, Finding, Layer, Severity, Text

LIMIT_BYTES: Final = 10 * 1024 * 1024
NAME_LIMIT: Final = 50

EXTENSIONS: Final = frozenset(
    {
        "BMP", "BZ2", "CSV", "DOC", "DOCX", "FAX", "GIF", "GZ", "GZIP", "HTM", "HTML", "JPEG", "JPG", "ODP", "ODS",
        "ODT", "P7S", "PDF", "PNG", "PPS", "PPT", "PPTX", "RTF", "SVG", "TGZ", "TIF", "TIFF", "TXT", "XHTML", "XLC",
        "XLM", "XLS", "XLSX", "XML", "ZIP",
    }
)  # fmt: skip

_AGAIN: Final = Text("puis redéposez la facture avec ses pièces.", "then drop the invoice with its files again.")

EMPTY: Final = Definition(
    "IRR_VID_PJ",
    Layer.INTAKE,
    Severity.FATAL,
    Text("La pièce jointe « {name} » est vide.", "The attachment “{name}” is empty."),
    Text(f"Remplacez ou retirez cette pièce, {_AGAIN.fr}", f"Replace or remove this file, {_AGAIN.en}"),
)
TOO_LARGE: Final = Definition(
    "IRR_TAILLE_PJ",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "La pièce jointe « {name} » fait {megabytes} Mo ; Chorus Pro en accepte 10 au plus.",
        "The attachment “{name}” has {megabytes} MB; Chorus Pro takes 10 at most.",
    ),
    Text(f"Allégez ou découpez cette pièce, {_AGAIN.fr}", f"Make this file smaller or split it, {_AGAIN.en}"),
)
LONG_NAME: Final = Definition(
    "IRR_NOM_PJ",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "Le nom de la pièce jointe « {name} » a {length} caractères ; Chorus Pro en prend 50, extension comprise.",
        "The name of the attachment “{name}” has {length} characters; Chorus Pro takes 50, extension included.",
    ),
    Text(f"Raccourcissez ce nom, {_AGAIN.fr}", f"Shorten this name, {_AGAIN.en}"),
)
EXTENSION: Final = Definition(
    "IRR_EXT_DOC",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "La pièce jointe « {name} » a une extension que Chorus Pro n'accepte pas ({extension}).",
        "The attachment “{name}” has an extension that Chorus Pro does not take ({extension}).",
    ),
    Text(
        f"Convertissez cette pièce, en PDF par exemple, {_AGAIN.fr}",
        f"Convert this file, to PDF for example, {_AGAIN.en}",
    ),
)


def check_attachment(name: str, size: int | None) -> Iterator[Finding]:
    """What Chorus Pro would refuse about an attachment; an unknown size is not judged."""
    if size == 0:
        yield EMPTY.at(name=name, location=name, term="BT-125")
    elif size is not None and size > LIMIT_BYTES:
        megabytes = f"{size / 1024 / 1024:.1f}"
        yield TOO_LARGE.at(name=name, megabytes=megabytes, location=name, term="BT-125")
    if len(name) > NAME_LIMIT:
        yield LONG_NAME.at(name=name, length=len(name), location=name, term="BT-125")
    stem, dot, extension = name.rpartition(".")
    if not dot or not stem or extension.upper() not in EXTENSIONS:
        shown = f".{extension}" if dot else "—"
        yield EXTENSION.at(name=name, extension=shown, location=name, term="BT-125")
