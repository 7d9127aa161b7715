"""Each kind of trouble, once as asked and then gone; and the controls over HTTP."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
import requests

from .paper import Paper

SEARCH = "factures/v1/rechercher/fournisseur"
DEPOSIT = "deposer/flux"


def test_a_lost_answer_was_processed_all_the_same(chorus, client):
    chorus.fault("lost", DEPOSIT)
    with pytest.raises(requests.ConnectionError):
        client.deposit(Paper().ubl())
    assert len(chorus.deposits()) == 1
    chorus.advance(timedelta(minutes=1))
    assert client.found()[0]["numeroFacture"] == "F-1"


def test_a_dropped_request_was_not_processed(chorus, client):
    chorus.fault("dropped", DEPOSIT)
    with pytest.raises(requests.ConnectionError):
        client.deposit(Paper().ubl())
    assert chorus.deposits() == []


def test_a_fault_strikes_as_often_as_asked_and_on_its_path_only(chorus, client):
    chorus.fault("status", SEARCH, times=2, status=503)
    assert client.ask("structures/v1/rechercher")["codeRetour"] == 0
    assert [client.post(SEARCH).status_code for _ in range(3)] == [503, 503, 200]


def test_cleared_faults_do_not_come(chorus, client):
    chorus.fault("status", status=500)
    chorus.clear_faults()
    assert client.post(SEARCH).status_code == 200


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_any_status_with_headers_and_body(chorus, client, status):
    chorus.fault("status", SEARCH, status=status, headers={"Retry-After": "7"}, body={"oops": 1})
    answer = client.post(SEARCH)
    assert (answer.status_code, answer.headers["Retry-After"], answer.json()) == (status, "7", {"oops": 1})


def test_a_500_may_come_after_the_deposit_was_taken(chorus, client):
    chorus.fault("status", DEPOSIT, status=500, processed=True)
    assert client.post("factures/v1/deposer/flux").status_code == 500
    assert len(chorus.deposits()) == 1


def test_an_answer_may_come_late_before_or_after_processing(chorus, client):
    chorus.fault("delay", SEARCH, seconds=0.3)
    before = time.monotonic()
    assert client.post(SEARCH).status_code == 200
    assert time.monotonic() - before >= 0.3
    chorus.fault("delay", DEPOSIT, seconds=1.0, processed=True)
    with pytest.raises(requests.Timeout):
        client.post("factures/v1/deposer/flux", {}, timeout=0.3)
    assert len(chorus.deposits()) == 1


def test_garbage_and_truncated_json_come_under_a_200(chorus, client):
    for kind in ("garbage", "truncated"):
        chorus.fault(kind, SEARCH)
        answer = client.post(SEARCH)
        assert answer.status_code == 200
        with pytest.raises(ValueError, match=r"."):
            answer.json()


def test_an_answer_may_be_cut_half_way(chorus, client):
    chorus.fault("cut", SEARCH)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.post(SEARCH)


def test_a_huge_answer_has_the_size_asked_for(chorus, client):
    chorus.fault("huge", SEARCH, bytes=5_000_000)
    assert len(client.post(SEARCH).content) == 5_000_000


def test_an_answer_may_have_another_content_type(chorus, client):
    chorus.fault("content-type", SEARCH, value="text/plain")
    assert client.post(SEARCH).headers["content-type"] == "text/plain"


def test_a_flow_may_end_in_an_incident_with_nothing_integrated(chorus, client):
    chorus.fault("incident")
    first, second = client.deposit(Paper().ubl()), client.deposit(Paper().ubl())
    chorus.advance(timedelta(minutes=2))
    states = [client.report(flow)["etatCourantDepotFlux"] for flow in (first, second)]
    assert states == ["IN_INCIDENTE", "IN_INTEGRE"]


def test_a_flow_may_be_held_in_any_state_and_let_go(chorus, client):
    flow = client.deposit(Paper().ubl())
    chorus.set_flow(flow, "IN_INVENTE")
    chorus.advance(timedelta(days=1))
    assert client.report(flow)["etatCourantDepotFlux"] == "IN_INVENTE"
    chorus.set_flow(flow, "")
    assert client.report(flow)["etatCourantDepotFlux"] == "IN_INTEGRE"
    with pytest.raises(ValueError, match="integrated"):
        chorus.set_flow(flow, "")


def test_an_unknown_fault_or_detail_is_refused(chorus):
    with pytest.raises(ValueError, match="unknown fault"):
        chorus.fault("earthquake")
    with pytest.raises(ValueError, match="takes no"):
        chorus.fault("lost", seconds=3)


def test_everything_can_be_driven_over_http(chorus, client):
    base = f"{chorus.url}/_simulator"
    post = client.session.post
    flow = client.deposit(Paper().ubl())
    post(f"{base}/advance", json={"seconds": 60}, timeout=5).raise_for_status()
    post(
        f"{base}/invoices", json={"number": "F-1", "status": "REJETEE", "comment": "non"}, timeout=5
    ).raise_for_status()
    post(f"{base}/flows", json={"flow": flow, "state": "IN_A_RELANCER"}, timeout=5).raise_for_status()
    post(f"{base}/options", json={"refuse_duplicates": False, "flow_delay_s": 1}, timeout=5).raise_for_status()
    post(f"{base}/faults", json={"kind": "status", "path": SEARCH, "status": 429}, timeout=5).raise_for_status()
    assert client.post(SEARCH).status_code == 429
    post(f"{base}/faults", json={"kind": "lost", "times": 9}, timeout=5).raise_for_status()
    client.session.delete(f"{base}/faults", timeout=5).raise_for_status()
    post(f"{base}/subscriptions", json={"api": "factures", "on": False}, timeout=5).raise_for_status()
    assert client.post(SEARCH).status_code == 403
    post(f"{base}/tokens", json={"expire": True}, timeout=5).raise_for_status()
    assert client.post(SEARCH).status_code == 401

    told = client.session.get(f"{base}/state", timeout=5).json()
    invoices = client.session.get(f"{base}/invoices", timeout=5).json()["invoices"]
    assert told["flows"] == {flow: "IN_A_RELANCER"}
    assert told["counters"]["invoices"] == {"REJETEE": 1}
    assert [one["number"] for one in told["deposits"][0]["documents"]] == ["F-1"]
    assert invoices[0]["comment"] == "non"


@pytest.mark.parametrize(
    ("control", "body"),
    [
        ("advance", {"seconds": -1}),
        ("advance", {"seconds": 1e300}),
        ("advance", {}),
        ("options", {"clock": "real"}),
        ("options", {"refuse_duplicates": "no"}),
        ("invoices", {"number": "none", "status": "X"}),
        ("faults", {"kind": "earthquake"}),
        ("subscriptions", {"api": "x", "on": True}),
        ("tokens", []),
    ],
)
def test_a_control_used_wrongly_says_so(chorus, control, body):
    answer = requests.post(f"{chorus.url}/_simulator/{control}", json=body, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"]
