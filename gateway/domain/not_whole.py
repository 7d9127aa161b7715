"""Why a dropped file was given up: the proof that its sender uses is missing, contradicts it, or stands alone.

`INCOMPLETE` (the end of the content is missing) stands in `intake.py`; these are its sisters for the proofs of the
completeness ladder. Their receipts are of the same event, `incomplete`.
"""

from __future__ import annotations

from typing import Final

from gateway.domain import intake
from gateway.domain.finding import Definition, Layer, Severity, Text

FILE_WITHOUT_DONE: Final = Definition(
    "INTAKE-FILE-WITHOUT-DONE",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "Le fichier {name} attend depuis plus de {minutes} minutes son fichier témoin {other}, qui n'est pas venu.",
        "The file {name} has been waiting for more than {minutes} minutes for its done-file {other}, which never came.",
    ),
    Text(
        "Vérifiez que l'envoi était complet, puis redéposez le fichier et, en dernier, son fichier témoin.",
        "Check that the transfer was complete, then drop the file again and, last of all, its done-file.",
    ),
)

DONE_WITHOUT_FILE: Final = Definition(
    "INTAKE-DONE-WITHOUT-FILE",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "Le fichier témoin {name} est là depuis plus de {minutes} minutes sans le fichier qu'il annonce ({other}).",
        "The done-file {name} has been there for more than {minutes} minutes without the file that it tells of "
        "({other}).",
    ),
    Text(
        "Redéposez le fichier annoncé puis son fichier témoin ; si la facture a déjà un accusé, il n'y a rien à faire.",
        "Drop the file and then its done-file again; if the invoice was acknowledged already, there is nothing to do.",
    ),
)

CHECKSUM_MISMATCH: Final = Definition(
    "INTAKE-CHECKSUM-MISMATCH",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "Le fichier {name} n'est pas celui que son empreinte décrit : {other} annonce {algorithm} {expected}, le "
        "contenu reçu donne {found}.",
        "The file {name} is not what its checksum describes: {other} states {algorithm} {expected}, the content "
        "received has {found}.",
    ),
    Text(
        "Le transfert a été coupé ou altéré, ou l'empreinte est d'une autre version : redéposez le fichier et son "
        "empreinte.",
        "The transfer was cut or damaged, or the checksum is of another version: drop the file and its checksum again.",
    ),
)

CHECKSUM_UNREADABLE: Final = Definition(
    "INTAKE-CHECKSUM-UNREADABLE",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "L'empreinte {other} du fichier {name} n'est pas utilisable : {why}.",
        "The checksum {other} of the file {name} cannot be used: {why_en}.",
    ),
    Text(
        "Écrivez dans l'empreinte une seule ligne : l'empreinte en hexadécimal, suivie au besoin du nom du fichier, "
        "sans chemin ; puis redéposez les deux.",
        "Write one single line: the hash in hexadecimal, followed where wanted by the name of the file, without path; "
        "then drop both again.",
    ),
)

FILE_WITHOUT_CHECKSUM: Final = Definition(
    "INTAKE-FILE-WITHOUT-CHECKSUM",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "Le fichier {name} attend depuis plus de {minutes} minutes son empreinte ({other}), qui n'est pas venue.",
        "The file {name} has been waiting for more than {minutes} minutes for its checksum ({other}), which never "
        "came.",
    ),
    Text(
        "Redéposez le fichier avec son empreinte.",
        "Drop the file again together with its checksum.",
    ),
)

CHECKSUM_WITHOUT_FILE: Final = Definition(
    "INTAKE-CHECKSUM-WITHOUT-FILE",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "L'empreinte {name} est là depuis plus de {minutes} minutes sans le fichier qu'elle décrit ({other}).",
        "The checksum {name} has been there for more than {minutes} minutes without the file that it describes "
        "({other}).",
    ),
    Text(
        "Redéposez le fichier et son empreinte ; si la facture a déjà un accusé, il n'y a rien à faire.",
        "Drop the file and its checksum again; if the invoice was acknowledged already, there is nothing to do.",
    ),
)

BATCH_INCOMPLETE: Final = Definition(
    "INTAKE-BATCH-INCOMPLETE",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "Le lot annoncé par {other} n'était toujours pas entier après {minutes} minutes (en défaut : {missing}) ; "
        "{name} n'a pas été pris.",
        "The batch listed by {other} was still not whole after {minutes} minutes (at fault: {missing}); {name} "
        "was not taken.",
    ),
    Text(
        "Redéposez tout le lot, puis, en dernier, son fichier de contrôle.",
        "Drop the whole batch again and, last of all, its control file.",
    ),
)

BATCH_FAULT: Final = Definition(
    "INTAKE-BATCH-FAULT",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "Le fichier {name}, annoncé par {other}, {why}.",
        "The file {name}, listed by {other}, {why_en}.",
    ),
    Text("Redéposez ce fichier avec son lot.", "Drop this file again together with its batch."),
)

CONTROL_UNREADABLE: Final = Definition(
    "INTAKE-CONTROL-UNREADABLE",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "Le fichier de contrôle {name} n'est pas utilisable : {why}.",
        "The control file {name} cannot be used: {why_en}.",
    ),
    Text(
        "Écrivez un nom de fichier par ligne, sans chemin, suivi au besoin de la taille et de l'empreinte "
        "(nom;taille;sha256), puis redéposez le lot et le fichier de contrôle.",
        "Write one file name a line, without path, followed where wanted by size and hash (name;size;sha256), then "
        "drop the batch and the control file again.",
    ),
)

FILE_NOT_LISTED: Final = Definition(
    "INTAKE-FILE-NOT-LISTED",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "Le fichier {name} n'est nommé dans aucun fichier de contrôle depuis plus de {minutes} minutes.",
        "The file {name} has been named by no control file for more than {minutes} minutes.",
    ),
    Text(
        "Redéposez le fichier et un fichier de contrôle qui le nomme exactement (majuscules et accents compris).",
        "Drop the file again with a control file that names it exactly (capitals and accents included).",
    ),
)

#: Rules whose receipt says `incomplete`: the file never became what its sender promised.
NEVER_WHOLE: Final = frozenset(
    definition.rule
    for definition in (
        intake.INCOMPLETE,
        FILE_WITHOUT_DONE,
        DONE_WITHOUT_FILE,
        CHECKSUM_MISMATCH,
        CHECKSUM_UNREADABLE,
        FILE_WITHOUT_CHECKSUM,
        CHECKSUM_WITHOUT_FILE,
        BATCH_INCOMPLETE,
        CONTROL_UNREADABLE,
        FILE_NOT_LISTED,
    )
)
