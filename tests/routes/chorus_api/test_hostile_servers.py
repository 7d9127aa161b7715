"""A server that misbehaves holds no thread, fills no memory, and never makes us send twice."""

from __future__ import annotations

import json
import socket
import time

import pytest

from gateway.routes.chorus_api import ChorusApi, Timeouts
from gateway.routes.protocol import Misunderstood, NotAllowed, Packet, Refused, Uncertain, Unreachable

from .conftest import settings_for
from .rude import Request, rude_server

TAKEN = {"codeRetour": 0, "libelle": "GCU_MSG_01_000", "numeroFluxDepot": "CPP0011100000000000000001"}


def stall(request: Request) -> None:
    request.stopping.wait(20)


def drip_headers(request: Request) -> None:
    request.drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 5000)


def drip_body(request: Request) -> None:
    request.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    request.drip(b" " * 5000)


def close_without_a_word(request: Request) -> None:
    return


def cut_in_the_answer(request: Request) -> None:
    request.send(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"codeRetour": 0')


def garbage(request: Request) -> None:
    request.answer(200, b"<html>Maintenance</html>")


def no_http(request: Request) -> None:
    request.send(b"\x00\x01\x02 SSH-2.0-OpenSSH\r\n\r\n")


def nested(request: Request) -> None:
    request.answer(200, b'{"codeRetour":0,"x":' + b"[" * 40_000 + b"]" * 40_000 + b"}")


def a_list(request: Request) -> None:
    request.answer(200, b"[1,2,3]")


def without_a_code(request: Request) -> None:
    request.answer_json({"libelle": "ok", "numeroFluxDepot": "X"})


def huge(request: Request) -> None:
    request.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\n\r\n")
    for _ in range(2000):
        request.send(b" " * 65536)


def endless_chunks(request: Request) -> None:
    request.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(200_000):
        try:
            request.connection.sendall(b"2\r\n  \r\n")
        except OSError:
            return


def compressed(request: Request) -> None:
    request.answer(200, b"\x1f\x8b" + b"\0" * 100, Content_Encoding="gzip")


def redirect(request: Request) -> None:
    request.answer(307, b"", Location=f"http://{request.headers['host']}/elsewhere")


def status(code: int, body: bytes = b"", **headers: str):
    def give(request: Request) -> None:
        request.answer(code, body, **headers)

    give.__name__ = f"status_{code}{'_'.join(['', *headers])}"
    return give


AFTER_ARRIVAL = [
    stall, drip_headers, drip_body, close_without_a_word, cut_in_the_answer, garbage, no_http, nested, a_list,
    without_a_code, huge, endless_chunks, compressed, redirect, status(500), status(502), status(503), status(504),
]  # fmt: skip


@pytest.mark.parametrize("behaviour", AFTER_ARRIVAL, ids=lambda behaviour: behaviour.__name__)
def test_a_deposit_without_a_whole_answer_is_uncertain_and_made_once(behaviour, impatient, issuer, packet):
    with rude_server(behaviour) as server:
        client = impatient(server)

        began = time.monotonic()
        with pytest.raises(Uncertain):
            client.deposit(packet, issuer)

        assert time.monotonic() - began < 30
        assert len(server.calls("deposer/flux")) == 1


@pytest.mark.parametrize("behaviour", AFTER_ARRIVAL, ids=lambda behaviour: behaviour.__name__)
def test_a_read_without_a_whole_answer_is_unreachable(behaviour, impatient, issuer):
    with rude_server(behaviour) as server:
        client = impatient(server)

        began = time.monotonic()
        with pytest.raises(Unreachable):
            client.report(issuer, "CPP001", "IN_DP_E1_UBL_INVOICE")

        assert time.monotonic() - began < 30
        assert len(server.requests) <= 2
        assert not server.calls("elsewhere")


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (status(400), Misunderstood),
        (status(401), NotAllowed),
        (status(403), NotAllowed),
        (status(404), Misunderstood),
        (status(415), Misunderstood),
        (status(429, b"", Retry_After="30"), Unreachable),
        (status(503, b"", Retry_After="600"), Unreachable),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_deposit_refused_at_the_door_was_not_made(behaviour, error, impatient, issuer, packet):
    with rude_server(behaviour) as server, pytest.raises(error) as caught:
        impatient(server).deposit(packet, issuer)

    assert caught.value.text.fr
    assert caught.value.text.en


def test_the_time_to_come_back_is_told(impatient, issuer, packet):
    with rude_server(status(429, b"", Retry_After="30")) as server, pytest.raises(Unreachable) as caught:
        impatient(server).deposit(packet, issuer)

    assert caught.value.retry_after_s == 30


def test_a_flow_too_large_for_the_platform_is_refused(impatient, issuer, packet):
    with rude_server(status(413)) as server, pytest.raises(Refused) as caught:
        impatient(server).deposit(packet, issuer)

    assert caught.value.refusal.code == "factures/v1/deposer/flux 413"


def test_nobody_listening_is_unreachable(impatient, issuer, packet):
    with rude_server(stall) as server:
        pass

    with pytest.raises(Unreachable, match="refused"):
        impatient(server).deposit(packet, issuer)


def test_a_platform_that_vanishes_after_the_token_is_unreachable(impatient, issuer, packet):
    with rude_server(status(200)) as server:
        nobody = socket.create_server(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        nobody.close()
        client = impatient(server, api_url=f"http://127.0.0.1:{port}")

        with pytest.raises(Unreachable, match="connection was refused"):
            client.deposit(packet, issuer)


def test_an_upload_that_the_server_never_read_to_its_end_certainly_did_not_arrive(impatient, issuer):
    large = Packet("big.tar.gz", "IN_DP_E1_UBL_INVOICE", b"\x7f" * 20_000_000, ("d",), ("big.tar.gz",))
    with rude_server(stall, reads=False) as server:
        began = time.monotonic()
        with pytest.raises(Unreachable):
            impatient(server).deposit(large, issuer)

    assert time.monotonic() - began < 30


def test_an_upload_may_take_longer_than_a_connection(impatient, issuer):
    large = Packet("big.tar.gz", "IN_DP_E1_UBL_INVOICE", b"\x7f" * 20_000_000, ("d",), ("big.tar.gz",))
    with rude_server(lambda request: request.answer_json(TAKEN), pause_s=0.6) as server:
        client = impatient(server, timeouts=Timeouts(connect_s=0.2, read_s=5, total_s=5, upload_s=5))

        assert client.deposit(large, issuer).number == TAKEN["numeroFluxDepot"]
        assert len(server.requests[0].body) > 26_000_000


def test_a_proxy_of_the_environment_is_not_used(impatient, issuer, packet, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with rude_server(lambda request: request.answer_json(TAKEN)) as server:
        assert impatient(server).deposit(packet, issuer).number == TAKEN["numeroFluxDepot"]


def test_each_deposit_has_a_connection_of_its_own(impatient, issuer, packet):
    with rude_server(lambda request: request.answer_json(TAKEN), keeps=True) as server:
        client = impatient(server)
        for _ in range(5):
            client.deposit(packet, issuer)

        assert len({id(request.connection) for request in server.requests}) == 5


def test_reads_share_a_connection(impatient, issuer):
    answer = {"codeRetour": 0, "libelle": "", "etatCourantDepotFlux": "IN_RECU"}
    with rude_server(lambda request: request.answer_json(answer), keeps=True) as server:
        client = impatient(server)
        for _ in range(5):
            client.report(issuer, "CPP1", "IN_DP_E1_UBL_INVOICE")

        assert len({id(request.connection) for request in server.requests}) == 1


def test_a_kept_connection_closed_by_the_server_is_no_failure_of_a_read(impatient, issuer):
    turn = [0]

    def answer_then_hang_up(request: Request) -> None:
        turn[0] += 1
        if turn[0] == 2:
            request.connection.shutdown(socket.SHUT_RDWR)
        request.answer_json({"codeRetour": 0, "libelle": "", "etatCourantDepotFlux": "IN_RECU"})

    with rude_server(answer_then_hang_up, keeps=True) as server:
        client = impatient(server)
        for _ in range(3):
            assert client.report(issuer, "CPP1", "IN_DP_E1_UBL_INVOICE").native_state == "IN_RECU"


def test_what_is_sent_is_the_packet_byte_for_byte(impatient, issuer, packet):
    with rude_server(lambda request: request.answer_json(TAKEN)) as server:
        impatient(server).deposit(packet, issuer)

        sent = server.calls("deposer/flux")[0]
        assert sent.json() == {
            "nomFichier": packet.name,
            "syntaxeFlux": packet.syntax,
            "avecSignature": False,
            "fichierFlux": "PEludm9pY2UvPg==",
        }
        assert sent.headers["authorization"] == "Bearer token-1"
        assert sent.headers["cpro-account"] == "VEVDSF8xXzAwMDAwMUBjcHJvLmZyOlNpbXVsYXRldXItMQ=="


def test_a_refused_token_is_renewed_and_the_deposit_made_with_the_new_one(impatient, issuer, packet):
    def only_the_second(request: Request) -> None:
        if request.headers["authorization"] == "Bearer token-2":
            request.answer_json(TAKEN)
        else:
            request.answer(401, b"", WWW_Authenticate='Bearer realm="PISTE"')

    with rude_server(only_the_second) as server:
        deposited = impatient(server).deposit(packet, issuer)

        assert deposited.number == TAKEN["numeroFluxDepot"]
        assert server.tokens == 2


def test_a_wrong_technical_account_does_not_fetch_a_token_for_every_call(impatient, issuer, packet):
    with rude_server(status(401)) as server:
        client = impatient(server)
        for _ in range(5):
            with pytest.raises(NotAllowed, match="technical account"):
                client.deposit(packet, issuer)

        assert server.tokens == 2


def test_a_token_that_is_never_accepted_is_told_apart_from_a_wrong_account(impatient, issuer, packet):
    with rude_server(status(401, b"", WWW_Authenticate='Bearer realm="PISTE"')) as server:
        with pytest.raises(NotAllowed, match="same environment"):
            impatient(server).deposit(packet, issuer)

        assert server.tokens == 3


def test_a_token_that_ends_while_an_account_is_suspected_is_renewed_within_a_minute(impatient, issuer, packet):
    now = [0.0]

    def by_token(request: Request) -> None:
        if request.headers["authorization"] == "Bearer token-3":
            request.answer_json(TAKEN)
        else:
            request.answer(401)

    with rude_server(by_token) as server:
        client = ChorusApi(settings_for(server), monotonic=lambda: now[0])
        for _ in range(2):
            with pytest.raises(NotAllowed):
                client.deposit(packet, issuer)
        now[0] = 61.0

        assert client.deposit(packet, issuer).number == TAKEN["numeroFluxDepot"]


def test_an_account_that_is_not_configured_is_named(impatient, issuer, packet):
    with rude_server(stall) as server, pytest.raises(NotAllowed, match="“one”"):
        impatient(server, accounts={}).deposit(packet, issuer)


@pytest.mark.parametrize("number", ["", None, 7, "x" * 200, "CPP\r\nX: y"])
def test_a_success_that_names_no_flow_is_uncertain(number, impatient, issuer, packet):
    answer = {**TAKEN, "numeroFluxDepot": number}
    if number == 7:
        answer["numeroFluxDepot"] = ["7"]
    with rude_server(lambda request: request.answer_json(answer)) as server, pytest.raises(Uncertain):
        impatient(server).deposit(packet, issuer)


@pytest.mark.parametrize(
    "text",
    [
        "Ce flux a déjà été déposé",
        "GDP_MSG_11.050 Vous avez déjà déposé une demande de paiement avec ce numéro de facture",
    ],
)
def test_deposited_before_means_that_the_first_call_arrived(text, impatient, issuer, packet):
    with rude_server(lambda request: request.answer_json({"codeRetour": 20050, "libelle": text})) as server:
        assert impatient(server).deposit(packet, issuer).already


def test_a_business_error_refuses_the_flow_under_service_code_and_prefix(impatient, issuer, packet):
    answer = {"codeRetour": 20001, "libelle": "GDP_MSG_11.022 : Le fichier dépasse la taille maximale"}
    with rude_server(lambda request: request.answer_json(answer)) as server, pytest.raises(Refused) as caught:
        impatient(server).deposit(packet, issuer)

    assert caught.value.refusal.code == "factures/v1/deposer/flux 20001 GDP_MSG_11.022"
    assert caught.value.refusal.text == answer["libelle"]


def test_their_technical_error_refuses_nothing(impatient, issuer, packet):
    answer = {"codeRetour": 10, "libelle": "TRA_MSG_00.001 Une erreur technique est survenue"}
    with rude_server(lambda request: request.answer_json(answer)) as server, pytest.raises(Uncertain):
        impatient(server).deposit(packet, issuer)


def test_no_error_tells_a_secret(impatient, issuer, packet):
    for behaviour in (status(401), status(403), status(400), garbage, stall):
        with rude_server(behaviour) as server, pytest.raises((Unreachable, Uncertain)) as caught:
            impatient(server).deposit(packet, issuer)
        told = json.dumps([*caught.value.text, repr(caught.value), str(caught.value.__cause__)])
        assert "Simulateur-1" not in told
        assert "simulator-secret" not in told
        assert "token-1" not in told


def test_a_flow_that_the_platform_does_not_find_yet_is_pending(impatient, issuer):
    answer = {"codeRetour": 20001, "libelle": "POQ_MSG_01.003 Flux introuvable"}
    with rude_server(lambda request: request.answer_json(answer)) as server:
        report = impatient(server).report(issuer, "CPP001", "IN_DP_E1_UBL_INVOICE")

    assert (report.outcome, report.native_state) == ("pending", "POQ_MSG_01.003")


def test_a_large_answer_is_refused_for_its_size_though_it_comes_fast(impatient, issuer):
    answer = {"codeRetour": 0, "etatCourantDepotFlux": "IN_RECU", "x": "a" * 120_000}
    give = rude_server(lambda request: request.answer_json(answer))
    with give as server, pytest.raises(Unreachable, match="too large"):
        impatient(server).report(issuer, "CPP1", "IN_DP_E1_UBL_INVOICE")


def test_invoices_of_another_issuer_are_left_out_whatever_was_searched(impatient, issuer):
    def answer(request: Request) -> None:
        if "structures" in request.path:
            listed = [{"idStructureCPP": 5, "identifiantStructure": issuer.siret, "statut": "ACTIVE"}]
            request.answer_json({"codeRetour": 0, "listeStructures": listed})
            return
        assert request.json()["idFournisseur"] == 5
        invoices = [
            {"identifiantFactureCPP": 1, "numeroFacture": "A", "codeFournisseur": issuer.siret},
            {"identifiantFactureCPP": 2, "numeroFacture": "B", "codeFournisseur": "90000002700012"},
            {"numeroFacture": "C", "codeFournisseur": issuer.siret},
        ]
        counts = {"pageCourante": 1, "pages": 1, "total": 3}
        request.answer_json({"codeRetour": 0, "parametresRetour": counts, "listeFactures": invoices})

    with rude_server(answer) as server:
        assert [one.number for one in impatient(server).invoices_of(issuer, "CPP1")] == ["A"]
        assert server.calls("rechercher/fournisseur")
