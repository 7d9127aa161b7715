"""The directory snapshot: written whole or not at all, read while it is replaced, as old as each of its bodies."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from gateway.buyers.entries import Entry
from gateway.buyers.freshness import Limits, age_in_days, state_of
from gateway.buyers.gather import Defaults, Gatherer
from gateway.buyers.refresh import lay_over, replace_all
from gateway.buyers.snapshot import BadSnapshot, Snapshot, open_snapshot
from gateway.buyers.writing import Busy, TooFew
from gateway.domain.document import Identifier
from gateway.domain.facts import Buyer, Directory, Service
from gateway.domain.issuer import Environment, Route
from gateway.domain.terms import key_terms
from gateway.routes.chorus_api.directory import DirectoryEntry
from gateway.rules.samples import BUYER, EJ_MANDATORY, FREE, ISSUER, OPEN, sample

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
TODAY = date(2026, 11, 23)
FULL = Entry(BUYER, EJ_MANDATORY, (OPEN, replace(OPEN, code="SERV2", valid_to=date(2026, 11, 22))))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "directory.sqlite3"


def many(count: int) -> Iterator[Entry]:
    for number in range(count):
        siret = f"{number:014d}"
        yield Entry(siret, Buyer(siret, "x"), (OPEN,))


def opened(path: Path) -> Snapshot:
    snapshot = open_snapshot(path)
    assert snapshot is not None
    return snapshot


def test_what_was_written_is_what_is_read(path: Path) -> None:
    done = replace_all(path, [FULL], NOW)
    snapshot = opened(path)

    seen = snapshot.buyer(BUYER, TODAY)
    assert (done.buyers, done.services, done.former) == (1, 2, 0)
    assert seen.buyer == replace(EJ_MANDATORY, has_active_service=True)
    assert seen.at == snapshot.taken_at == NOW
    assert snapshot.service(BUYER, "SERV1") == OPEN
    assert snapshot.service(BUYER, "serv1") is None
    assert snapshot.service(BUYER, "SERV2") == FULL.services[1]


@pytest.mark.parametrize(
    ("service", "open_service"),
    [
        (OPEN, True),
        (replace(OPEN, active=False), False),
        (replace(OPEN, valid_to=TODAY), True),
        (replace(OPEN, valid_to=TODAY - timedelta(days=1)), False),
        (replace(OPEN, valid_from=TODAY + timedelta(days=1)), False),
        (replace(OPEN, valid_from=TODAY), True),
    ],
)
def test_whether_a_body_has_an_open_service_is_asked_for_the_day(
    path: Path, service: Service, open_service: bool
) -> None:
    replace_all(path, [Entry(BUYER, FREE, (service,))], NOW)

    buyer = opened(path).buyer(BUYER, TODAY).buyer

    assert buyer is not None and buyer.has_active_service is open_service is service.open_on(TODAY)


def test_a_reader_keeps_the_snapshot_that_it_opened(path: Path) -> None:
    replace_all(path, [FULL], NOW)
    reader = opened(path)

    replace_all(path, [Entry(BUYER, FREE)], NOW + timedelta(days=1))

    assert reader.buyer(BUYER, TODAY).buyer == replace(EJ_MANDATORY, has_active_service=True)
    assert opened(path).buyer(BUYER, TODAY).buyer == replace(FREE, has_active_service=False)


def test_a_source_cut_short_leaves_the_former_in_place(path: Path) -> None:
    def cut() -> Iterator[Entry]:
        yield FULL
        raise ConnectionError("page 2")

    replace_all(path, many(10), NOW)

    with pytest.raises(ConnectionError):
        replace_all(path, cut(), NOW, force=True)
    assert opened(path).count == 10
    assert sorted(p.name for p in path.parent.iterdir()) == [".directory.sqlite3.lock", "directory.sqlite3"]


@pytest.mark.parametrize(("found", "taken"), [(7, False), (8, True), (20, True)])
def test_a_directory_that_shrinks_below_four_fifths_is_refused_unless_forced(
    path: Path, found: int, taken: bool
) -> None:
    replace_all(path, many(10), NOW)

    if not taken:
        with pytest.raises(TooFew, match="7 public bodies"):
            replace_all(path, many(found), NOW)
        assert opened(path).count == 10
        replace_all(path, many(found), NOW, force=True)
    else:
        replace_all(path, many(found), NOW)
    assert opened(path).count == found


def test_the_answers_of_the_api_are_laid_over_as_they_are(path: Path) -> None:
    """The route's own value fits, though neither floor imports the other."""
    replace_all(path, [FULL, *many(3)], NOW - timedelta(days=6))

    lay_over(path, [DirectoryEntry(BUYER, FREE, (OPEN,)), DirectoryEntry("0" * 14, None)], NOW)

    snapshot = opened(path)
    assert snapshot.taken_at == NOW - timedelta(days=6)
    assert snapshot.buyer(BUYER, TODAY).at == NOW
    assert snapshot.service(BUYER, "SERV2") is None
    assert snapshot.buyer("0" * 14, TODAY).buyer is None
    assert snapshot.count == 3
    assert list(snapshot.sirets())[:2] == [f"{1:014d}", f"{2:014d}"]


