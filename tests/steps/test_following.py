"""Following: every status Chorus Pro may tell, what the partner is told of it, and what is never told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.simulator.service_invoices import SOMEBODY
from tests.loop import OTHER_SUPPLIER, SECOND_SUPPLIER, SUPPLIER, Loop
from tests.simulator.paper import TELLS_NO_PAYMENT, Paper

SEARCH, HISTORY = "rechercher/fournisseur", "consulter/historique"


def send(loop: Loop, *given: Paper, partner: str = "erp") -> None:
    for paper in given:
        loop.drop(f"{paper.number}.xml", paper.ubl(), partner)
    loop.night()


def scenario(*rules: dict[str, object]) -> dict[str, object]:
    return {"options": {"scenario": {"rules": list(rules)}}}


def last(loop: Loop, number: str, partner: str = "erp") -> dict[str, str]:
    return loop.rows(number, partner)[-1]


def test_an_invoice_is_followed_to_its_payment(loop: Loop) -> None:
    send(loop, Paper(number="F-1"))
    loop.pass_hours(6)

    assert loop.events("F-1") == [
        "deposited", "EN_COURS_ACHEMINEMENT", "MISE_A_DISPOSITION", "MANDATEE", "COMPTABILISEE", "MISE_EN_PAIEMENT",
    ]  # fmt: skip
    row = last(loop, "F-1")
    assert (row["source"], row["action"], row["retransmittable"]) == ("buyer", "none", "")
    assert row["flow_number"] and row["platform_invoice_id"]
    assert loop.states("F-1") == ["paid"]


@pytest.mark.parametrize(
    ("text", "code", "action"),
    [
        ("Taux de TVA erroné", "TVA_ERRONEE", "reissue"),
        ("Montant erroné", "MONTANT_ERRONE", "reissue"),
        ("Double facturation", "DOUBLE_FACTURATION", "none"),
        ("Merci de contacter l'acheteur", "CONTACTER_ACHETEUR", "contact"),
        ("Retraitement manuel par les services", "RETRAITEMENT_MANUEL", "none"),
        ("Zut alors", "", "reissue"),
    ],
)
def test_a_rejection_is_told_with_its_reason_and_what_to_do(loop: Loop, text: str, code: str, action: str) -> None:
    send(loop, Paper(number="F-1"))
    loop.simulator.set_status("F-1", "REJETEE", text)
    loop.follow()

    row = last(loop, "F-1")
    assert row["native_code"] == "REJETEE"
    assert row["reason_code"] == code
    assert (row["action"], row["retransmittable"]) == (action, "false")
    assert row["comment"] == text
    assert row["remedy"]
    assert loop.states("F-1") == ["rejected"]


@pytest.mark.parametrize(
    ("status", "comment", "code", "action", "retransmittable"),
    [
        ("A_RECYCLER", "SE/EJ incorrect (retransmission possible)", "SE_EJ_INCORRECT", "instruct", "true"),
        ("A_RECYCLER", "", "SE_EJ_INCORRECT", "instruct", "true"),
        ("SUSPENDUE", "Justificatif absent ou insuffisant", "JUSTIFICATIF_ABSENT", "instruct", "false"),
        ("SUSPENDUE", "", "JUSTIFICATIF_ABSENT", "instruct", "false"),
    ],
)
def test_the_suppliers_turn_is_told_with_what_chorus_pro_waits_for(
    loop: Loop, status: str, comment: str, code: str, action: str, retransmittable: str
) -> None:
    send(loop, Paper(number="F-1"))
    loop.simulator.set_status("F-1", status, comment)
    loop.follow()

    row = last(loop, "F-1")
    assert (row["native_code"], row["action"], row["retransmittable"]) == (status, action, retransmittable)
    assert row["reason_code"] == code
    assert row["remedy"]
    assert loop.states("F-1") == ["to-amend"]


def test_a_suspended_invoice_that_was_completed_goes_on(loop: Loop) -> None:
    send(loop, Paper(number="F-1"))
    for status in ("SUSPENDUE", "COMPLETEE", "MISE_A_DISPOSITION", "MISE_EN_PAIEMENT"):
        loop.simulator.advance(timedelta(hours=1))
        loop.simulator.set_status("F-1", status)
        loop.follow()

    assert loop.events("F-1")[-4:] == ["SUSPENDUE", "COMPLETEE", "MISE_A_DISPOSITION", "MISE_EN_PAIEMENT"]
    assert loop.states("F-1") == ["paid"]


def test_a_status_that_nobody_documented_is_told_with_its_native_code_and_logged(
    loops: Callable[..., Loop], capsys: pytest.CaptureFixture[str]
) -> None:
    loop = loops(**scenario({"number": "*", "path": "invented"}), statuses=())
    send(loop, Paper(number="F-1"))
    loop.pass_hours(4)

    row = last(loop, "F-1")
    assert (row["native_code"], row["action"]) == ("INVENTED", "contact")
    assert "INVENTED" in row["native_label"]
    assert "status_to_look_at" in capsys.readouterr().out
    assert loop.documents("F-1")[0].native_status == "INVENTED"


def test_the_last_word_of_a_buyer_that_never_tells_payment_is_the_end_and_told(loops: Callable[..., Loop]) -> None:
    loop = loops(statuses=())
    send(loop, Paper(number="F-1", buyer=TELLS_NO_PAYMENT))
    loop.pass_hours(8)

    assert loop.states("F-1") == ["final-without-payment"]
    ends = [row for row in loop.rows("F-1") if row["comment"] == "final-without-payment"]
    assert [row["native_code"] for row in ends] == ["MANDATEE"]
    assert "jamais la mise en paiement" in ends[0]["reason"]


def test_by_default_only_the_ends_and_the_suppliers_turns_are_told(loops: Callable[..., Loop]) -> None:
    loop = loops(statuses=("MANDATEE",))
    send(loop, Paper(number="F-1"))
    loop.pass_hours(6)

    assert loop.events("F-1") == ["deposited", "MANDATEE", "MISE_EN_PAIEMENT"]


def test_silence_is_told_once_and_an_invoice_is_heard_again(loops: Callable[..., Loop]) -> None:
    loop = loops(**scenario({"number": "*", "path": "silent"}))
    send(loop, Paper(number="F-1"))
    loop.pass_hours(3)
    loop.pass_hours(24 * 92, step=24 * 23)

    silent = [row for row in loop.rows("F-1") if row["comment"] == "silent"]
    assert [(row["source"], row["action"], row["native_code"]) for row in silent] == [
        ("gateway", "contact", "MISE_A_DISPOSITION")
    ]
    assert silent[0]["remedy"]
    assert loop.states("F-1") == ["silent"]

    loop.simulator.set_status("F-1", "MISE_EN_PAIEMENT")
    loop.follow()
    assert loop.events("F-1")[-1] == "MISE_EN_PAIEMENT"
    assert loop.states("F-1") == ["paid"]


def test_while_the_platform_is_out_of_reach_silence_means_nothing(loops: Callable[..., Loop]) -> None:
    loop = loops(**scenario({"number": "*", "path": "silent"}))
    send(loop, Paper(number="F-1"))
    loop.pass_hours(3)
    loop.simulator.fault("status", SEARCH, times=100, status=503)
    loop.pass_hours(24 * 92, step=24 * 23)

    assert loop.states("F-1") == ["live"]
    loop.simulator.clear_faults()
    loop.simulator.set_status("F-1", "MISE_EN_PAIEMENT")
    loop.simulator.advance(timedelta(hours=1))
    loop.follow()
    assert loop.states("F-1") == ["paid"]


# --- what it costs, and what breaks -------------------------------------------------------------------------------


def test_one_search_for_each_issuer_and_poll_not_one_for_each_invoice(loop: Loop) -> None:
    send(loop, *(Paper(number=f"F-{n}") for n in range(30)), Paper(number="S-1", seller=SECOND_SUPPLIER))
    loop.follow()
    searches, histories = loop.asked(SEARCH), loop.asked(HISTORY)
    for _ in range(3):
        loop.simulator.advance(timedelta(minutes=1))
        loop.follow()
    assert loop.asked(SEARCH) - searches == 3 * 2
    assert loop.asked(HISTORY) == histories  # nothing was news

    loop.simulator.set_status("F-7", "REJETEE", "Montant erroné")
    loop.follow()
    assert loop.asked(HISTORY) == histories + 1


def watermark(loop: Loop, issuer: str = SUPPLIER) -> object:
    with loop.gateway.ledger.reading() as unit:
        return unit.watermark("chorus-api", issuer)


def test_a_search_that_breaks_in_the_middle_moves_no_watermark_and_loses_nothing(loop: Loop) -> None:
    send(loop, *(Paper(number=f"F-{n:03}") for n in range(120)))
    loop.follow()
    before = watermark(loop)
    assert before
    loop.simulator.advance(timedelta(hours=1))
    for n in range(120):
        loop.simulator.set_status(f"F-{n:03}", "REJETEE", "Montant erroné")
    loop.simulator.fault("garbage", HISTORY, times=3)
    loop.follow()
    assert watermark(loop) == before

    loop.simulator.advance(timedelta(minutes=15))
    loop.follow()
    assert watermark(loop) != before
    assert {loop.states(f"F-{n:03}")[0] for n in range(120)} == {"rejected"}
    told = [row["document_number"] for row in loop.acks() if row["native_code"] == "REJETEE"]
    assert len(told) == len(set(told)) == 120


def test_a_search_whose_second_page_breaks_moves_no_watermark_and_keeps_what_it_learnt(loop: Loop) -> None:
    send(loop, *(Paper(number=f"F-{n:03}") for n in range(120)))
    loop.follow()
    before = watermark(loop)
    loop.simulator.advance(timedelta(hours=1))
    for n in range(120):
        loop.simulator.set_status(f"F-{n:03}", "REJETEE", "Montant erroné")
    loop.simulator.fault("delay", SEARCH, seconds=0)
    loop.simulator.fault("garbage", SEARCH)
    loop.follow()

    assert watermark(loop) == before
    assert [loop.states(f"F-{n:03}")[0] for n in (0, 99, 100, 119)] == ["rejected", "rejected", "live", "live"]


def test_one_history_that_cannot_be_read_hides_no_other_news(loop: Loop) -> None:
    send(loop, *(Paper(number=f"F-{n}") for n in range(4)))
    loop.follow()
    before = watermark(loop)
    loop.simulator.advance(timedelta(minutes=1))
    for n in range(4):
        loop.simulator.set_status(f"F-{n}", "REJETEE", "Montant erroné")
    loop.simulator.fault("garbage", HISTORY, times=1)
    loop.follow()
    assert sorted(loop.states(f"F-{n}")[0] for n in range(4)) == ["live", "rejected", "rejected", "rejected"]
    assert watermark(loop) == before

    loop.follow()
    assert {loop.states(f"F-{n}")[0] for n in range(4)} == {"rejected"}


def test_the_searches_overlap(loop: Loop) -> None:
    """A status that the platform stamps late, behind the watermark, is found all the same."""
    send(loop, Paper(number="F-1"))
    loop.simulator.set_status("F-1", "REJETEE", "Montant erroné")
    with loop.gateway.ledger.writing("test") as unit:
        unit.set_watermark("chorus-api", SUPPLIER, loop.simulator.now() + timedelta(hours=20))
    loop.follow()

    assert loop.states("F-1") == ["rejected"]


def test_what_moved_on_before_its_flow_was_settled_is_heard_too(loop: Loop) -> None:
    """The gateway slept for a week: the flow's invoice was rejected long before the watermark of its issuer."""
    send(loop, Paper(number="F-0"))
    loop.drop("late.xml", Paper(number="F-1").ubl())
    loop.take()
    loop.send()
    loop.simulator.advance(timedelta(hours=2))
    loop.simulator.set_status("F-1", "REJETEE", "Montant erroné")
    loop.simulator.advance(timedelta(days=7))
    loop.follow()
    loop.simulator.advance(timedelta(days=2))
    loop.follow()
    loop.gateway.follow_flows.run()
    loop.follow()

    assert loop.events("F-1") == ["deposited", "EN_COURS_ACHEMINEMENT", "REJETEE"] or loop.states("F-1") == ["rejected"]


