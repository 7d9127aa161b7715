"""The table "the same invoice again" (DESIGN 4.3), each cell performed on files, through the whole loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pikepdf
import pytest
from sqlalchemy.exc import IntegrityError

from tests.loop import OTHER_SUPPLIER, Loop
from tests.simulator.paper import DEMANDS_EJ, DEMANDS_SERVICE, Paper, zipped

WITHOUT_EJ = Paper(number="F-1", buyer=DEMANDS_EJ)
WITH_EJ = Paper(number="F-1", buyer=DEMANDS_EJ, ej="1501966748")
GOOD = Paper(number="F-1")
BOUNCES = Paper(number="F-1", buyer="12345678200085", ej="unknown")
OTHER = Paper(number="F-1", net="200.00", gross="240.00")


# --- refused by us, bounced, flow rejected ------------------------------------------------------------------------


def test_a_refused_invoice_that_is_corrected_goes_under_the_same_number(loop: Loop) -> None:
    loop.drop("a.xml", WITHOUT_EJ.ubl())
    loop.night()
    loop.drop("b.xml", WITH_EJ.ubl())
    loop.night()

    assert loop.told("F-1") == [("refused", "CHORUS-EJ-MISSING"), ("deposited", "")]
    assert loop.received("F-1") == 1
    first, second = loop.documents("F-1")
    assert second.replaces == first.id


def test_the_same_refused_bytes_again_are_a_duplicate_that_names_the_first(loop: Loop) -> None:
    for name in ("a.xml", "b.xml", "c.xml"):
        loop.drop(name, WITHOUT_EJ.ubl())
        loop.night()

    refused, *duplicates = loop.rows("F-1")
    assert refused["event"] == "refused"
    assert [row["event"] for row in duplicates] == ["duplicate", "duplicate"]
    assert all(f"first={refused['document_id']}" in row["comment"] for row in duplicates)
    assert all(row["first_rule"] == "CHORUS-EJ-MISSING" for row in duplicates)


def test_the_same_refused_bytes_go_when_what_they_were_refused_for_is_no_more(loop: Loop) -> None:
    unknown = Paper(number="F-1", seller="90000009900011")
    loop.drop("a.xml", unknown.ubl())
    loop.night()
    assert loop.told("F-1") == [("refused", "ISSUER-UNKNOWN")]

    issuers = loop.folder / "issuers.d"
    (issuers / "new.toml").write_text(
        (issuers / "90000001900019.toml").read_text().replace("90000001900019", "90000009900011")
    )
    loop.gateway.configuration.reload()
    loop.drop("b.xml", unknown.ubl())
    loop.take()

    assert loop.states("F-1") == ["refused", "ready"]


def test_a_bounced_invoice_goes_again_with_other_bytes_and_with_the_same(loop: Loop) -> None:
    loop.drop("a.xml", BOUNCES.ubl())
    loop.night()
    assert loop.events("F-1") == ["bounced"]

    loop.drop("b.xml", BOUNCES.ubl())
    loop.night()
    loop.drop("c.xml", GOOD.ubl())
    loop.night()

    assert loop.events("F-1") == ["bounced", "bounced", "deposited"]
    assert loop.states("F-1") == ["bounced", "bounced", "live"]


# --- held ---------------------------------------------------------------------------------------------------------


def held_for_its_directory(loop: Loop, paper: Paper) -> None:
    """Nobody can be asked about its buyer, so it waits."""
    loop.configuration.settings.snapshot.unlink()
    loop.simulator.fault("status", "structures", times=50, status=503)
    loop.drop("held.xml", paper.ubl())
    loop.night()
    assert loop.told(paper.number) == [("held", "CHORUS-DIRECTORY-MISSING")]


def test_a_held_invoice_is_replaced_by_other_bytes_and_that_is_told(loop: Loop) -> None:
    held_for_its_directory(loop, GOOD)
    loop.drop("b.xml", OTHER.ubl())
    loop.night()

    assert loop.told("F-1") == [
        ("held", "CHORUS-DIRECTORY-MISSING"),
        ("refused", "HISTORY-REPLACED"),
        ("held", "CHORUS-DIRECTORY-MISSING"),
    ]
    assert loop.states("F-1") == ["refused", "held"]


def test_a_held_invoice_again_with_the_same_bytes_is_a_duplicate(loop: Loop) -> None:
    held_for_its_directory(loop, GOOD)
    loop.drop("again.zip", zipped([("again.xml", GOOD.ubl())]))
    loop.night()

    assert loop.told("F-1")[1:] == [("duplicate", "HISTORY-DUPLICATE")]
    assert loop.states("F-1") == ["held", "refused"]


def test_a_pdf_alone_has_no_number_and_replaces_nothing(loop: Loop, tmp_path) -> None:
    pdf = tmp_path / "plain.pdf"
    with pikepdf.new() as made:
        made.add_blank_page()
        made.save(pdf)
    loop.drop("a.pdf", pdf.read_bytes())
    loop.drop("b.pdf", pdf.read_bytes() + b"\n")
    loop.night()

    held = [row for row in loop.acks() if row["event"] == "held"]
    assert len(held) == 2


# --- packed, sent, unknown ----------------------------------------------------------------------------------------


def test_the_same_bytes_while_the_first_is_on_its_way_are_a_duplicate(loop: Loop) -> None:
    loop.drop("a.xml", GOOD.ubl())
    loop.take()
    loop.send()
    loop.drop("b.zip", zipped([("b.xml", GOOD.ubl())]))
    loop.night()

    assert loop.events("F-1") == ["duplicate", "deposited"]
    assert loop.received("F-1") == 1


def test_other_bytes_while_the_first_is_on_its_way_wait_and_are_refused_once_it_is_live(loop: Loop) -> None:
    loop.drop("a.xml", GOOD.ubl())
    loop.take()
    loop.send()
    loop.drop("b.xml", OTHER.ubl())
    loop.take()
    assert loop.states("F-1") == ["sent", "held"]
    loop.night()

    assert loop.told("F-1") == [
        ("held", "HISTORY-WAITS"),
        ("deposited", ""),
        ("refused", "HISTORY-ALREADY-WITH-STATE"),
    ]
    assert loop.received("F-1") == 1


def test_other_bytes_wait_and_go_when_the_first_bounces(loop: Loop) -> None:
    loop.drop("a.xml", BOUNCES.ubl())
    loop.take()
    loop.send()
    loop.drop("b.xml", GOOD.ubl())
    loop.night()

    assert loop.events("F-1") == ["held", "bounced", "released", "deposited"]
    assert loop.states("F-1") == ["bounced", "live"]
    assert loop.received("F-1") == 2


def test_of_several_that_wait_only_the_last_word_of_the_sender_goes(loop: Loop) -> None:
    loop.drop("a.xml", BOUNCES.ubl())
    loop.take()
    loop.send()
    loop.drop("b.xml", OTHER.ubl())
    loop.take()
    loop.drop("c.xml", GOOD.ubl())
    loop.take()
    assert loop.states("F-1") == ["sent", "refused", "held"]
    loop.night()

    assert loop.states("F-1") == ["bounced", "refused", "live"]
    live = [i for i in loop.simulator.invoices() if i["number"] == "F-1"]
    assert [str(i["gross"]) for i in live] == ["120.00"] or [float(i["gross"]) for i in live] == [120.0]


def test_what_waits_already_is_a_duplicate_when_it_comes_again(loop: Loop) -> None:
    loop.drop("a.xml", GOOD.ubl())
    loop.take()
    loop.send()
    loop.drop("b.xml", OTHER.ubl())
    loop.take()
    loop.drop("b.zip", zipped([("b.xml", OTHER.ubl())]))
    loop.take()
    loop.gateway.tell.run()

    assert loop.events("F-1") == ["held", "duplicate"]
    assert loop.states("F-1") == ["sent", "held", "refused"]


def test_the_database_itself_lets_nobody_else_take_the_number_of_what_is_to_be_sent(loop: Loop) -> None:
    loop.drop("a.xml", GOOD.ubl())
    loop.drop("b.xml", Paper(number="F-2").ubl())
    loop.take()
    second = loop.documents("F-2")[0]
    for key in ("key_by_issue", "key_by_deposit"):
        taken = f"{GOOD.seller}|F-1|2026"
        with pytest.raises(IntegrityError), loop.gateway.ledger.writing("test") as unit:
            unit.set_document(second.id, **{key: taken})


# --- at the platform ----------------------------------------------------------------------------------------------


def live(loop: Loop, status: str = "", comment: str = "") -> None:
    loop.drop("a.xml", GOOD.ubl())
    loop.night()
    if status:
        loop.simulator.advance(timedelta(minutes=1))
        loop.simulator.set_status("F-1", status, comment)
        loop.follow()


def again_same_and_other(loop: Loop) -> tuple[dict[str, str], dict[str, str]]:
    """What is told of the same document again (in a zip), then of another with its number."""
    loop.drop("same.zip", zipped([("same.xml", GOOD.ubl())]))
    loop.night()
    same = loop.rows("F-1")[-1]
    loop.drop("other.xml", OTHER.ubl())
    loop.night()
    assert loop.received("F-1") == 1
    return same, loop.rows("F-1")[-1]


def test_a_live_invoice_again_is_a_duplicate_or_refused_with_its_status(loop: Loop) -> None:
    live(loop, "MISE_A_DISPOSITION")
    same, other = again_same_and_other(loop)

    assert (same["event"], same["native_code"]) == ("duplicate", "MISE_A_DISPOSITION")
    assert same["platform_invoice_id"]
    assert (other["event"], other["reason_code"]) == ("refused", "HISTORY-ALREADY-WITH-STATE")
    assert other["native_code"] == "MISE_A_DISPOSITION"
    assert "Mise à disposition" in other["reason"]
    assert (other["action"], other["retransmittable"]) == ("reissue", "false")


def test_a_rejected_invoice_needs_a_new_number_even_with_the_same_bytes(loop: Loop) -> None:
    live(loop, "REJETEE", "Montant erroné")
    same, other = again_same_and_other(loop)

    for row in (same, other):
        assert (row["event"], row["reason_code"]) == ("refused", "HISTORY-REJECTED-NUMBER")
        assert (row["action"], row["retransmittable"]) == ("reissue", "false")
    loop.drop("new.xml", Paper(number="F-2").ubl())
    loop.night()
    assert loop.events("F-2") == ["deposited"]


def test_the_very_file_of_a_rejected_invoice_dropped_again_is_told_that_a_new_number_is_needed(loop: Loop) -> None:
    live(loop, "REJETEE", "Montant erroné")
    loop.drop("a.xml", GOOD.ubl())
    loop.night()

    assert loop.told("F-1")[-1] == ("refused", "HISTORY-REJECTED-NUMBER")


def test_an_invoice_to_be_recycled_or_suspended_is_a_duplicate_or_held_with_the_remedy(
    loops: Callable[..., Loop],
) -> None:
    for status, label in (("A_RECYCLER", "À recycler"), ("SUSPENDUE", "Suspendue")):
        loop = loops()
        live(loop, status, "SE inconnu")
        same, other = again_same_and_other(loop)
        assert same["event"] == "duplicate"
        assert (other["event"], other["reason_code"], other["action"]) == ("held", "HISTORY-AMEND", "instruct")
        assert label in other["reason"]
        assert "portail Chorus Pro" in other["remedy"]


def test_a_paid_invoice_again_is_a_duplicate_or_refused(loop: Loop) -> None:
    live(loop, "MISE_EN_PAIEMENT")
    same, other = again_same_and_other(loop)

    assert same["event"] == "duplicate"
    assert (other["event"], other["reason_code"]) == ("refused", "HISTORY-ALREADY-WITH-STATE")
    assert loop.states("F-1")[0] == "paid"


# --- one number, several ways -------------------------------------------------------------------------------------


def test_of_two_copies_in_one_batch_one_goes(loop: Loop) -> None:
    loop.drop("a.xml", GOOD.ubl())
    loop.drop("b.xml", GOOD.ubl())
    loop.drop("both.zip", zipped([("one.xml", GOOD.ubl()), ("two.xml", GOOD.ubl())]))
    loop.night()

    assert loop.received("F-1") == 1
    assert loop.states("F-1").count("live") == 1


def test_two_versions_in_one_batch_never_both_go(loop: Loop) -> None:
    loop.drop("a.xml", GOOD.ubl())
    loop.drop("b.xml", OTHER.ubl())
    loop.night()

    assert loop.received("F-1") == 1
    assert sorted(loop.states("F-1")) == ["live", "refused"]


def test_the_same_number_of_one_issuer_from_two_partners_goes_once(loop: Loop) -> None:
    loop.drop("a.xml", GOOD.ubl(), "erp")
    loop.night()
    loop.drop("a.xml", GOOD.ubl(), "edi")
    loop.drop("b.xml", OTHER.ubl(), "edi")
    loop.night()

    assert loop.received("F-1") == 1
    assert sorted(loop.events("F-1", "edi")) == ["duplicate", "refused"]


def test_the_same_number_of_two_issuers_is_two_invoices(loop: Loop) -> None:
    loop.drop("a.xml", GOOD.ubl(), "edi")
    loop.drop("b.xml", Paper(number="F-1", seller=OTHER_SUPPLIER).ubl(), "edi")
    loop.night()

    assert loop.states("F-1") == ["live", "live"]


def test_who_may_not_send_for_an_issuer_learns_nothing_of_its_invoices(loop: Loop) -> None:
    foreign = Paper(number="F-1", seller=OTHER_SUPPLIER)
    loop.drop("a.xml", foreign.ubl(), "edi")
    loop.night()
    loop.drop("a.xml", foreign.ubl(), "erp")
    loop.drop("b.xml", Paper(number="F-1", seller=OTHER_SUPPLIER, net="1.00").ubl(), "erp")
    loop.night()

    rows = loop.rows("F-1", "erp")
    assert [(row["event"], row["reason_code"]) for row in rows] == [("refused", "ISSUER-NOT-ALLOWED")] * 2
    assert not any(row["native_code"] or "first=" in row["comment"] for row in rows)


def test_the_years_of_invoice_and_of_deposit_both_tell_the_same_invoice(loop: Loop) -> None:
    loop.drop("a.xml", Paper(number="F-1", day="2025-12-30").ubl())
    loop.night()
    loop.drop("b.xml", Paper(number="F-1", day="2026-01-10").ubl())
    loop.night()
    assert loop.told("F-1")[-1] == ("refused", "HISTORY-ALREADY-WITH-STATE")  # both deposited in 2026

    loop.simulator.advance(timedelta(days=365))
    loop.gateway.directory.refresh()
    loop.drop("c.xml", Paper(number="F-1", day="2025-12-31").ubl())
    loop.night()
    assert loop.told("F-1")[-1] == ("refused", "HISTORY-ALREADY-WITH-STATE")  # both of 2025
    loop.drop("d.xml", Paper(number="F-1", day="2027-01-15").ubl())
    loop.night()
    assert loop.events("F-1")[-1] == "deposited"  # another year of either kind


def test_a_document_held_for_want_of_a_directory_is_released_and_told_when_it_is_there(loop: Loop) -> None:
    held_for_its_directory(loop, Paper(number="F-1", buyer=DEMANDS_SERVICE, service="SERVICE1"))
    loop.simulator.clear_faults()
    loop.take()
    assert loop.states("F-1") == ["held"]  # nothing has changed

    loop.gateway.directory.refresh([DEMANDS_SERVICE])
    loop.night()

    assert loop.events("F-1") == ["held", "released", "deposited"]


def test_the_gateway_itself_asks_again_for_the_buyer_of_a_waiting_document(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_for_its_directory(loop, GOOD)
    loop.simulator.clear_faults()
    # A directory in trouble is left alone for a minute of the machine's clock.
    monkeypatch.setattr(loop.gateway.directory, "_monotonic", lambda: time.monotonic() + 120)
    loop.simulator.advance(timedelta(minutes=2))
    loop.night()

    assert loop.events("F-1") == ["held", "released", "deposited"]


def test_a_waiting_document_is_not_judged_again_while_nothing_changes(loop: Loop) -> None:
    held_for_its_directory(loop, GOOD)
    loop.take()
    before = loop.documents("F-1")[0].changed_at
    loop.simulator.advance(timedelta(seconds=30))
    loop.take()

    assert loop.documents("F-1")[0].changed_at == before
