"""Tokens, subscriptions, technical accounts: who is let in, and what the others are told."""

from __future__ import annotations

from datetime import timedelta

import requests

from .conftest import FORM, OTHER_LOGIN, Client
from .paper import Paper

SEARCH = "factures/v1/rechercher/fournisseur"


def test_a_wrong_secret_and_an_unknown_client_get_the_same_answer(chorus):
    for wrong in ({"client_secret": "x"}, {"client_id": "x"}):
        answer = requests.post(chorus.token_url, data={**FORM, **wrong}, timeout=5)
        assert (answer.status_code, answer.json()) == (400, {"error": "invalid_client"})


def test_a_token_says_how_long_it_lives(start):
    answer = requests.post(start(token_ttl_s=120).token_url, data=FORM, timeout=5).json()
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 120)


def test_without_a_token_the_realm_tells_a_known_route_from_an_unknown_one(client):
    known = client.post(SEARCH, headers={})
    unknown = client.post("factures/v1/consulter/cr", headers={})
    assert (known.status_code, known.headers["WWW-Authenticate"]) == (401, 'Bearer realm="PISTE"')
    assert (unknown.status_code, unknown.headers["WWW-Authenticate"]) == (401, 'Bearer realm="DefaultRealm"')


def test_a_missing_token_may_be_a_400_as_measured_in_2026(start):
    client = Client(start(missing_bearer_status=400).url)
    assert client.post(SEARCH, headers={}).status_code == 400


def test_an_unknown_route_is_forbidden_even_with_a_token(client):
    assert client.post("factures/v1/consulter/cr").status_code == 403


def test_basic_instead_of_bearer_is_the_classic_mistake(client):
    assert client.post(SEARCH, headers=client.headers(Authorization=f"Basic {client.token}")).status_code == 401


def test_expired_tokens_are_refused_and_a_new_one_is_not(chorus, client):
    chorus.expire_tokens()
    assert client.post(SEARCH).status_code == 401
    assert client.sign_in().post(SEARCH).status_code == 200


def test_a_token_dies_of_age(start):
    client = Client(start(token_ttl_s=0).url).sign_in()
    assert client.post(SEARCH).status_code == 401


def test_tokens_can_be_stopped(chorus, client):
    chorus.issue_tokens(False)
    assert requests.post(chorus.token_url, data=FORM, timeout=5).status_code == 503
    assert client.post(SEARCH).status_code == 200


def test_an_api_that_is_not_subscribed_is_403_without_a_body(chorus, client):
    chorus.subscribe("structures", False)
    answer = client.post("structures/v1/rechercher")
    assert (answer.status_code, answer.content) == (403, b"")
    assert client.post(SEARCH).status_code == 200


def test_a_wrong_technical_account_is_401(client):
    for login in ("TECH_1_000001@cpro.fr:wrong", "nobody:x", ""):
        client.login = login
        assert client.post(SEARCH).status_code == 401
    assert (
        client.post(SEARCH, headers=client.headers(**{"cpro-account": "not base64 é".encode().hex()})).status_code
        == 401
    )


def test_bodies_that_are_no_json_object_are_told_so(client):
    for body in (b"{", b"[]", b'{"numeroFacture": 3}', b"\xff", b"[" * 100_000):
        headers = client.headers(**{"Content-Type": "application/json"})
        answer = client.session.post(f"{client.url}/cpro/{SEARCH}", data=body, headers=headers, timeout=10)
        assert answer.status_code == 400
    headers = client.headers(**{"Content-Type": "text/xml"})
    assert client.session.post(f"{client.url}/cpro/{SEARCH}", data=b"{}", headers=headers, timeout=5).status_code == 415


def test_a_body_above_every_limit_is_413_and_the_server_lives(client):
    headers = client.headers(**{"Content-Type": "application/json"})

    def endless():
        for _ in range(70):
            yield b" " * 1_048_576

    try:
        answer = client.session.post(f"{client.url}/cpro/{SEARCH}", data=endless(), headers=headers, timeout=20)
        assert answer.status_code == 413
    except requests.ConnectionError:
        pass  # closed on us while we were still sending: a refusal too
    assert Client(client.url).sign_in().post(SEARCH).status_code == 200


def test_an_account_sees_its_own_structures_only(chorus, client):
    flow = client.deposit(Paper().ubl())
    chorus.advance(timedelta(hours=1))
    (invoice,) = client.found()
    stranger = Client(chorus.url, OTHER_LOGIN).sign_in()

    assert stranger.found() == []
    assert stranger.report(flow)["codeRetour"] == 20001
    asked = stranger.ask("factures/v1/consulter/historique", idFacture=invoice["identifiantFactureCPP"])
    assert asked["codeRetour"] == 20001
