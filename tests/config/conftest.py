"""A whole, valid configuration in a temporary folder, and the means to spoil it in one place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.config import ConfigurationFaults, Fault, Settings, load

SECRETS = {"CLIENT_ID": "hush-client-id", "CLIENT_SECRET": "hush-client-secret", "ACCOUNT": "hush-account"}

MAIN = """
[gateway]
state_dir = "state"
environment = "test"

[chorus]
platform = "sandbox"
client_id = { env = "CLIENT_ID" }
client_secret = { env = "CLIENT_SECRET" }

[chorus.accounts.main]
login = "TECH_1_123456@cpro.fr"
password = { env = "ACCOUNT" }
"""

PARTNER = """
name = "{name}"
root = "../drop/{name}"
"""

ISSUER = """
siret = "{siret}"
name = "Acme"
route = "chorus-api"
partners = ["erp"]
account = "main"
environment = "test"
"""


class House:
    """A configuration folder: two partners, one issuer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ: Mapping[str, str] = dict(SECRETS)
        self.write("gateway.toml", MAIN)
        self.write("partners.d/erp.toml", PARTNER.format(name="erp"))
        self.write("partners.d/operator.toml", PARTNER.format(name="operator"))
        self.write("issuers.d/acme.toml", ISSUER.format(siret="12345678200010"))

    def path(self, name: str = "gateway.toml") -> Path:
        return self.folder / name

    def write(self, name: str, text: str) -> Path:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def spoil(self, name: str, old: str, new: str) -> None:
        text = self.path(name).read_text("utf-8")
        assert old in text, f"{old!r} is not in {name}"
        self.write(name, text.replace(old, new, 1))

    def load(self) -> Settings:
        return load(self.path(), self.environ)

    def faults(self) -> tuple[Fault, ...]:
        with pytest.raises(ConfigurationFaults) as caught:
            self.load()
        for secret in self.environ.values():
            assert secret not in str(caught.value), "a secret was printed"
        return caught.value.faults

    def fault(self) -> Fault:
        faults = self.faults()
        assert len(faults) == 1, "\n".join(map(str, faults))
        return faults[0]


@pytest.fixture
def house(tmp_path: Path) -> House:
    folder = tmp_path / "etc"
    folder.mkdir()
    return House(folder)