def test_what_was_told_before_the_network_died_is_kept(path: Path) -> None:
    def dying() -> Iterator[Entry]:
        yield FULL
        raise ConnectionError

    with pytest.raises(ConnectionError):
        lay_over(path, dying(), NOW)

    assert opened(path).buyer(BUYER, TODAY).buyer is not None


def test_one_body_asked_alone_does_not_make_the_others_unknown(path: Path) -> None:
    lay_over(path, [FULL], NOW)
    gatherer = Gatherer(TODAY, open_snapshot(path), {})

    known = gatherer.facts_for(key_terms(sample().document))
    never_asked = gatherer.facts_for(key_terms(sample(buyer_siret="73282932000074").document))

    assert (known.directory, known.buyer is not None) == (Directory.FRESH, True)
    assert (never_asked.directory, never_asked.buyer) == (Directory.MISSING, None)
    assert gatherer.directory is Directory.MISSING


def test_a_siret_that_chorus_denies_is_unknown_and_fresh(path: Path) -> None:
    lay_over(path, [Entry(BUYER, None)], NOW)

    facts = Gatherer(TODAY, open_snapshot(path), {}).facts_for(key_terms(sample().document))

    assert (facts.directory, facts.buyer) == (Directory.FRESH, None)


def test_two_refreshes_at_once_do_not_mix(path: Path) -> None:
    def slow() -> Iterator[Entry]:
        yield FULL
        with pytest.raises(Busy):
            replace_all(path, many(5), NOW)

    replace_all(path, slow(), NOW)

    assert opened(path).count == 1


def test_a_writer_that_was_killed_leaves_the_former_and_no_lock(path: Path) -> None:
    replace_all(path, many(3), NOW)
    program = textwrap.dedent(
        """
        import os, signal, sys
        from datetime import UTC, datetime
        from pathlib import Path
        from gateway.buyers.entries import Entry
        from gateway.buyers.refresh import replace_all
        from gateway.domain.facts import Buyer

        def killed():
            yield Entry("1" * 14, Buyer("1" * 14))
            os.kill(os.getpid(), signal.SIGKILL)

        replace_all(Path(sys.argv[1]), killed(), datetime.now(UTC), force=True)
        """
    )

    done = subprocess.run([sys.executable, "-c", program, str(path)], check=False)

    assert done.returncode < 0
    assert opened(path).count == 3
    replace_all(path, many(4), NOW)
    assert opened(path).count == 4


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"\0" * 2000])
def test_a_file_that_is_no_snapshot_says_so_and_can_be_replaced(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)

    with pytest.raises(BadSnapshot):
        open_snapshot(path)
    replace_all(path, [FULL], NOW)
    assert opened(path).count == 1


