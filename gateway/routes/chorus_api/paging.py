"""Every page of a listing, from a server that may cap, repeat or miscount its pages while the listing moves.

Chorus Pro gives ten results unless asked otherwise, and a connector that read only those lost the rest of each flow
(OCA #571). A listing counts as whole when its distinct entries number its own total, or when two whole passes give
the same entries (then the total is wrong). A page that repeats another one is never taken for the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from gateway.routes.chorus_api import diagnosis
from gateway.routes.chorus_api.answers import Fields
from gateway.routes.protocol import Unreachable

_PASSES: Final = 3


@dataclass(frozen=True, slots=True)
class Page:
    """One page as it came."""

    items: tuple[Fields, ...]
    pages: int | None = None
    total: int | None = None


NO_PAGE: Final = Page(())


@dataclass(frozen=True, slots=True)
class Listing:
    """A paged listing: how to get page n (from 1), and what tells one entry from another."""

    service: str
    get: Callable[[int], Page]
    key: Callable[[Fields], str]
    page_size: int  #: asked for; the server may give less
    most_pages: int

    def __iter__(self) -> Iterator[Fields]:
        """Each entry once. Raises `Unreachable` where the listing cannot be got whole."""
        known: set[str] = set()
        before: set[str] | None = None
        for _ in range(_PASSES):
            walk = _Walk(self)
            for key, item in walk:
                if key not in known:
                    known.add(key)
                    yield item
            if walk.is_whole or (walk.ended and walk.seen == before):
                return
            before = walk.seen
        raise Unreachable(diagnosis.listing_does_not_hold(self.service, len(known), walk.total or 0))


class _Walk:
    """One pass over the pages."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.seen: set[str] = set()
        self.total: int | None = None
        self.ended = False  #: came to an end that is one: an empty page, or a short one that the counts confirm
        self.unpaged = False  #: the second page repeats the first, and nothing was ever counted

    @property
    def is_whole(self) -> bool:
        if self.total is not None:
            return len(self.seen) >= self.total
        return self.ended or self.unpaged

    def __iter__(self) -> Iterator[tuple[str, Fields]]:
        full = self.listing.page_size
        for number in range(1, self.listing.most_pages + 1):
            page = self.listing.get(number)
            self.total = page.total if page.total is not None else self.total
            fresh = 0
            for item in page.items:
                key = self.listing.key(item)
                if key not in self.seen:
                    self.seen.add(key)
                    fresh += 1
                    yield key, item
            if not page.items:
                self.ended = True
                return
            if not fresh:
                self.unpaged = number == 2 and self.total is None
                return
            # The counts alone are not believed after a full page: it may hide more than they admit. A page is full
            # by what the server gives, which may be fewer than asked for.
            if self._counted(number, page) and len(page.items) < full:
                self.ended = True
                return
            full = len(page.items) if number == 1 else full

    def _counted(self, number: int, page: Page) -> bool:
        return self.total is not None and len(self.seen) >= self.total and number >= (page.pages or 0)


def page_of(answer: Fields, items: str) -> Page:
    """A page of the usual form: a list beside `parametresRetour`."""
    counts = answer.part("parametresRetour")
    return Page(tuple(answer.items(items)), counts.whole("pages"), counts.whole("total"))
