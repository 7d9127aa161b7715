"""Faults of a file before it is opened: what its sender must mend so that it can be taken at all.

The ids are the State's own irrecevability codes where one fits (domain facts 4, DGFiP G7.18), else ours.
"""

from __future__ import annotations

from typing import Final

from gateway.domain.finding import Definition, Layer, Severity, Text

INCOMPLETE: Final = Definition(
    "INCOMPLETE",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "Le fichier {name} n'était toujours pas entier après {minutes} minutes (fin de fichier absente).",
        "The file {name} was still not whole after {minutes} minutes (its end is missing).",
    ),
    Text(
        "Vérifiez l'envoi (connexion coupée, disque plein), puis redéposez le fichier entier ; écrivez-le sous un nom "
        "finissant par .part et renommez-le à la fin.",
        "Check the transfer (cut connection, full disk), then drop the whole file again; write it under a name ending "
        "in .part and rename it at the end.",
    ),
)

TOO_LARGE: Final = Definition(
    "IRR_TAILLE_F",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "Le fichier {name} pèse {size} octets ; la limite est de {limit} octets. Il n'a pas été lu.",
        "The file {name} has {size} bytes; the limit is {limit} bytes. It was not read.",
    ),
    Text(
        "Déposez les factures en plusieurs archives plus petites ; Chorus Pro n'accepte pas plus de 10 Mo par fichier.",
        "Drop the invoices in several smaller archives; Chorus Pro takes no more than 10 MB a file.",
    ),
)

SYMLINK: Final = Definition(
    "INTAKE-SYMLINK",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "{name} est un lien symbolique ; la passerelle ne suit aucun lien et n'a rien lu.",
        "{name} is a symbolic link; the gateway follows no link and has read nothing.",
    ),
    Text("Déposez le fichier lui-même.", "Drop the file itself."),
)

NOT_A_FILE: Final = Definition(
    "INTAKE-NOT-A-FILE",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "{name} n'est pas un fichier ordinaire (tube, périphérique ou prise) ; rien n'a été lu.",
        "{name} is no ordinary file (pipe, device or socket); nothing was read.",
    ),
    Text("Déposez un fichier ordinaire.", "Drop an ordinary file."),
)

QUARANTINED: Final = Definition(
    "INTAKE-QUARANTINED",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "Le contenu de {name} a dépassé deux fois les limites de temps ou de mémoire de la passerelle ({reason}) ; "
        "il est mis en quarantaine et n'a pas été jugé.",
        "The content of {name} broke the gateway's limits of time or memory twice ({reason}); it is quarantined and "
        "was not judged.",
    ),
    Text(
        "Produisez la facture à nouveau avec un autre logiciel ou sans pièce jointe, et prévenez l'exploitant de la "
        "passerelle : l'original est conservé.",
        "Produce the invoice again with other software or without attachment, and tell the gateway's operator: the "
        "original is kept.",
    ),
)

WITHDRAWN: Final = Definition(
    "INTAKE-WITHDRAWN",
    Layer.INTAKE,
    Severity.INFO,
    Text(
        "Le fichier {name} a été repris par son expéditeur avant d'être pris en charge.",
        "The file {name} was taken back by its sender before it was taken in.",
    ),
)

DUPLICATE_FILE: Final = Definition(
    "IRR_UNICITE",
    Layer.INTAKE,
    Severity.INFO,
    Text(
        "Le fichier {name} est identique, octet pour octet, au fichier {first} reçu le {day} ; rien n'a été renvoyé.",
        "The file {name} is the same, byte for byte, as {first} received on {day}; nothing was sent again.",
    ),
    Text(
        "Rien à faire : suivez la facture déposée la première fois.",
        "Nothing to do: follow the invoice dropped the first time.",
    ),
)
