"""The ends of a flow: integrated, in part, rejected, lost by the platform, or never told."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.loop import Loop
from tests.simulator.paper import Paper
from tests.steps.conftest import KNOWS_ITS_EJS
from tests.steps.sending import drop_all, papers, sizes

DEPOSIT = "deposer/flux"
BOUNCES = Paper(number="BAD", buyer=KNOWS_ITS_EJS, ej="unknown")


def test_of_a_flow_integrated_in_part_the_good_live_and_the_bad_are_told_with_their_reason(loop: Loop) -> None:
    drop_all(loop, *papers(3), BOUNCES)
    loop.night()

    assert sizes(loop) == [4]
    (row,) = loop.rows("BAD")
    assert (row["event"], row["source"], row["action"]) == ("bounced", "chorus", "correct-and-redrop")
    assert "engagement juridique est inconnu" in row["reason"]
    assert "même numéro" in row["remedy"]
    assert loop.events("F-0") == ["deposited"]
    assert loop.states("F-0") == ["live"]


def test_a_whole_flow_rejected_for_one_document_sends_the_good_ones_again_alone(loop: Loop) -> None:
    """Our own schema pack would have refused the bad one: it is put into the flow behind its back."""
    drop_all(loop, *papers(3))
    loop.take()
    spoil_one_in_the_flow(loop)
    loop.night()

    assert sorted(loop.events(f"F-{n}")[0] for n in range(3)) == ["bounced", "deposited", "deposited"]
    bad = next(row for n in range(3) for row in loop.rows(f"F-{n}") if row["event"] == "bounced")
    assert bad["native_code"].startswith("ERR_XSD")
    assert loop.findings()[bad["ack_id"]]["line"]
    live = sorted(i["number"] for i in loop.simulator.invoices())
    assert len(live) == 2
    assert all(loop.received(number) == 2 for number in live)


def spoil_one_in_the_flow(loop: Loop) -> None:
    """One payload becomes invalid, with the hashes that go with it."""
    document = loop.documents("F-1")[0]
    bad = (
        Paper(number="F-1")
        .ubl()
        .replace(b"<cbc:InvoiceTypeCode>380", b"<cbc:Nonsense>x</cbc:Nonsense>\n<cbc:InvoiceTypeCode>380")
    )
    kept = loop.gateway.house.archive.put_payload(bad)
    with loop.gateway.ledger.writing("test") as unit:
        unit.set_document(document.id, payload_path=kept.path, payload_sha256=kept.sha256)


def test_a_flow_lost_by_an_incident_is_sent_again_whole_and_only_so_often(
    loop: Loop, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(6):
        loop.simulator.fault("incident", DEPOSIT)
    drop_all(loop, *papers(2))
    loop.night()

    assert loop.received("F-0") == 3
    assert len({deposit["sha256"] for deposit in loop.simulator.deposits()}) == 1
    assert "needs_a_person" in capsys.readouterr().out
    assert loop.states("F-0") == ["sent"]


def test_after_one_incident_the_flow_goes_through(loop: Loop) -> None:
    loop.simulator.fault("incident", DEPOSIT)
    drop_all(loop, *papers(2))
    loop.night()

    assert loop.events("F-0") == ["deposited"]
    assert loop.received("F-0") == 2


def test_a_flow_state_that_nobody_knows_is_told_once_and_waited_for(
    loop: Loop, capsys: pytest.CaptureFixture[str]
) -> None:
    drop_all(loop, Paper(number="F-1"))
    loop.take()
    loop.send()
    number = loop.simulator.deposits()[0]["flow"]
    loop.simulator.set_flow(number, "IN_NOUVEL_ETAT")
    for _ in range(3):
        loop.pass_minutes(2)
    assert capsys.readouterr().out.count("unknown_flow_state") == 1
    assert loop.states("F-1") == ["sent"]

    loop.simulator.set_flow(number, "")
    loop.night()
    assert loop.events("F-1") == ["deposited"]


def test_a_flow_told_as_integrated_before_its_invoices_are_listed_is_waited_for(loop: Loop) -> None:
    drop_all(loop, *papers(2))
    loop.take()
    loop.send()
    number = loop.simulator.deposits()[0]["flow"]
    loop.simulator.set_flow(number, "IN_INTEGRE")
    loop.pass_minutes(2)
    assert loop.states("F-0") == ["sent"]

    loop.simulator.set_flow(number, "")
    loop.night()
    assert loop.events("F-0") == ["deposited"]


def test_a_flow_that_never_ends_is_told_to_a_person_after_a_day(loop: Loop, capsys: pytest.CaptureFixture[str]) -> None:
    drop_all(loop, Paper(number="F-1"))
    loop.take()
    loop.send()
    loop.simulator.set_flow(loop.simulator.deposits()[0]["flow"], "IN_EN_ATTENTE_RETRAITEMENT_CPP")
    loop.pass_minutes(2)
    assert "needs_a_person" not in capsys.readouterr().out
    loop.pass_minutes(25 * 60)
    assert "needs_a_person" in capsys.readouterr().out


def test_a_flow_whose_report_fails_stands_in_no_other_flows_way(loops: Callable[..., Loop]) -> None:
    loop = loops(documents_per_flow=1)
    drop_all(loop, *papers(3))
    loop.take()
    loop.send()
    loop.simulator.advance(timedelta(minutes=2))
    loop.simulator.fault("garbage", "consulterCRDetaille", times=1)
    started = time.monotonic()
    loop.gateway.follow_flows.run()
    loop.pass_minutes(1)

    assert sorted(loop.states(f"F-{n}")[0] for n in range(3)).count("live") >= 2
    assert time.monotonic() - started < 10
