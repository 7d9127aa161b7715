"""Over TLS: a certificate that nobody vouches for is refused before anything is sent; a configured one serves."""

from __future__ import annotations

import shutil
import ssl
import subprocess

import pytest

from gateway.routes.chorus_api import ChorusSettings
from gateway.routes.protocol import Uncertain, Unreachable

from .rude import rude_server
from .test_hostile_servers import TAKEN, drip_headers


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("no openssl command here to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    )
    made = subprocess.run([*command.split(), "-keyout", folder / "key", "-out", folder / "cert"], capture_output=True)
    assert made.returncode == 0, made.stderr
    return folder / "cert", folder / "key"


@pytest.fixture
def tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent(tls, impatient, issuer, packet):
    with rude_server(lambda request: request.answer_json(TAKEN), tls=tls) as server:
        with pytest.raises(Unreachable, match="certificate is not trusted"):
            impatient(server).deposit(packet, issuer)

        assert server.tokens == 0


def test_a_configured_authority_is_trusted(tls, certificate, impatient, issuer, packet):
    with rude_server(lambda request: request.answer_json(TAKEN), tls=tls) as server:
        client = impatient(server, ca_bundle=certificate[0])

        assert client.deposit(packet, issuer).number == TAKEN["numeroFluxDepot"]


def test_a_trickling_server_is_cut_off_over_tls_too(tls, certificate, impatient, issuer, packet):
    with rude_server(drip_headers, tls=tls) as server, pytest.raises(Uncertain):
        impatient(server, ca_bundle=certificate[0]).deposit(packet, issuer)


@pytest.mark.parametrize("url", ["http://api.example.invalid", "ftp://127.0.0.1", "api.example.invalid", ""])
def test_secrets_travel_by_https_except_on_this_machine(url):
    with pytest.raises(ValueError, match="https"):
        ChorusSettings(token_url="https://oauth.example.invalid/token", api_url=url, client_id="a", client_secret="b")


def test_no_repr_tells_a_secret(impatient):
    with rude_server(drip_headers) as server:
        shown = repr(impatient(server).settings)

    assert "Simulateur-1" not in shown
    assert "simulator-secret" not in shown
