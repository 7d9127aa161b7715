"""Every finding that reading one XML or PDF payload can make, with its words and remedy.

Ids are those of the State's own list where one fits (IRR_VIDE_F empty file, IRR_SYNTAX not well-formed,
IRR_TYPE_F not a type that is taken; DGFiP rule G7.18, domain facts 4), else ours with `INTAKE-`.
"""

from __future__ import annotations

from typing import Final

from gateway.domain.finding import Definition, Layer, Severity, Text

EMPTY: Final = Definition(
    "IRR_VIDE_F",
    Layer.INTAKE,
    Severity.FATAL,
    Text("Le fichier est vide.", "The file is empty."),
    Text(
        "Vérifiez l'export et le transfert, puis redéposez le fichier complet.",
        "Check the export and the transfer, then drop the whole file again.",
    ),
)
NOT_WELL_FORMED: Final = Definition(
    "IRR_SYNTAX",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "Le XML est mal formé, ligne {at_line}, colonne {column} : {fault_fr}.",
        "The XML is not well-formed at line {at_line}, column {column}: {fault_en}.",
    ),
    Text("{remedy_fr} Puis redéposez le fichier.", "{remedy_en} Then drop the file again."),
)
DOCTYPE: Final = Definition(
    "INTAKE-XML-DOCTYPE",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "Le XML contient une déclaration <!DOCTYPE> : elle est refusée, même inoffensive, car elle permet "
        "d'attaquer celui qui lit le fichier.",
        "The XML carries a <!DOCTYPE> declaration: it is refused even when harmless, because it can be used to "
        "attack whoever reads the file.",
    ),
    Text(
        "Retirez la ligne <!DOCTYPE …> de votre export (aucune facture UBL ou CII n'en a besoin), puis redéposez.",
        "Remove the <!DOCTYPE …> line from your export (no UBL or CII invoice needs one), then drop it again.",
    ),
)
LIMIT: Final = Definition(
    "INTAKE-XML-LIMIT",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "Le XML dépasse une limite de lecture : {what_fr} (limite : {limit}).",
        "The XML exceeds a reading limit: {what_en} (limit: {limit}).",
    ),
    Text(
        "Découpez la facture ou joignez moins de pièces, puis redéposez.",
        "Split the invoice or attach less, then drop it again.",
    ),
)
ENCODING: Final = Definition(
    "INTAKE-XML-ENCODING",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "L'encodage déclaré du XML ({encoding}) n'est pas accepté ou contredit les octets du fichier.",
        "The declared encoding of the XML ({encoding}) is not taken, or contradicts the bytes of the file.",
    ),
    Text(
        'Écrivez le fichier en UTF-8 avec <?xml version="1.0" encoding="UTF-8"?>, puis redéposez.',
        'Write the file in UTF-8 with <?xml version="1.0" encoding="UTF-8"?>, then drop it again.',
    ),
)
NOT_AN_INVOICE: Final = Definition(
    "IRR_TYPE_F",
    Layer.INTAKE,
    Severity.FATAL,
    Text("Ce fichier n'est pas une facture lisible : {what_fr}.", "This file is no invoice we can read: {what_en}."),
    Text("{remedy_fr}", "{remedy_en}"),
)
TERM_UNREADABLE: Final = Definition(
    "INTAKE-TERM-UNREADABLE",
    Layer.INTAKE,
    Severity.WARNING,
    Text(
        "Le terme {bt} contient « {raw} », qui n'est pas {expected_fr}.",
        "Term {bt} contains “{raw}”, which is not {expected_en}.",
    ),
    Text(
        "Corrigez {bt} dans votre logiciel, puis redéposez la facture.",
        "Correct {bt} in your software, then drop the invoice again.",
    ),
)
TERM_REPEATED: Final = Definition(
    "INTAKE-TERM-REPEATED",
    Layer.INTAKE,
    Severity.WARNING,
    Text(
        "Le terme {bt} figure plusieurs fois avec des valeurs différentes (« {first} », puis « {other} ») ; seule "
        "la première est lue.",
        "Term {bt} stands several times with different values (“{first}”, then “{other}”); only the first is read.",
    ),
    Text(
        "Ne gardez qu'une valeur de {bt}, puis redéposez la facture.",
        "Keep one value of {bt}, then drop the invoice again.",
    ),
)
ARCHIVE_WITHIN: Final = Definition(
    "INTAKE-ARCHIVE-WITHIN",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "Une archive ({form}) se trouve là où une facture est attendue.",
        "An archive ({form}) stands where an invoice is expected.",
    ),
    Text(
        "Mettez les factures directement dans l'archive déposée, sans archive à l'intérieur.",
        "Put the invoices straight into the dropped archive, with no archive inside it.",
    ),
)
