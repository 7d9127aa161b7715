"""The state tables: walks that follow them, ends, and the refusal of everything else."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.domain.states import (
    ACK_MOVES,
    DOCUMENT_MOVES,
    ENDED,
    FLOW_MOVES,
    INTERCHANGE_MOVES,
    OCCUPYING,
    REMOTE_FILE_MOVES,
    AckState,
    DocumentState,
    FlowState,
    ForbiddenMove,
    InterchangeState,
    RemoteFileState,
    check_move,
)

D = DocumentState
TABLES: list[tuple[type[StrEnum], dict[Any, frozenset[Any]]]] = [
    (InterchangeState, dict(INTERCHANGE_MOVES)),
    (DocumentState, dict(DOCUMENT_MOVES)),
    (FlowState, dict(FLOW_MOVES)),
    (AckState, dict(ACK_MOVES)),
    (RemoteFileState, dict(REMOTE_FILE_MOVES)),
]
tables = pytest.mark.parametrize(("states", "moves"), TABLES, ids=lambda value: getattr(value, "__name__", ""))

AT_THE_PLATFORM = {D.LIVE, D.TO_AMEND, D.PAID, D.REJECTED, D.FINAL, D.SILENT}


def reachable(moves: dict[Any, frozenset[Any]], start: StrEnum) -> set[StrEnum]:
    found, waiting = {start}, [start]
    while waiting:
        for after in moves[waiting.pop()] - found:
            found.add(after)
            waiting.append(after)
    return found


@tables
def test_every_state_has_its_line_and_moves_only_to_states_of_its_kind(states, moves):
    assert set(moves) == set(states)
    assert {after for targets in moves.values() for after in targets} <= set(states)


@tables
def test_every_state_is_reachable_from_the_first(states, moves):
    assert reachable(moves, next(iter(states))) == set(states)


@tables
def test_check_move_allows_what_the_table_allows_and_refuses_all_else(states, moves):
    for before in states:
        for after in states:
            if after in moves[before]:
                check_move(moves, before, after)
            else:
                with pytest.raises(ForbiddenMove, match="no move"):
                    check_move(moves, before, after)


@tables
def test_from_every_state_an_end_can_be_reached(states, moves):
    ends = {state for state in states if not moves[state]} | (ENDED & set(states))
    for state in states:
        assert reachable(moves, state) & ends


def test_what_can_move_no_more_has_ended_and_only_news_wakes_what_has_ended():
    assert {state for state in D if not DOCUMENT_MOVES[state]} <= ENDED
    for state in ENDED:
        assert DOCUMENT_MOVES[state] <= AT_THE_PLATFORM


def test_a_number_is_free_again_exactly_where_no_invoice_can_come_of_it():
    assert set(D) - OCCUPYING == {D.OPENED, D.JUDGED, D.HELD, D.REFUSED, D.BOUNCED}
    assert AT_THE_PLATFORM <= OCCUPYING


def test_an_invoice_at_the_platform_never_comes_back_to_be_sent():
    for state in AT_THE_PLATFORM:
        assert reachable(dict(DOCUMENT_MOVES), state) <= AT_THE_PLATFORM


class DocumentLife(RuleBasedStateMachine):
    """A document driven at random, along allowed moves and against forbidden ones."""

    @initialize()
    def born(self) -> None:
        self.state = D.OPENED
        self.path = [self.state]

    @precondition(lambda self: DOCUMENT_MOVES[self.state])
    @rule(data=st.data())
    def moves_on(self, data: st.DataObject) -> None:
        after = data.draw(st.sampled_from(sorted(DOCUMENT_MOVES[self.state])))
        check_move(DOCUMENT_MOVES, self.state, after)
        self.state = after
        self.path.append(after)

    @rule(wanted=st.sampled_from(list(D)))
    def is_asked_for_a_forbidden_move(self, wanted: DocumentState) -> None:
        if wanted not in DOCUMENT_MOVES[self.state]:
            with pytest.raises(ForbiddenMove):
                check_move(DOCUMENT_MOVES, self.state, wanted)

    @invariant()
    def nothing_is_sent_that_was_not_judged(self) -> None:
        path = getattr(self, "path", [])
        if D.SENT in path:
            assert path.index(D.JUDGED) < path.index(D.READY) < path.index(D.PACKED) < path.index(D.SENT)

    @invariant()
    def nothing_lives_at_the_platform_that_was_not_sent(self) -> None:
        path = getattr(self, "path", [])
        if set(path) & AT_THE_PLATFORM:
            assert D.SENT in path
            assert path[-1] in AT_THE_PLATFORM

    @invariant()
    def a_refused_or_bounced_document_stays_so(self) -> None:
        path = getattr(self, "path", [])
        assert not {D.REFUSED, D.BOUNCED} & set(path[:-1])


TestDocumentLife = DocumentLife.TestCase
TestDocumentLife.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
