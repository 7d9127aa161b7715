"""Every finding about an archive, its members, and which of them belong together."""

from __future__ import annotations

from typing import Final

from gateway.domain.finding import Definition, Layer, Severity, Text

#: Findings of one kind told by name; the rest is counted (10,000 leftovers would bury everything else).
MOST_TOLD: Final = 50


def _intake(rule: str, severity: Severity, fr: str, en: str, remedy_fr: str = "", remedy_en: str = "") -> Definition:
    return Definition(rule, Layer.INTAKE, severity, Text(fr, en), Text(remedy_fr, remedy_en))


# The whole archive is refused.
TOO_MANY: Final = _intake(
    "INTAKE-ARCHIVE-TOO-MANY",
    Severity.FATAL,
    "L'archive contient plus de {limit} fichiers.",
    "The archive holds more than {limit} files.",
    "Répartissez les factures dans plusieurs archives, puis redéposez-les.",
    "Spread the invoices over several archives, then drop them again.",
)
TOO_LARGE: Final = _intake(
    "INTAKE-ARCHIVE-TOO-LARGE",
    Severity.FATAL,
    "Décompressée, l'archive dépasse {limit} Mo.",
    "Unpacked, the archive exceeds {limit} MB.",
    "Répartissez les factures dans plusieurs archives, puis redéposez-les.",
    "Spread the invoices over several archives, then drop them again.",
)
BOMB: Final = _intake(
    "INTAKE-ARCHIVE-BOMB",
    Severity.FATAL,
    "L'archive ressemble à une bombe de décompression (entrées qui se chevauchent, ou taux supérieur à {ratio}).",
    "The archive looks like a decompression bomb (overlapping entries, or a ratio above {ratio}).",
    "Recréez l'archive avec un outil courant à partir des fichiers d'origine, puis redéposez-la.",
    "Make the archive again from the original files with a common tool, then drop it again.",
)
TRAVERSAL: Final = _intake(
    "INTAKE-ARCHIVE-TRAVERSAL",
    Severity.FATAL,
    "L'archive contient un nom qui sort de l'archive : « {name} ».",
    "The archive holds a name that leads out of the archive: “{name}”.",
    "Recréez l'archive avec des noms relatifs (sans « .. », sans lecteur ni / en tête), puis redéposez-la.",
    "Make the archive again with relative names (no “..”, no drive or leading /), then drop it again.",
)
BROKEN: Final = _intake(
    "INTAKE-ARCHIVE-DAMAGED",
    Severity.FATAL,
    "L'archive est endommagée ou incomplète ({detail}).",
    "The archive is damaged or incomplete ({detail}).",
    "Vérifiez qu'elle s'ouvre chez vous et que son transfert est allé à son terme, puis redéposez-la.",
    "Check that it opens on your side and that its transfer ran to the end, then drop it again.",
)
NO_INVOICE: Final = _intake(
    "INTAKE-ARCHIVE-NO-INVOICE",
    Severity.FATAL,
    "L'archive ne contient aucune facture (UBL, CII, Factur-X ou PDF).",
    "The archive holds no invoice (UBL, CII, Factur-X or PDF).",
    "Mettez les factures dans l'archive, puis redéposez-la.",
    "Put the invoices into the archive, then drop it again.",
)

