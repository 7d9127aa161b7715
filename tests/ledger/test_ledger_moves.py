"""Moves: asked of the state table first, undone as a group when somebody was faster, written into the trail."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import IntegrityError

from gateway.domain.ack import Level
from gateway.domain.states import AckState, DocumentState, FlowState, ForbiddenMove, InterchangeState
from gateway.ledger.ledger import Ledger, open_ledger
from gateway.ledger.moves import Move, Overtaken
from gateway.ledger.rows import DocumentRow
from gateway.ledger.tables import audit
from tests.ledger.ledgers import NOON, document, flow, interchange, owed

_I, _D = InterchangeState, DocumentState


def test_a_move_leaves_a_line_that_says_who_what_when_and_why(ledger, clock):
    row = interchange()
    with ledger.writing("receive") as unit:
        unit.add_interchanges([row])
    clock.advance(timedelta(seconds=5))
    with ledger.writing("open") as unit:
        unit.move([Move(row.id, _I.SEEN, _I.CLAIMED, "because")])
    with ledger.engine.connect() as connection:
        lines = connection.execute(select(audit).where(audit.c.subject == row.id).order_by(audit.c.id)).all()
    assert [(x.who, x.what, x.why, x.at) for x in lines] == [
        ("receive", "seen", "erp: a.xml", NOON),
        ("open", "seen>claimed", "because", NOON + timedelta(seconds=5)),
    ]


def test_a_forbidden_move_is_refused_before_anything_of_its_group_is_executed(ledger):
    first, second = interchange(), interchange()
    with ledger.writing("test") as unit:
        unit.add_interchanges([first, second])
    with ledger.engine.begin() as connection:
        executed: list[str] = []
        event.listen(connection, "before_cursor_execute", lambda c, cu, statement, *_: executed.append(statement))
        from gateway.ledger.moves import apply_moves

        with pytest.raises(ForbiddenMove):
            apply_moves(connection, [Move(first.id, _I.SEEN, _I.CLAIMED), Move(second.id, _I.SEEN, _I.OPENED)])
        assert executed == []


def test_a_row_that_was_moved_meanwhile_undoes_the_whole_group(ledger):
    rows = [interchange() for _ in range(5)]
    with ledger.writing("test") as unit:
        unit.add_interchanges(rows)
    with ledger.writing("other") as unit:
        unit.move([Move(rows[3].id, _I.SEEN, _I.CLAIMED)])
    with pytest.raises(Overtaken, match="1 of 5"), ledger.writing("test") as unit:
        unit.owe([owed("x")])
        unit.move(Move(row.id, _I.SEEN, _I.ARCHIVED, columns={"sha256": "h"}) for row in rows)
    with ledger.reading() as unit:
        assert [unit.interchange(row.id).state for row in rows] == [_I.SEEN] * 3 + [_I.CLAIMED, _I.SEEN]
        assert unit.acks_owed("erp", Level.RECEIPT, 9) == []
    assert _audited(ledger, "seen>archived") == 0


def test_what_raises_inside_a_transaction_leaves_nothing_behind(ledger):
    row = interchange()
    with pytest.raises(ZeroDivisionError), ledger.writing("test") as unit:
        unit.add_interchanges([row])
        _ = 1 / 0
    with ledger.reading() as unit:
        assert unit.interchange(row.id) is None
    assert _audited(ledger, "seen") == 0


def test_moves_of_many_kinds_and_columns_go_in_one_group(ledger):
    file, parcel = interchange(), flow()
    with ledger.writing("test") as unit:
        unit.add_interchanges([file])
        unit.add_flow(parcel)
        unit.move(
            [
                Move(file.id, _I.SEEN, _I.ARCHIVED, columns={"archive_path": "originals/1", "archived_at": NOON}),
                Move(parcel.id, FlowState.PACKED, FlowState.INTENDED, columns={"intended_at": NOON}),
            ]
        )
    with ledger.reading() as unit:
        assert unit.interchange(file.id).archive_path == "originals/1"
        assert unit.flow(parcel.id).intended_at == NOON


def test_the_same_number_cannot_be_occupied_twice(ledger):
    """Whatever the steps believe: the database makes a second sending impossible."""
    for key in ("key_by_issue", "key_by_deposit"):
        first, second = _two_judged(ledger)
        columns = {key: f"{key}|90000001900019|FA-1|2026"}
        with ledger.writing("decide") as unit:
            unit.move([Move(first.id, _D.JUDGED, _D.READY, columns=columns)])
        with pytest.raises(IntegrityError), ledger.writing("decide") as unit:
            unit.move([Move(second.id, _D.JUDGED, _D.READY, columns=columns)])
        with ledger.reading() as unit:
            assert unit.document(second.id).state is _D.JUDGED


def test_one_thing_is_told_once_however_often_it_is_owed(ledger):
    with ledger.writing("test") as unit:
        unit.owe([owed("receipt:1"), owed("receipt:1"), owed("receipt:2")])
    with ledger.writing("test") as unit:
        unit.owe([owed("receipt:2"), owed("receipt:3")])
    with ledger.reading() as unit:
        assert sorted(a.about for a in unit.acks_owed("erp", Level.RECEIPT, 9)) == [
            "receipt:1", "receipt:2", "receipt:3",
        ]  # fmt: skip


def test_a_sequence_has_no_gap_when_a_transaction_is_undone(ledger):
    given = []
    for attempt in range(9):
        try:
            with ledger.writing("tell") as unit:
                seq = unit.next_sequence("erp", Level.RECEIPT)
                if attempt % 3 == 1:
                    raise RuntimeError("killed in between")
                given.append(seq)
        except RuntimeError:
            pass
    assert given == [1, 2, 3, 4, 5, 6]
    with ledger.writing("tell") as unit:
        assert unit.next_sequence("edi", Level.RECEIPT) == 1
        assert unit.next_sequence("erp", Level.DECISION) == 1


def test_two_files_never_get_the_same_number_of_a_sequence(ledger, url, clock):
    """Two writers at once: the second waits for the first, or is undone; none repeats a number."""
    others = [open_ledger(url, clock) for _ in range(2)]
    given: list[int] = []

    def draw(mine: Ledger) -> None:
        done = 0
        while done < 10:
            try:
                with mine.writing("tell") as unit:
                    seq = unit.next_sequence("erp", Level.RECEIPT)
                    time.sleep(0.002)
                    ack = owed(f"receipt:{threading.get_ident()}:{done}")
                    unit.owe([ack])
                    unit.fix_ack_file("erp", Level.RECEIPT, seq, [ack], [(f"{seq}", b"x")])
            except (Overtaken, IntegrityError):
                continue
            given.append(seq)
            done += 1

    threads = [threading.Thread(target=draw, args=(other,)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for other in others:
        other.close()
    assert sorted(given) == list(range(1, 21))


def test_a_second_writer_waits_for_the_first(ledger, url, clock):
    row = interchange()
    with ledger.writing("test") as unit:
        unit.add_interchanges([row])
    other = open_ledger(url, clock)
    order: list[str] = []

    def second() -> None:
        with pytest.raises(Overtaken), other.writing("second") as unit:
            unit.move([Move(row.id, _I.SEEN, _I.REFUSED)])
        order.append("second")

    with ledger.writing("first") as unit:
        unit.move([Move(row.id, _I.SEEN, _I.CLAIMED)])
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.3)
        order.append("first")
    thread.join(timeout=10)
    other.close()
    assert order == ["first", "second"]
    with ledger.reading() as unit:
        assert unit.interchange(row.id).state is _I.CLAIMED


def test_an_ack_is_in_one_file_only(ledger):
    ack = owed("receipt:1")
    with ledger.writing("tell") as unit:
        unit.owe([ack])
        unit.fix_ack_file("erp", Level.RECEIPT, 1, [ack], [("a.csv", b"1"), ("a.findings.csv", b"2")])
    with pytest.raises(Overtaken), ledger.writing("tell") as unit:
        unit.fix_ack_file("erp", Level.RECEIPT, 2, [ack], [("b.csv", b"1")])
    with ledger.reading() as unit:
        (file,) = unit.ack_files(AckState.OWED, "erp", 9)
        assert unit.ack_parts(file.id) == (("a.csv", b"1"), ("a.findings.csv", b"2"))


def test_an_ack_file_is_written_before_it_is_picked_up_and_written_once(ledger):
    with ledger.writing("tell") as unit:
        ack = owed("receipt:1")
        unit.owe([ack])
        file = unit.fix_ack_file("erp", Level.RECEIPT, 1, [ack], [("a.csv", b"1")])
    with pytest.raises(ForbiddenMove), ledger.writing("tell") as unit:
        unit.move_ack_file(file, AckState.OWED, AckState.PICKED_UP)
    with ledger.writing("tell") as unit:
        unit.move_ack_file(file, AckState.OWED, AckState.WRITTEN)
    with pytest.raises(Overtaken), ledger.writing("tell") as unit:
        unit.move_ack_file(file, AckState.OWED, AckState.WRITTEN)


def test_a_wait_ends_when_the_awaited_document_is_settled(ledger):
    first, second = _two_judged(ledger)
    with ledger.writing("test") as unit:
        unit.move([Move(first.id, _D.JUDGED, _D.READY)])
        unit.move([Move(second.id, _D.JUDGED, _D.HELD, columns={"waits_for": first.id})])
        assert unit.waits_ended(9) == []
        unit.move([Move(first.id, _D.READY, _D.HELD)])
        assert [row.id for row in unit.waits_ended(9)] == [second.id]


def test_identifiers_of_one_moment_keep_their_order():
    from gateway.ledger.ids import new_id, new_ids

    ids = new_ids(NOON, 500)
    assert ids == sorted(set(ids))
    assert len(ids) == 500
    later = [new_id(NOON + timedelta(microseconds=n)) for n in (0, 1, 999, 1000, 1001)]
    assert later == sorted(later)
    assert all(len(i) == 26 for i in later)


def _two_judged(ledger: Ledger) -> tuple[DocumentRow, DocumentRow]:
    file = interchange()
    pair = document(file, 0), document(file, 1)
    with ledger.writing("test") as unit:
        unit.add_interchanges([file])
        unit.add_documents(pair)
        unit.move(Move(row.id, _D.OPENED, _D.JUDGED) for row in pair)
    return pair


def _audited(ledger: Ledger, what: str) -> int:
    with ledger.engine.connect() as connection:
        query = text("SELECT count(*) FROM audit WHERE what = :what")
        return int(connection.execute(query, {"what": what}).scalar_one())
