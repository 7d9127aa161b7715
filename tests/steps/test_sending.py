"""Sending once: packing, the intent before the call, lost answers, platforms in trouble, and the ends of flows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from gateway.domain.states import FlowState
from tests.loop import OTHER_SUPPLIER, SECOND_SUPPLIER, Loop
from tests.simulator.paper import Paper
from tests.steps.conftest import KNOWS_ITS_EJS
from tests.steps.sending import drop_all, papers, sizes

DEPOSIT = "deposer/flux"
BOUNCES = Paper(number="BAD", buyer=KNOWS_ITS_EJS, ej="unknown")

# --- packing ------------------------------------------------------------------------------------------------------


def test_documents_of_one_issuer_and_syntax_share_a_flow_and_no_others_do(loop: Loop) -> None:
    drop_all(loop, *papers(5))
    drop_all(loop, Paper(number="S-1", seller=SECOND_SUPPLIER))
    loop.drop("c.xml", Paper(number="C-1").cii())
    loop.drop("x.pdf", Paper(number="X-1").facturx())
    loop.night()

    assert sizes(loop) == [1, 1, 1, 5]
    assert len({deposit["syntax"] for deposit in loop.simulator.deposits()}) == 3
    assert {e for n in ("F-0", "F-4", "S-1", "C-1", "X-1") for e in loop.events(n)} == {"deposited"}


def test_a_flow_holds_no_more_documents_than_configured(loops: Callable[..., Loop]) -> None:
    loop = loops(documents_per_flow=4)
    drop_all(loop, *papers(10))
    loop.night()

    assert sizes(loop) == [2, 4, 4]


def test_the_ids_of_more_than_a_hundred_invoices_are_all_found(loops: Callable[..., Loop]) -> None:
    loop = loops(documents_per_flow=150)
    drop_all(loop, *papers(130))
    loop.night()

    assert sizes(loop) == [130]
    rows = [row for row in loop.acks() if row["event"] == "deposited"]
    assert len({row["platform_invoice_id"] for row in rows}) == 130


def test_what_is_deposited_is_what_was_received_byte_for_byte(loop: Loop) -> None:
    drop_all(loop, Paper(number="F-1"))
    loop.take()
    kept = loop.gateway.house.archive.path(loop.documents("F-1")[0].payload_path)
    assert kept.read_bytes() == Paper(number="F-1").ubl()
    kept.chmod(0o600)
    kept.write_bytes(Paper(number="F-1", net="1.00").ubl())
    loop.night()

    assert loop.received("F-1") == 0
    assert loop.told("F-1") == [("refused", "INTAKE-ARCHIVE-DAMAGED")]
    drop_all(loop, Paper(number="F-1"))
    loop.night()
    assert loop.events("F-1")[-1] == "deposited"


def test_a_document_whose_issuer_left_the_configuration_waits_and_goes_when_it_is_back(loop: Loop) -> None:
    drop_all(loop, Paper(number="S-1", seller=SECOND_SUPPLIER), Paper(number="F-1"))
    loop.take()
    issuer = loop.folder / "issuers.d" / f"{SECOND_SUPPLIER}.toml"
    text = issuer.read_text()
    issuer.unlink()
    loop.gateway.configuration.reload()
    loop.night()
    assert loop.told("S-1") == [("held", "ISSUER-GONE")]
    assert loop.events("F-1") == ["deposited"]

    issuer.write_text(text)
    loop.gateway.configuration.reload()
    loop.night()
    assert loop.events("S-1") == ["held", "released", "deposited"]


# --- the answer is lost -------------------------------------------------------------------------------------------


def test_a_lost_answer_is_settled_by_search_and_nothing_is_sent_twice(loop: Loop) -> None:
    loop.simulator.refuse_duplicates(False)
    loop.simulator.fault("lost", DEPOSIT)
    drop_all(loop, *papers(3))
    loop.night()

    assert [loop.received(f"F-{n}") for n in range(3)] == [1, 1, 1]
    assert loop.events("F-0") == ["deposited"]
    assert loop.rows("F-0")[0]["flow_number"]


@pytest.mark.parametrize(
    ("kind", "details"),
    [("cut", {}), ("truncated", {}), ("garbage", {"processed": True}), ("status", {"status": 502, "processed": True})],
)
def test_an_answer_that_says_nothing_is_settled_like_a_lost_one(loop: Loop, kind: str, details: dict) -> None:
    loop.simulator.refuse_duplicates(False)
    loop.simulator.fault(kind, DEPOSIT, **details)
    drop_all(loop, Paper(number="F-1"))
    loop.night()

    assert loop.received("F-1") == 1
    assert loop.events("F-1") == ["deposited"]


def test_a_process_that_dies_in_the_call_leaves_a_flow_that_is_looked_for(loop: Loop) -> None:
    loop.simulator.refuse_duplicates(False)
    drop_all(loop, Paper(number="F-1"))
    loop.take()
    loop.pack()
    flows = loop.gateway.deposit._intend()  # the intent is committed…
    loop.gateway.deposit._call(flows[0])  # …the call is made, and the process dies before it writes down the answer
    loop.restart()
    loop.night()

    assert loop.received("F-1") == 1
    assert loop.events("F-1") == ["deposited"]


def test_a_process_that_dies_before_the_call_sends_after_all_looks_and_not_before(loop: Loop) -> None:
    drop_all(loop, Paper(number="F-1"))
    loop.take()
    loop.pack()
    loop.gateway.deposit._intend()
    loop.restart()
    loop.send()
    assert loop.received("F-1") == 0
    loop.night()

    assert loop.received("F-1") == 1
    assert loop.events("F-1") == ["deposited"]


def test_nothing_is_repeated_before_the_last_look(loops: Callable[..., Loop]) -> None:
    loop = loops(settle=("5m", "15m", "60m"))
    drop_all(loop, Paper(number="F-1"))
    loop.take()
    loop.pack()
    loop.gateway.deposit._intend()
    loop.restart()
    for _ in range(29):
        loop.pass_minutes(2)
    assert loop.received("F-1") == 0
    for _ in range(4):
        loop.pass_minutes(2)
    assert loop.received("F-1") == 1


def test_a_later_look_finds_what_the_first_did_not(loops: Callable[..., Loop]) -> None:
    loop = loops(options={"flow_delay_s": 600, "refuse_duplicates": False}, settle=("5m", "15m", "60m"))
    loop.simulator.fault("lost", DEPOSIT)
    drop_all(loop, Paper(number="F-1"))
    loop.take()
    loop.send()
    for _ in range(10):
        loop.pass_minutes(2)
    loop.gateway.tell.run()

    assert loop.received("F-1") == 1
    assert loop.events("F-1") == ["deposited"]


def test_a_fault_of_ours_during_the_call_leaves_a_flow_that_is_looked_for_without_a_restart(loop: Loop) -> None:
    drop_all(loop, Paper(number="F-1"))
    loop.take()
    loop.pack()
    loop.gateway.deposit._intend()
    loop.night()

    assert loop.received("F-1") == 1
    assert loop.events("F-1") == ["deposited"]


def test_what_is_found_at_no_look_is_repeated_exactly_once_with_the_same_bytes_then_a_person_is_called(
    loop: Loop, capsys: pytest.CaptureFixture[str]
) -> None:
    loop.simulator.fault("dropped", DEPOSIT, times=2)
    drop_all(loop, Paper(number="F-1"))
    loop.take()
    loop.send()
    for _ in range(12):
        loop.pass_minutes(2)

    with loop.gateway.ledger.reading() as unit:
        flow = unit.flow(loop.documents("F-1")[0].flow_id or "")
    assert flow is not None
    assert (flow.state, flow.repeats) == (FlowState.UNKNOWN, 1)
    assert loop.asked(DEPOSIT) <= 2
    assert "needs_a_person" in capsys.readouterr().out
    assert loop.received("F-1") == 0


def test_the_repeat_sends_the_same_bytes(loop: Loop) -> None:
    loop.simulator.fault("status", DEPOSIT, status=500)
    drop_all(loop, *papers(3))
    loop.take()
    loop.send()
    with loop.gateway.ledger.reading() as unit:
        (flow,) = unit.flows_due(FlowState.UNKNOWN, 10) or [unit.flow(loop.documents("F-0")[0].flow_id or "")]
    loop.night()

    (deposit,) = loop.simulator.deposits()
    assert deposit["sha256"] == flow.sha256
    assert loop.events("F-0") == ["deposited"]


def test_a_repeat_that_the_platform_refuses_as_a_double_adopts_what_arrived_first(loop: Loop) -> None:
    """The first call arrived, but its invoices could be found only after the repeat."""
    loop.simulator.switch("flow_delay_s", 3600)
    loop.simulator.fault("lost", DEPOSIT)
    drop_all(loop, *papers(2))
    loop.take()
    loop.send()
    for _ in range(5):
        loop.pass_minutes(2)
    assert loop.received("F-0") == 2
    for _ in range(5):
        loop.pass_minutes(30)
    loop.gateway.tell.run()

    assert [i["number"] for i in loop.simulator.invoices()] == ["F-0", "F-1"]
    first = loop.simulator.deposits()[0]
    for number in ("F-0", "F-1"):
        assert loop.events(number) == ["deposited"]
        assert loop.rows(number)[0]["flow_number"] == first["flow"]


def test_a_platform_that_says_already_without_a_number_is_asked_under_which(loop: Loop) -> None:
    drop_all(loop, Paper(number="F-1"))
    loop.simulator.fault(
        "status",
        DEPOSIT,
        status=200,
        processed=True,
        headers={"content-type": "application/json"},
        body={"codeRetour": 20003, "libelle": "Ce flux a déjà été déposé"},
    )
    loop.night()

    assert loop.received("F-1") == 1
    assert loop.events("F-1") == ["deposited"]


def test_an_invoice_entered_on_the_portal_is_told_as_there_already(loop: Loop) -> None:
    drop_all(loop, Paper(number="F-1"))
    loop.night()
    forgotten = loop.folder / "state" / "ledger.sqlite3"
    loop.gateway.close()
    for path in forgotten.parent.glob("ledger.sqlite3*"):
        path.unlink()
    for path in (loop.folder / "erp" / "out").iterdir():
        path.unlink()
    loop.gateway = loop._gateway()
    drop_all(loop, Paper(number="F-1"))
    loop.night()

    (row,) = loop.rows("F-1")
    assert (row["event"], row["reason_code"], row["action"]) == ("bounced", "CHORUS-ALREADY-THERE", "reissue")


# --- the platform is in trouble -----------------------------------------------------------------------------------


def test_while_the_platform_is_down_nothing_is_lost_and_it_is_left_alone_longer_each_time(loop: Loop) -> None:
    loop.simulator.issue_tokens(False)
    loop.simulator.expire_tokens()
    drop_all(loop, *papers(3))
    loop.take()
    loop.send()
    first = loop.gateway.patience.troubles
    assert set(first) == {"90000001900019"}
    loop.simulator.advance(timedelta(minutes=1))
    loop.send()
    second = loop.gateway.patience.troubles["90000001900019"]
    assert second.length == 2 * first["90000001900019"].length
    assert loop.states("F-0") == ["packed"]

    loop.simulator.issue_tokens(True)
    loop.night()
    assert [loop.received(f"F-{n}") for n in range(3)] == [1, 1, 1]


def test_the_wrong_password_of_one_issuer_delays_nobody_else(loops: Callable[..., Loop]) -> None:
    loop = loops(documents_per_flow=1)
    main = loop.folder / "gateway.toml"
    main.write_text(main.read_text().replace("ACCOUNT_2", "CLIENT_SECRET"))
    loop.restart()
    drop_all(loop, *papers(8, seller=OTHER_SUPPLIER), partner="edi")
    loop.take()
    loop.send()
    called = loop.asked(DEPOSIT)
    assert called <= 3 * 2  # three calls side by side, each with a fresh token at most; then it is left alone
    drop_all(loop, Paper(number="OK-1"), partner="edi")
    loop.take()
    loop.send()

    assert loop.received("OK-1") == 1
    assert loop.asked(DEPOSIT) == called + 1  # the issuer in trouble is left alone meanwhile
    trouble = loop.gateway.patience.troubles[OTHER_SUPPLIER].trouble
    assert OTHER_SUPPLIER in trouble.text.fr
    assert "mot de passe" in trouble.text.fr
    assert loop.states("F-0") == ["packed"]


def test_429_is_obeyed_to_the_second(loop: Loop) -> None:
    loop.simulator.fault("status", DEPOSIT, status=429, headers={"retry-after": "120"})
    drop_all(loop, Paper(number="F-1"))
    loop.take()
    loop.send()
    loop.simulator.advance(timedelta(seconds=90))
    loop.send()
    assert loop.received("F-1") == 0
    loop.simulator.advance(timedelta(seconds=60))
    loop.send()
    assert loop.received("F-1") == 1