# One member cannot be used.
ENCRYPTED: Final = _intake(
    "INTAKE-MEMBER-ENCRYPTED",
    Severity.FATAL,
    "Le fichier « {name} » est protégé par un mot de passe dans l'archive.",
    "The file “{name}” is protected by a password in the archive.",
    "Recréez l'archive sans mot de passe, puis redéposez-la.",
    "Make the archive again without a password, then drop it again.",
)
CHECKSUM: Final = _intake(
    "INTAKE-MEMBER-DAMAGED",
    Severity.FATAL,
    "Le fichier « {name} » est endommagé dans l'archive ({detail}).",
    "The file “{name}” is damaged in the archive ({detail}).",
    "Recréez l'archive à partir des fichiers d'origine, puis redéposez-la.",
    "Make the archive again from the original files, then drop it again.",
)
METHOD: Final = _intake(
    "INTAKE-MEMBER-METHOD",
    Severity.FATAL,
    "Le fichier « {name} » est compressé par une méthode que nous n'acceptons pas (méthode {method}).",
    "The file “{name}” is compressed by a method that we do not take (method {method}).",
    "Recréez l'archive avec la compression habituelle (Deflate), puis redéposez-la.",
    "Make the archive again with the usual compression (Deflate), then drop it again.",
)
SPECIAL: Final = _intake(
    "INTAKE-MEMBER-SPECIAL",
    Severity.FATAL,
    "« {name} » n'est pas un fichier mais un lien ou un périphérique.",
    "“{name}” is no file but a link or a device.",
    "Mettez le fichier lui-même dans l'archive, puis redéposez-la.",
    "Put the file itself into the archive, then drop it again.",
)
MEMBER_TOO_LARGE: Final = _intake(
    "IRR_TAILLE_F",
    Severity.FATAL,
    "Le fichier « {name} » dépasse {limit} Mo.",
    "The file “{name}” exceeds {limit} MB.",
    "Allégez ou découpez ce fichier, puis redéposez l'archive.",
    "Make this file smaller or split it, then drop the archive again.",
)
BAD_NAME: Final = _intake(
    "IRR_NOM_F",
    Severity.FATAL,
    "Le nom « {name} » ne peut pas être utilisé (vide, plus de {limit} caractères, ou caractères invisibles).",
    "The name “{name}” cannot be used (empty, more than {limit} characters, or invisible characters).",
    "Renommez ce fichier, puis redéposez l'archive.",
    "Rename this file, then drop the archive again.",
)
TWICE: Final = _intake(
    "INTAKE-MEMBER-TWICE",
    Severity.FATAL,
    "« {name} » figure plusieurs fois dans l'archive avec des contenus différents : aucun n'est utilisé.",
    "“{name}” stands several times in the archive with different contents: none is used.",
    "Ne gardez que le bon fichier, puis redéposez l'archive.",
    "Keep the right file only, then drop the archive again.",
)
NESTED: Final = _intake(
    "INTAKE-MEMBER-ARCHIVE",
    Severity.FATAL,
    "« {name} » est une archive dans l'archive et n'est la pièce jointe d'aucune facture : elle n'est pas ouverte.",
    "“{name}” is an archive inside the archive and no invoice's attachment: it is not opened.",
    "Mettez les factures directement dans l'archive déposée, puis redéposez-la.",
    "Put the invoices directly into the archive you drop, then drop it again.",
)
CASE: Final = _intake(
    "INTAKE-MEMBER-CASE",
    Severity.WARNING,
    "« {name} » et « {other} » ne diffèrent que par les majuscules ; les deux sont lus.",
    "“{name}” and “{other}” differ by letter case only; both are read.",
    "Donnez des noms différents à des fichiers différents.",
    "Give different names to different files.",
)

