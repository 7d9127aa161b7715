"""The two French uses told apart by what a document shows."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from gateway.domain.document import Identifier, Party, Profile
from gateway.parsers.invoice_xml import read_invoice_xml
from gateway.parsers.profile import SIGNS, profile_of

CORPUS = Path(os.environ.get("GATEWAY_CORPUS", Path(__file__).resolve().parents[2] / ".." / "shared" / "corpus"))
SIRET, SIREN = "12345678200010", "123456782"
NOBODY = Party()


def legal(value: str, scheme: str) -> Party:
    return Party(legal=Identifier(value, scheme))


def listed(value: str, scheme: str) -> Party:
    return Party(identifiers=(Identifier("x"), Identifier(value, scheme)))


@pytest.mark.parametrize(
    ("process", "seller", "profile"),
    [
        ("A1", NOBODY, Profile.LEGACY),
        ("A25", NOBODY, Profile.LEGACY),
        ("A26", NOBODY, Profile.UNDETERMINED),
        ("S1", NOBODY, Profile.REFORM),
        ("M9", NOBODY, Profile.REFORM),
        ("", legal(SIRET, "1"), Profile.LEGACY),
        ("", legal(SIRET, "0002"), Profile.LEGACY),
        ("", legal("123 456 782 00010", "1"), Profile.LEGACY),
        ("", legal(SIREN, "0002"), Profile.REFORM),
        ("", legal(SIREN, "1"), Profile.UNDETERMINED),
        ("", Party(endpoint=Identifier("x", "0225")), Profile.REFORM),
        ("", Party(endpoint=Identifier("x", "EM")), Profile.UNDETERMINED),
        ("", listed(SIRET, "0009"), Profile.REFORM),
        ("", listed("SERVICE", "0224"), Profile.REFORM),
        ("", listed(SIRET, "1"), Profile.LEGACY),
        ("", listed(SIRET, ""), Profile.LEGACY),
        ("", legal(SIRET, ""), Profile.LEGACY),
        ("", listed(SIRET, "0088"), Profile.UNDETERMINED),
        ("", NOBODY, Profile.UNDETERMINED),
        ("urn:fdc:peppol.eu:2017:poacc:billing:01:1.0", NOBODY, Profile.UNDETERMINED),
    ],
)
def test_a_sign_on_either_party_tells_the_profile(process: str, seller: Party, profile: Profile) -> None:
    assert profile_of(process, seller, NOBODY) is profile
    assert profile_of(process, NOBODY, seller) is profile


def test_what_a_document_says_of_itself_outweighs_how_it_writes_identifiers() -> None:
    assert profile_of("A1", legal(SIREN, "0002"), listed(SIRET, "0009")) is Profile.LEGACY
    assert profile_of("B1", legal(SIRET, "1"), NOBODY) is Profile.REFORM


def test_a_legal_siret_outweighs_an_address_of_the_reform() -> None:
    both = Party(legal=Identifier(SIRET, "0002"), endpoint=Identifier("x", "0225"))
    assert profile_of("", both, NOBODY) is Profile.LEGACY


def test_every_sign_has_a_name_of_its_own() -> None:
    assert len({sign.name for sign in SIGNS}) == len(SIGNS)


def test_the_french_examples_of_the_reform_are_told_from_the_state_s_legacy_ones() -> None:
    manifest = CORPUS / "manifest.jsonl"
    if not manifest.exists():
        pytest.skip(f"no corpus at {CORPUS}")
    told: dict[str, set[Profile]] = {"aife-chorus-pro": set(), "akretion-factur-x": set()}
    for line in manifest.read_text().splitlines():
        path = json.loads(line)["path"]
        source = path.split("/")[0]
        if source in told and "/cii/" in path:
            told[source].add(read_invoice_xml((CORPUS / path).read_bytes()).document.profile)
    assert told == {"aife-chorus-pro": {Profile.LEGACY}, "akretion-factur-x": {Profile.REFORM}}