def test_the_issuers_of_two_accounts_are_both_followed_and_one_in_trouble_hides_not_the_other(loop: Loop) -> None:
    send(loop, Paper(number="F-1"), partner="edi")
    send(loop, Paper(number="O-1", seller=OTHER_SUPPLIER), partner="edi")
    loop.simulator.advance(timedelta(minutes=1))
    loop.simulator.set_status("F-1", "MISE_EN_PAIEMENT")
    loop.simulator.set_status("O-1", "MISE_EN_PAIEMENT")
    loop.simulator.fault("status", SEARCH, times=1, status=503)
    loop.follow()
    assert sorted([loop.states("F-1")[0], loop.states("O-1")[0]]) == ["live", "paid"]

    loop.simulator.advance(timedelta(minutes=5))
    loop.follow()
    assert [loop.states("F-1")[0], loop.states("O-1")[0]] == ["paid", "paid"]


def test_the_persons_in_chorus_pros_history_are_nowhere_with_us(loop: Loop, capfd: pytest.CaptureFixture[str]) -> None:
    send(loop, Paper(number="F-1"))
    loop.simulator.set_status("F-1", "REJETEE", "Montant erroné")
    loop.follow()
    loop.gateway.close()
    assert loop.asked(HISTORY) > 0

    written = b"".join(path.read_bytes() for path in Path(loop.folder).rglob("*") if path.is_file())
    logged = "".join(capfd.readouterr())
    for personal in SOMEBODY.values():
        assert personal.encode() not in written
        assert personal not in logged
    assert "Montant erroné".encode() in written  # the comment is told…
    assert "Montant erroné" not in logged  # …to its addressee and nobody else
    loop.gateway = loop._gateway()
