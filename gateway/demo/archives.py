"""Archives: nights of invoices with their attachments, all of the State's reasons in one, and two hostile ones."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Iterable
from typing import Final

from gateway.demo.bodies import COUNTY, REGION, SCHOOL, THE_STATE, TOWN
from gateway.demo.drops import PAID, Ending, Script, refused, rejected
from gateway.demo.good import EJ
from gateway.demo.invoices import cii_invoice, facturx_pdf, ubl_invoice
from gateway.demo.pdf import page
from gateway.demo.scene import CLEANER, ERP, OPERATOR, STATIONER, WORKSHOP

#: Times in archives are of no use and would make the bytes differ each day.
_LONG_AGO: Final = (2026, 1, 1, 0, 0, 0)

#: One rejection for each of the State's 16 reasons, as buyers write them (domain facts 3.4).
REASONS: Final = (
    ("SE_EJ_INCORRECT", "SE/EJ incorrect (retransmission possible)"),
    ("CREANCIER_INCONNU", "Le créancier n'est pas celui de l'engagement : créancier différent"),
    ("MARCHE_TERMINE", "marché arrivé à échéance - MARCHE TERMINE"),
    ("ST_CT_NON_DECLARE", "Sous-traitant non déclaré, DC4 non reçu"),
    ("COMPENSATION_AVOIRS", "Suppression pour compensation d'avoirs"),
    ("JUSTIFICATIF_ABSENT", "bon de livraison absent"),
    ("MONTANT_ERRONE", "montant errone"),
    ("TVA_ERRONEE", "TVA : taux incorrect, 5,5 % attendu"),
    ("RETRAITEMENT_MANUEL", "Retraitement manuel par les services"),
    ("PAIEMENT_REGIE", "transfert pour paiement en régie"),
    ("RIB_ERRONE", "Coordonnées bancaires erronées"),
    ("LIVRAISON_INCOMPLETE", "Livraison incomplète : 3 cartons sur 5"),
    ("NON_CONFORME", "Facture non conforme à la commande"),
    ("DOUBLE_FACTURATION", "doublon, déjà payée en octobre"),
    ("CONTACTER_ACHETEUR", "Merci de contacter votre acheteur"),
    ("SUPPRESSION_MASSE", "Suppression en masse"),
)


def archives(script: Script) -> None:
    """Everything that comes packed."""
    _with_index(script)
    _by_stem(script)
    _all_reasons(script)
    _mixed(script)
    _hostile(script)


def _with_index(script: Script) -> None:
    """The index says what belongs to what, and carries the ERP's own keys."""
    first = script.invoice(STATIONER, TOWN, "VOIRIE")
    second = script.invoice(WORKSHOP, THE_STATE, "SFACETAT", EJ)
    index = (
        "file_name;attachments;partner_reference\r\n"
        f"{first.number}.xml;bon-de-livraison.pdf|photo.pdf;VTE-88101\r\n"
        f"{second.number}.pdf;;VTE-88102\r\n"
    )
    members = (
        ("index.csv", index.encode()),
        (f"{first.number}.xml", ubl_invoice(first)),
        ("bon-de-livraison.pdf", page(["Bon de livraison", "40 ramettes, reçues complètes"])),
        ("photo.pdf", page(["(photo de la palette)"])),
        (f"{second.number}.pdf", facturx_pdf(second)),
    )
    script.drop(ERP, "nuit-ponant.zip", zipped(members), "zip with index and annexes", PAID, PAID)


def _by_stem(script: Script) -> None:
    """No index: an annex is known by the invoice's name."""
    specs = [script.invoice(CLEANER, COUNTY, "", EJ), script.invoice(WORKSHOP, SCHOOL)]
    members = []
    for spec in specs:
        members.append((f"{spec.number}.xml", cii_invoice(spec)))
        members.append((f"{spec.number}_attestation.pdf", page([f"Attestation pour {spec.number}"])))
    script.drop(OPERATOR, "lot-0042.tar.gz", tar_gz(members), "tar.gz, annexes by name", PAID, PAID)


def _all_reasons(script: Script) -> None:
    members: list[tuple[str, bytes]] = []
    endings: list[Ending] = []
    for at, (reason, words) in enumerate(REASONS):
        path, ending = rejected(reason, words)
        spec = script.invoice(CLEANER, REGION, "ACHATS", fate=path)
        members.append((f"{spec.number}.xml", (ubl_invoice, cii_invoice)[at % 2](spec)))
        endings.append(ending)
    about = "tar.gz, 16 to be rejected"
    script.drop(OPERATOR, "seize-motifs.tar.gz", tar_gz(members), about, *endings)


def _mixed(script: Script) -> None:
    """A fault in one invoice is no fault of its neighbours."""
    fine, wrong = script.invoice(STATIONER, TOWN, "VOIRIE"), script.invoice(STATIONER, COUNTY)
    members = [(f"{spec.number}.xml", ubl_invoice(spec)) for spec in (fine, wrong)]
    script.drop(ERP, "lot-mixte.zip", zipped(members), "zip, one good, one faulty", PAID, refused("CHORUS-EJ-MISSING"))


def _hostile(script: Script) -> None:
    spec = script.invoice(STATIONER, SCHOOL)
    escape = zipped([("../../config/issuers.d/pirate.toml", b"siret = 1"), (f"{spec.number}.xml", ubl_invoice(spec))])
    script.drop(ERP, "evasion.zip", escape, "hostile: name leads out", refused("INTAKE-ARCHIVE-TRAVERSAL"))
    bomb = zipped([("bombe.xml", bytes(60_000_000))])
    script.drop(OPERATOR, "bombe.zip", bomb, "hostile: 58 KB hold 60 MB", refused("INTAKE-ARCHIVE-BOMB"))


def zipped(members: Iterable[tuple[str, bytes]]) -> bytes:
    """A zip whose bytes depend on nothing but its members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def tar_gz(members: Iterable[tuple[str, bytes]]) -> bytes:
    """A tar.gz, likewise."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(out.getvalue(), 6, mtime=0)
