"""Listings are read to their end, whatever the server says of their length."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.routes.chorus_api.answers import Fields
from gateway.routes.chorus_api.paging import Listing, Page
from gateway.routes.protocol import Unreachable


def listing(get, most_pages: int = 50, page_size: int = 100) -> Listing:
    return Listing("search", get, lambda item: item.text("id"), page_size, most_pages)


def rows(start: int, end: int) -> tuple[Fields, ...]:
    return tuple(Fields({"id": number}) for number in range(start, end))


def ids(found: Listing) -> list[str]:
    return [item.text("id") for item in found]


def honest(count: int, per_page: int, *, counted: bool = True):
    def get(number: int) -> Page:
        part = rows((number - 1) * per_page, min(number * per_page, count))
        return Page(part, -(-count // per_page), count) if counted else Page(part)

    return get


@given(count=st.integers(0, 400), per_page=st.integers(1, 100), counted=st.booleans())
def test_an_honest_server_is_read_whole(count, per_page, counted):
    assert ids(listing(honest(count, per_page, counted=counted), most_pages=500)) == [str(n) for n in range(count)]


def test_a_server_that_gives_ten_when_a_hundred_are_asked_for_is_read_whole():
    assert len(ids(listing(honest(237, 10)))) == 237


def test_one_short_page_takes_one_call():
    calls = []

    def get(number: int) -> Page:
        calls.append(number)
        return honest(7, 100)(number)

    assert len(ids(listing(get))) == 7
    assert calls == [1]


def test_a_total_that_is_too_small_hides_nothing_behind_full_pages():
    def get(number: int) -> Page:
        return Page(honest(237, 100)(number).items, 1, 10)

    assert len(ids(listing(get))) == 237


def test_a_total_that_is_too_large_is_believed_to_be_wrong_when_two_passes_agree():
    def get(number: int) -> Page:
        return Page(honest(237, 100)(number).items, 9, 900)

    assert len(ids(listing(get))) == 237


def test_a_server_that_gives_the_first_page_for_every_page_is_not_taken_as_whole():
    def get(number: int) -> Page:
        return Page(rows(0, 10), 24, 237)

    with pytest.raises(Unreachable, match=r"237.*10"):
        ids(listing(get))


def test_a_server_that_does_not_page_and_counts_nothing_gives_all_at_once():
    assert len(ids(listing(lambda number: Page(rows(0, 12))))) == 12


def test_an_entry_that_slips_between_two_pages_is_found_in_the_second_pass():
    state = {"calls": 0}

    def get(number: int) -> Page:
        state["calls"] += 1
        order = list(range(200))
        if state["calls"] == 2:  # between page 1 and page 2 an entry of page 1 moved to the end
            order.append(order.pop(0))
        part = order[(number - 1) * 100 : number * 100]
        return Page(tuple(Fields({"id": one}) for one in part), 2, 200)

    assert sorted(map(int, ids(listing(get)))) == list(range(200))


def test_a_listing_without_end_is_given_up():
    with pytest.raises(Unreachable):
        ids(listing(lambda number: Page(rows(number * 100, number * 100 + 100), 10**9, 10**9), most_pages=20))
