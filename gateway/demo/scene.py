"""Sets the scene in a folder: configuration, secrets, directory, drop folders, and the platform's seed.

All of it is what a real installation has, written to disk, so that every other command works on the folder
afterwards. The secrets are drawn for this one run and lie in files of mode 0600: nothing has to be exported.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from gateway.buyers.importer import import_file
from gateway.demo.bodies import BODIES
from gateway.demo.spec import Company, made_up_iban, made_up_siret

ERP: Final = "acme-erp"
OPERATOR: Final = "relais-edi"

STATIONER: Final = Company(
    "Papeterie du Ponant", made_up_siret(101), "12 quai des Rames", "29999", "Portville", made_up_iban(101)
)
WORKSHOP: Final = Company(
    "Ateliers du Levant", made_up_siret(102), "8 rue de la Forge", "67999", "Forgeville", made_up_iban(102)
)
CLEANER: Final = Company(
    "Propreté du Midi", made_up_siret(103), "3 avenue du Balai", "13999", "Clairville", made_up_iban(103)
)


@dataclass(frozen=True, slots=True)
class _Sending:
    """An issuer: who may send for it, by which account."""

    company: Company
    partners: tuple[str, ...]
    account: str


ISSUERS: Final = (
    _Sending(STATIONER, (ERP,), "ponant"),
    _Sending(WORKSHOP, (ERP, OPERATOR), "levant"),
    _Sending(CLEANER, (OPERATOR,), "levant"),
)
_LOGINS: Final = {"ponant": "TECH_1_100001@cpro.fr", "levant": "TECH_1_100002@cpro.fr"}
_SECRETS: Final = ("client-id", "client-secret", *(f"account-{name}" for name in _LOGINS))


@dataclass(frozen=True, slots=True)
class Scene:
    """The folder, and what the platform must know to match it."""

    folder: Path
    secrets: Mapping[str, str]
    kept: bool = True  #: the folder outlives the demo

    @property
    def config(self) -> Path:
        return self.folder / "config" / "gateway.toml"

    @property
    def log(self) -> Path:
        return self.folder / "gateway.log"

    @property
    def erp_key(self) -> Path:
        """The ERP's private key for SFTP."""
        return self.folder / "secrets" / "erp-sftp-key"

    @property
    def erp_keys(self) -> Path:
        """The keys with which the ERP may log in."""
        return self.config.parent / "login-keys" / ERP

    def inbox(self, partner: str) -> Path:
        return self.folder / "partners" / partner / "in"

    def outbox(self, partner: str) -> Path:
        return self.folder / "partners" / partner / "out"

    def seed(self) -> Mapping[str, Any]:
        """Who exists at the platform."""
        accounts = [
            {
                "login": login,
                "password": self.secrets[f"account-{name}"],
                "structures": [one.company.siret for one in ISSUERS if one.account == name],
            }
            for name, login in _LOGINS.items()
        ]
        suppliers = [
            {"identifiantStructure": one.company.siret, "designationStructure": one.company.name} for one in ISSUERS
        ]
        return {
            "only": True,
            "clients": [{"id": self.secrets["client-id"], "secret": self.secrets["client-secret"]}],
            "accounts": accounts,
            "structures": [*suppliers, *(body.at_platform() for body in BODIES)],
        }


def set_scene(folder: Path, *, kept: bool = True) -> Scene:
    """The folders and the secrets; the configuration follows once the platform's address is known."""
    for partner in (ERP, OPERATOR):
        for name in ("in", "out", "book"):
            (folder / "partners" / partner / name).mkdir(parents=True)
    closed = folder / "secrets"
    closed.mkdir(mode=0o700)
    drawn = {name: secrets.token_urlsafe(18) for name in _SECRETS}
    for name, value in drawn.items():
        path = closed / name
        path.touch(mode=0o600)
        path.write_text(value + "\n", "ascii")
    return Scene(folder, drawn, kept)


def write_configuration(scene: Scene, url: str, token_url: str) -> None:
    """gateway.toml, partners.d and issuers.d."""
    config = scene.config.parent
    for name in ("partners.d", "issuers.d"):
        (config / name).mkdir(parents=True)
    accounts = "\n".join(
        f'[chorus.accounts.{name}]\nlogin = "{login}"\npassword = {{ file = "../secrets/account-{name}" }}\n'
        for name, login in _LOGINS.items()
    )
    scene.config.write_text(_GATEWAY.format(url=url, token_url=token_url, accounts=accounts), "utf-8")
    (config / "partners.d" / f"{ERP}.toml").write_text(_ERP.format(name=ERP), "utf-8")
    (config / "partners.d" / f"{OPERATOR}.toml").write_text(_OPERATOR.format(name=OPERATOR), "utf-8")
    for one in ISSUERS:
        partners = ", ".join(f'"{partner}"' for partner in one.partners)
        text = _ISSUER.format(company=one.company, partners=partners, account=one.account)
        (config / "issuers.d" / f"{one.company.siret}.toml").write_text(text, "utf-8")


def take_directory(scene: Scene, snapshot: Path, taken_at: datetime) -> None:
    """Write the directory as a file that people can read, and take it as the gateway's snapshot."""
    file = scene.folder / "directory.jsonl"
    lines = (json.dumps(body.in_directory(), ensure_ascii=False) + "\n" for body in BODIES)
    file.write_text("".join(lines), "utf-8")
    snapshot.parent.mkdir(parents=True, exist_ok=True)
    import_file(file, snapshot, taken_at)


_GATEWAY: Final = """\
# The demo's gateway. Every key is explained in config/gateway.toml of the distribution.
[gateway]
state_dir = "../state"
environment = "test"
language = "fr"
log_level = "info"

[intake]
quiet = "100ms"
free_bytes = "50MB"

[sending]
wait = "1s"

[sftp_server]
listen = "127.0.0.1:0"

[chorus]
platform = "custom"
token_url = "{token_url}"
api_url = "{url}"
client_id = {{ file = "../secrets/client-id" }}
client_secret = {{ file = "../secrets/client-secret" }}

{accounts}"""

_ERP: Final = """\
# An ERP: one CSV file a tick for each level, in French, as its accounting clerks read it.
name = "{name}"
root = "../../partners/{name}"

[acks]
format = "csv"
grouping = "per-tick"
statuses = ["MISE_A_DISPOSITION"]

[acks.dialect]
bom = true
decimal = ","
language = "fr"

# It pushes by SFTP, to the gateway's own server.
[login]
keys = "../login-keys/{name}"
"""

_OPERATOR: Final = """\
# An EDI operator: one JSON Lines file for each file that it sent, in English, every status.
name = "{name}"
root = "../../partners/{name}"

[acks]
format = "jsonl"
grouping = "per-interchange"
statuses = ["*"]

[acks.dialect]
language = "en"

# Short, so that the demo sees a file that never gets whole.
[completeness]
give_up = "2s"
"""

_ISSUER: Final = """\
siret = "{company.siret}"
name = "{company.name}"
route = "chorus-api"
partners = [{partners}]
account = "{account}"
environment = "test"
mandate_signed = 2026-01-15
"""
