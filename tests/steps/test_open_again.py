"""The same bytes again: told as a duplicate that names the first, or judged again when the first came to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.domain.ack import Action, Event
from gateway.domain.states import DocumentState, InterchangeState
from gateway.ledger.moves import Move
from gateway.ledger.rows import InterchangeRow
from tests.simulator.paper import Paper, zipped
from tests.transports.intake import Intake

_I, _D = InterchangeState, DocumentState
INVOICE = Paper(number="FA-1").ubl()
#: The way of a document to each state.
WAYS = {
    _D.OPENED: [],
    _D.JUDGED: [_D.JUDGED],
    _D.READY: [_D.JUDGED, _D.READY],
    _D.HELD: [_D.JUDGED, _D.HELD],
    _D.REFUSED: [_D.JUDGED, _D.REFUSED],
    _D.PACKED: [_D.JUDGED, _D.READY, _D.PACKED],
    _D.SENT: [_D.JUDGED, _D.READY, _D.PACKED, _D.SENT],
    _D.LIVE: [_D.JUDGED, _D.READY, _D.PACKED, _D.SENT, _D.LIVE],
    _D.BOUNCED: [_D.JUDGED, _D.READY, _D.PACKED, _D.SENT, _D.BOUNCED],
    _D.TO_AMEND: [_D.JUDGED, _D.READY, _D.PACKED, _D.SENT, _D.LIVE, _D.TO_AMEND],
    _D.PAID: [_D.JUDGED, _D.READY, _D.PACKED, _D.SENT, _D.LIVE, _D.PAID],
    _D.REJECTED: [_D.JUDGED, _D.READY, _D.PACKED, _D.SENT, _D.LIVE, _D.REJECTED],
    _D.FINAL: [_D.JUDGED, _D.READY, _D.PACKED, _D.SENT, _D.LIVE, _D.FINAL],
    _D.SILENT: [_D.JUDGED, _D.READY, _D.PACKED, _D.SENT, _D.LIVE, _D.SILENT],
}
JUDGED_AGAIN = {_D.REFUSED, _D.BOUNCED, _D.REJECTED}


@pytest.fixture
def intake(tmp_path: Path) -> Iterator[Intake]:
    made = Intake(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("state", DocumentState)
def test_the_same_bytes_again_by_what_became_of_the_first(intake, state):
    first = _received(intake, "first.xml", INVOICE)
    _lead(intake, first, state)
    second = _received(intake, "second.xml", INVOICE)
    told = intake.receipts()[-1]
    if state in JUDGED_AGAIN:
        assert second.state is _I.OPENED
        assert told.event is Event.RECEIVED
        assert len(intake.documents(second)) == 1
        return
    assert second.state is _I.DUPLICATE
    assert second.first_id == first.id
    assert (told.event, told.action, told.reason_code) == (Event.DUPLICATE, Action.NONE, "IRR_UNICITE")
    assert "first.xml" in told.reason
    assert first.id in told.comment
    assert intake.documents(second) == []
    assert intake.kept(second) == INVOICE


def test_of_many_copies_in_one_night_one_is_opened_and_each_is_told(intake):
    for n in range(20):
        intake.drop(f"copy-{n:02}.xml", INVOICE)
    intake.take()
    intake.open_all()
    assert [row.state for row in intake.rows()].count(_I.OPENED) == 1
    assert [row.state for row in intake.rows()].count(_I.DUPLICATE) == 19
    assert len(intake.receipts()) == 20
    assert intake.count("document") == 1


def test_bytes_refused_at_first_and_taken_the_second_time_are_a_duplicate_the_third_time(intake):
    first = _received(intake, "1.xml", INVOICE)
    _lead(intake, first, _D.REFUSED)
    second = _received(intake, "2.xml", INVOICE)
    _lead(intake, second, _D.SENT)
    third = _received(intake, "3.xml", INVOICE)
    assert (third.state, third.first_id) == (_I.DUPLICATE, second.id)
    fourth = _received(intake, "4.xml", INVOICE)
    assert (fourth.state, fourth.first_id) == (_I.DUPLICATE, second.id)
    _lead(intake, second, _D.BOUNCED, begun=_D.SENT)
    assert _received(intake, "5.xml", INVOICE).state is _I.OPENED


def test_the_same_bytes_of_another_partner_are_another_file(intake):
    first = _received(intake, "a.xml", INVOICE)
    _lead(intake, first, _D.SENT)
    intake.drop("a.xml", INVOICE, "edi")
    intake.take()
    intake.open_all()
    assert [row.state for row in intake.rows()] == [_I.OPENED, _I.OPENED]


def test_an_archive_of_which_one_invoice_was_refused_is_judged_again_as_a_whole(intake):
    content = zipped([("a.xml", INVOICE), ("b.xml", Paper(number="FA-2").ubl())])
    first = _received(intake, "a.zip", content)
    a, b = intake.documents(first)
    with intake.ledger.writing("test") as unit:
        unit.move([Move(a.id, _D.OPENED, _D.JUDGED), Move(b.id, _D.OPENED, _D.JUDGED)])
        unit.move([Move(a.id, _D.JUDGED, _D.READY), Move(b.id, _D.JUDGED, _D.REFUSED)])
    assert _received(intake, "b.zip", content).state is _I.OPENED


def test_a_file_that_is_no_invoice_is_read_again_and_told_again(intake):
    for name in ("a.txt", "b.txt"):
        row = _received(intake, name, b"hello")
        assert row.state is _I.REFUSED
    assert [r.event for r in intake.receipts()] == [Event.UNREADABLE] * 2


def test_documents_of_an_archive_keep_their_order(intake):
    content = zipped([(f"{n:03}.xml", Paper(number=f"FA-{n}").ubl()) for n in range(40)])
    row = _received(intake, "a.zip", content)
    documents = intake.documents(row)
    assert [d.terms.number for d in documents] == [f"FA-{n}" for n in range(40)]
    assert [d.id for d in documents] == sorted(d.id for d in documents)
    assert row.documents == 40


def test_members_with_hostile_names_reach_both_ledger_and_receipt(intake):
    content = zipped([("a\u202e\n.xml", INVOICE)])
    row = _received(intake, "a.zip", content)
    assert all(d.member.isprintable() for d in intake.documents(row))


def _received(intake: Intake, name: str, content: bytes) -> InterchangeRow:
    intake.drop(name, content)
    intake.take()
    intake.open_all()
    return next(row for row in intake.rows() if row.file_name == name)


def _lead(intake: Intake, row: InterchangeRow, state: DocumentState, begun: DocumentState = _D.OPENED) -> None:
    (document,) = intake.documents(row)
    way = WAYS[state]
    with intake.ledger.writing("test") as unit:
        for before, after in zip([_D.OPENED, *way], way, strict=False):
            if begun is _D.OPENED or before is begun:
                unit.move([Move(document.id, before, after)])
