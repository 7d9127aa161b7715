"""What is kept as JSON text comes back as it was, whatever a partner wrote."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.ack import Ack, AckRow, Action, Event, FindingRow, Level, Source
from gateway.domain.finding import Finding, Layer, Severity, Text
from gateway.domain.terms import KeyTerms
from gateway.domain.verdict import Missing, PackVerdict, Verdict
from gateway.ledger import codec
from tests.ledger.ledgers import document, interchange

WORDS = st.text(st.characters(), max_size=20)  # with NUL, directions and halves of surrogate pairs
NAMES = st.text(min_size=1, max_size=20)
MONEY = st.none() | st.decimals(allow_nan=False, allow_infinity=False)
TEXTS = st.builds(Text, WORDS, WORDS)
FINDINGS = st.builds(
    Finding, st.sampled_from(Layer), WORDS, st.sampled_from(Severity), TEXTS, TEXTS, WORDS, WORDS, WORDS,
    st.none() | st.integers(1, 10**6),
)  # fmt: skip
TERMS = st.builds(
    KeyTerms, number=WORDS, type_code=WORDS, issued=st.none() | st.dates(), issuer=WORDS, buyer=WORDS,
    service_code=WORDS, ej=WORDS, contract=WORDS, currency=WORDS, net=MONEY, vat=MONEY, gross=MONEY,
    mixed=st.booleans(),
)  # fmt: skip
PACKS = st.builds(
    PackVerdict, WORDS, WORDS, WORDS, st.sampled_from(Verdict), missing=st.sampled_from(Missing), reason=WORDS
)
MOMENTS = st.datetimes(timezones=st.just(UTC))
ROWS = st.builds(
    AckRow, st.just(1), st.integers(0), NAMES, NAMES, st.sampled_from(Level), st.sampled_from(Source),
    st.sampled_from(Event), MOMENTS, MOMENTS, NAMES, document_date=st.none() | st.dates(), net=MONEY, vat=MONEY,
    gross=MONEY, retransmittable=st.none() | st.booleans(), action=st.sampled_from(Action), remedy=WORDS,
    comment=WORDS, findings_fatal=st.integers(0, 9),
)  # fmt: skip
CHILDREN = st.builds(
    FindingRow, WORDS, WORDS, WORDS, WORDS, WORDS, WORDS, WORDS, WORDS, st.none() | st.integers(1), WORDS, WORDS
)


@settings(max_examples=60, deadline=None)
@given(st.lists(FINDINGS, max_size=3).map(tuple))
def test_findings_come_back(findings):
    assert codec.load_findings(_stored(codec.dump_findings(findings))) == findings


@settings(max_examples=60, deadline=None)
@given(TERMS)
def test_terms_come_back(terms):
    back = codec.load_terms(_stored(codec.dump_terms(terms)))
    assert back == terms
    assert [str(m) for m in (back.net, back.vat, back.gross)] == [str(m) for m in (terms.net, terms.vat, terms.gross)]


@settings(max_examples=40, deadline=None)
@given(st.lists(PACKS, max_size=3).map(tuple))
def test_verdicts_come_back(packs):
    assert codec.load_packs(_stored(codec.dump_packs(packs))) == packs


@settings(max_examples=60, deadline=None)
@given(st.builds(Ack, ROWS, st.lists(CHILDREN, max_size=2).map(tuple)))
def test_acks_come_back(ack):
    assert codec.load_ack(_stored(codec.dump_ack(ack))) == ack


@pytest.mark.parametrize("amount", ["0", "0.00", "-0.00", "0.1", "1E+3"])
def test_a_total_of_nothing_is_a_total_and_an_absent_one_is_none(amount):
    terms = KeyTerms(net=Decimal(amount))
    back = codec.load_terms(codec.dump_terms(terms))
    assert str(back.net) == amount
    assert back.vat is None


def test_both_databases_take_whatever_text_a_partner_wrote(ledger):
    """PostgreSQL takes no NUL, neither takes half of a surrogate pair: in JSON both are escaped."""
    file = interchange()
    odd = "\0\ud800\N{RIGHT-TO-LEFT OVERRIDE}é"
    paper = document(file, index_row={odd: odd}, terms=replace(document(file).terms, contract=odd))
    with ledger.writing("test") as unit:
        unit.add_interchanges([file])
        unit.add_documents([paper])
    with ledger.reading() as unit:
        assert unit.document(paper.id) == paper


def test_what_has_no_agreed_form_is_refused():
    with pytest.raises(TypeError):
        codec.dump({"x": b"bytes"})


def _stored(text: str) -> str:
    """As a database keeps it: UTF-8 without NUL."""
    assert "\0" not in text
    return text.encode().decode()