# Which belongs to which.
LEFTOVER: Final = _intake(
    "INTAKE-LEFTOVER",
    Severity.WARNING,
    "Le fichier « {name} » n'appartient à aucune facture de l'archive : il n'est pas transmis.",
    "The file “{name}” belongs to no invoice of the archive: it is not sent.",
    "Pour le joindre, donnez-lui le nom de la facture (FA-1.xml, FA-1_annexe.pdf) ou citez-le dans index.csv.",
    "To attach it, name it after the invoice (FA-1.xml, FA-1_annexe.pdf) or name it in index.csv.",
)
MORE_LEFTOVERS: Final = _intake(
    "INTAKE-LEFTOVER",
    Severity.WARNING,
    "{count} autres fichiers n'appartiennent à aucune facture de l'archive : ils ne sont pas transmis.",
    "{count} more files belong to no invoice of the archive: they are not sent.",
    "Pour les joindre, donnez-leur le nom de leur facture ou citez-les dans index.csv.",
    "To attach them, name them after their invoice or name them in index.csv.",
)
AMBIGUOUS: Final = _intake(
    "INTAKE-LEFTOVER-AMBIGUOUS",
    Severity.WARNING,
    "Le fichier « {name} » peut appartenir à plusieurs factures ({heads}) : il n'est pas transmis.",
    "The file “{name}” may belong to several invoices ({heads}): it is not sent.",
    "Citez-le dans index.csv à la ligne de sa facture, puis redéposez l'archive.",
    "Name it in index.csv on the row of its invoice, then drop the archive again.",
)
MISSING_ATTACHMENT: Final = _intake(
    "INTAKE-ATTACHMENT-MISSING",
    Severity.HOLD,
    "L'index annonce la pièce « {name} », qui n'est pas dans l'archive.",
    "The index announces the file “{name}”, which is not in the archive.",
    "Ajoutez cette pièce ou retirez-la de l'index, puis redéposez l'archive.",
    "Add this file or take it out of the index, then drop the archive again.",
)
ENCRYPTED_ATTACHMENT: Final = _intake(
    "INTAKE-ATTACHMENT-ENCRYPTED",
    Severity.FATAL,
    "La pièce jointe « {name} » est protégée par un mot de passe : le destinataire ne pourra pas l'ouvrir.",
    "The attachment “{name}” is protected by a password: the buyer cannot open it.",
    "Exportez cette pièce sans mot de passe, puis redéposez l'archive.",
    "Export this file without a password, then drop the archive again.",
)

# The index file.
INDEX_UNREADABLE: Final = _intake(
    "INTAKE-INDEX-UNREADABLE",
    Severity.FATAL,
    "Le fichier index.csv est illisible : {fault_fr}.",
    "The file index.csv cannot be read: {fault_en}.",
    "Corrigez index.csv (CSV en UTF-8, séparateur « ; », première ligne d'en-tête avec file_name), puis redéposez.",
    "Correct index.csv (CSV in UTF-8, separator “;”, first line a header with file_name), then drop it again.",
)
INDEX_ROW: Final = _intake(
    "INTAKE-INDEX-ROW",
    Severity.WARNING,
    "Ligne {at_line} de index.csv : {fault_fr}.",
    "Line {at_line} of index.csv: {fault_en}.",
    "Corrigez cette ligne.",
    "Correct this line.",
)
INDEX_COLUMN: Final = _intake(
    "INTAKE-INDEX-COLUMN",
    Severity.WARNING,
    "La colonne « {name} » de index.csv est inconnue : elle n'est pas lue.",
    "The column “{name}” of index.csv is unknown: it is not read.",
    "Colonnes connues : {known}.",
    "Known columns: {known}.",
)
INDEX_TWICE: Final = _intake(
    "INTAKE-INDEX-TWICE",
    Severity.FATAL,
    "index.csv a plusieurs lignes différentes pour « {name} ».",
    "index.csv has several different rows for “{name}”.",
    "Ne gardez que la bonne ligne, puis redéposez l'archive.",
    "Keep the right row only, then drop the archive again.",
)
INDEX_NO_FILE: Final = _intake(
    "INTAKE-INDEX-NO-FILE",
    Severity.WARNING,
    "index.csv cite « {name} », qui n'est pas dans l'archive.",
    "index.csv names “{name}”, which is not in the archive.",
    "Ajoutez ce fichier ou retirez sa ligne.",
    "Add this file or take its row out.",
)
PDF_ROW_INCOMPLETE: Final = _intake(
    "INTAKE-PDF-ROW-INCOMPLETE",
    Severity.HOLD,
    "La ligne de index.csv pour le PDF « {name} » est incomplète : il manque {columns}.",
    "The row of index.csv for the PDF “{name}” is incomplete: {columns} missing.",
    "Complétez la ligne, puis redéposez l'archive.",
    "Complete the row, then drop the archive again.",
)
PDF_ROW: Final = _intake(
    "INTAKE-PDF-ROW",
    Severity.HOLD,
    "Le PDF « {name} » a bien sa ligne dans index.csv, mais cette version ne sait pas encore en faire une facture.",
    "The PDF “{name}” has its row in index.csv, but this version cannot make an invoice of them yet.",
    "Déposez une Factur-X à la place, ou attendez la prochaine version.",
    "Drop a Factur-X instead, or wait for the next version.",
)
