"""The same invoice again: the table of the design, held against the whole set of states."""

from __future__ import annotations

import pytest

from gateway.domain.again import AGAIN, HeldAs, Outcome, again, held_as
from gateway.domain.states import OCCUPYING, DocumentState
from gateway.domain.statuses import STATUSES

D, O = DocumentState, Outcome  # noqa: E741

#: DESIGN 4.3, line by line.
DESIGN = [
    (D.REFUSED, "", O.JUDGE_AGAIN, O.REPLACES),
    (D.BOUNCED, "", O.JUDGE_AGAIN, O.REPLACES),
    (D.HELD, "", O.DUPLICATE, O.REPLACES),
    (D.PACKED, "", O.DUPLICATE, O.WAIT_UNTIL_SETTLED),
    (D.SENT, "", O.DUPLICATE, O.WAIT_UNTIL_SETTLED),
    (D.TO_AMEND, "A_RECYCLER", O.DUPLICATE, O.RECYCLE_OR_REFUSE),
    (D.TO_AMEND, "SUSPENDUE", O.DUPLICATE, O.COMPLETE_OR_REFUSE),
    (D.REJECTED, "REJETEE", O.REFUSE_NEW_NUMBER_NEEDED, O.REFUSE_NEW_NUMBER_NEEDED),
    (D.LIVE, "MISE_A_DISPOSITION", O.DUPLICATE, O.REFUSE_ALREADY_WITH_STATE),
    (D.PAID, "MISE_EN_PAIEMENT", O.DUPLICATE, O.REFUSE_ALREADY_WITH_STATE),
]


@pytest.mark.parametrize(("state", "native", "same", "other"), DESIGN)
def test_each_line_of_the_design_holds(state, native, same, other):
    held = held_as(state, native)
    assert again(held, same_bytes=True) is same
    assert again(held, same_bytes=False) is other


def test_there_is_an_answer_for_every_state_under_every_status():
    assert set(AGAIN) == set(HeldAs)
    for state in D:
        for native in ("", "INVENTED", *STATUSES):
            for same in (True, False):
                assert again(held_as(state, native), same) in Outcome


def test_what_may_be_an_invoice_is_never_judged_again_nor_replaced():
    for state in OCCUPYING:
        for native in ("", "INVENTED", *STATUSES):
            for same in (True, False):
                assert again(held_as(state, native), same) not in {O.JUDGE_AGAIN, O.REPLACES}


def test_a_status_that_we_do_not_know_lets_nothing_be_amended():
    assert held_as(D.TO_AMEND, "INVENTED") is HeldAs.WITH_STATE
    assert held_as(D.TO_AMEND, "EN_ATTENTE_RECYCLAGE_FOURNISSEUR") is HeldAs.WITH_STATE