def test_a_snapshot_of_another_format_is_refused(path: Path) -> None:
    replace_all(path, [FULL], NOW)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE meta SET value = '99' WHERE key = 'format'")

    with pytest.raises(BadSnapshot, match="format"):
        open_snapshot(path)


def test_no_snapshot_is_none(path: Path) -> None:
    assert open_snapshot(path) is None


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_a_path_with_odd_characters_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "é ?#%20" / "x.db"

    replace_all(path, [FULL], NOW)

    assert opened(path).count == 1


@pytest.mark.parametrize(
    ("age", "state"),
    [
        (None, Directory.MISSING),
        (0, Directory.FRESH),
        (1, Directory.FRESH),
        (2, Directory.AGED),
        (7, Directory.AGED),
        (8, Directory.STALE),
        (-1, Directory.FRESH),
        (-2, Directory.STALE),
    ],
)
def test_the_age_says_how_far_a_snapshot_is_trusted(age: int | None, state: Directory) -> None:
    assert state_of(age) is state
    assert state_of(age, Limits.of(timedelta(days=1), timedelta(days=7))) is state


def test_age_is_counted_in_days_of_paris() -> None:
    late = datetime(2026, 11, 21, 22, 59, tzinfo=UTC)

    assert age_in_days(late, TODAY) == 2
    assert age_in_days(late + timedelta(minutes=1), TODAY) == 1


def test_facts_tell_issuer_route_buyer_and_service(path: Path) -> None:
    replace_all(path, [FULL], NOW)
    issuer = replace(ISSUER, route=Route.PA, environment=Environment.TEST)
    gatherer = Gatherer(TODAY, open_snapshot(path), {ISSUER.siret: issuer})

    facts = gatherer.facts_for(key_terms(sample(service=OPEN).document), partner="erp")

    assert (facts.issuer, facts.route, facts.sandbox, facts.partner) == (issuer, Route.PA, True, "erp")
    assert (facts.buyer, facts.service) == (replace(EJ_MANDATORY, has_active_service=True), OPEN)
    assert (facts.directory, facts.directory_age_days, facts.today) == (Directory.FRESH, 0, TODAY)
    assert gatherer.facts_for(key_terms(sample().document), route=Route.CHORUS_EDI).route is Route.CHORUS_EDI


def test_facts_say_what_is_not_known() -> None:
    gatherer = Gatherer(TODAY, None, None, defaults=Defaults(Route.CHORUS_API, sandbox=True))

    facts = gatherer.facts_for(key_terms(sample().document))

    assert (facts.issuer, facts.issuers_known, facts.sandbox) == (None, False, True)
    assert (facts.directory, facts.directory_age_days, facts.buyer) == (Directory.MISSING, None, None)


def test_a_foreign_issuer_is_found_by_its_own_identifier() -> None:
    foreign = replace(ISSUER, siret="KRSAMPLEMOBILEPHON")
    seller = replace(sample().document.seller, legal=Identifier("KRSAMPLEMOBILEPHON", "3"))

    facts = Gatherer(TODAY, None, {foreign.siret: foreign}).facts_for(key_terms(sample(seller=seller).document))

    assert facts.issuer is foreign


def test_fifty_thousand_documents_to_a_few_buyers_are_gathered_in_a_moment(path: Path) -> None:
    replace_all(path, many(300), NOW)
    gatherer = Gatherer(TODAY, open_snapshot(path), {ISSUER.siret: ISSUER})
    documents = [sample(buyer_siret=f"{n:014d}", service=OPEN).document for n in range(300)]
    started = datetime.now(UTC)

    for n in range(50_000):
        gatherer.facts_for(key_terms(documents[n % 300]), partner="erp")

    assert datetime.now(UTC) - started < timedelta(seconds=20)
