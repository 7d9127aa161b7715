"""Reading answers: dates in every form seen, reports with cut-off texts, errors known by service and prefix."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.flow_states import FlowOutcome
from gateway.routes.chorus_api.answers import BusinessError, Fields, Garbage, read_answer
from gateway.routes.chorus_api.dates import read_day, read_moment, write_moment
from gateway.routes.chorus_api.history import _event
from gateway.routes.chorus_api.reports import read_report


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-23T14:05:06.123+01:00", datetime(2026, 11, 23, 13, 5, 6, 123000, UTC)),
        ("2026-11-23T14:05:06.123+0100", datetime(2026, 11, 23, 13, 5, 6, 123000, UTC)),
        ("2026-11-23T13:05:06Z", datetime(2026, 11, 23, 13, 5, 6, 0, UTC)),
        ("2026-07-23T14:05:06", datetime(2026, 7, 23, 12, 5, 6, 0, UTC)),
        ("23/11/2026", datetime(2026, 11, 22, 23, 0, 0, 0, UTC)),
        ("23/11/2026 14:05", datetime(2026, 11, 23, 13, 5, 0, 0, UTC)),
    ],
)
def test_a_moment_is_read_in_every_form_seen(text, moment):
    assert read_moment(text) == moment


@pytest.mark.parametrize(
    "text", ["2026-11-23T00:00:00+01:00", "2026-11-22T23:00:00.000+00:00", "2026-11-23", "23/11/2026"]
)
def test_a_day_is_a_day_in_france(text):
    assert read_day(text) == date(2026, 11, 23)


@given(st.text())
def test_no_text_makes_the_date_reader_fail(text):
    read_moment(text)


@pytest.mark.parametrize("text", ["", "demain", "32/01/2026", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_what_is_no_date_is_none(text):
    assert read_moment(text) is None


def test_requests_carry_iso_with_the_offset_of_paris():
    assert write_moment(datetime(2026, 7, 1, 10, 0, tzinfo=UTC)) == "2026-07-01T12:00:00.000+02:00"


def test_messages_on_a_document_are_split_and_kept_even_when_cut_off():
    report = read_report(
        Fields(
            {
                "etatCourantDepotFlux": "IN_INTEGRE_PARTIEL",
                "dateHeureEtatCourantFlux": "2026-11-23T14:05:06+01:00",
                "listeErreurDP": [
                    {
                        "numeroDP": "F-17",
                        "identifiantFournisseur": "90000001900019",
                        "libelleErreurDP": "Le code service est inconnu |Le fournisseur n'utilise pa",
                    },
                    {"numeroDP": 18, "libelleErreurDP": ""},
                    "no object",
                ],
            }
        )
    )

    assert report.outcome is FlowOutcome.PARTIAL
    assert [(one.number, one.text) for one in report.refusals] == [
        ("F-17", "Le code service est inconnu"),
        ("F-17", "Le fournisseur n'utilise pa"),
        ("18", ""),
    ]


def test_a_schema_error_carries_its_line_and_position():
    text = "IRRECEVABILITE: cvc-complex-type.2.2: Element 'ram:Content' - ligne: 14 - position: 207"
    report = read_report(
        Fields(
            {
                "etatCourantDepotFlux": "IN_REJETE",
                "listeErreurTechnique": [
                    {"codeErreur": "ERR_XSD_001", "natureErreur": "ERR_XSD", "libelleErreur": text}
                ],
            }
        )
    )

    (refusal,) = report.refusals
    assert (refusal.number, refusal.code, refusal.line, refusal.column) == ("", "ERR_XSD_001", 14, 207)
    assert refusal.text == text


def test_a_state_that_nobody_documented_is_told_as_unknown():
    assert read_report(Fields({"etatCourantDepotFlux": "IN_NOUVEAU"})).outcome is FlowOutcome.UNKNOWN_STATE


def test_a_report_of_a_million_errors_is_cut():
    errors = [{"numeroDP": "1", "libelleErreurDP": "a|b"}] * 20_000
    assert len(read_report(Fields({"etatCourantDepotFlux": "IN_REJETE", "listeErreurDP": errors})).refusals) == 5000


@pytest.mark.parametrize(
    ("libelle", "key"),
    [
        ("GDP_MSG_11.022 : fichier trop gros", "s 20001 GDP_MSG_11.022"),
        ("POQ_MSG_01_003", "s 20001 POQ_MSG_01.003"),
        ("autre chose", "s 20001"),
    ],
)
def test_an_error_is_known_by_service_number_and_prefix(libelle, key):
    assert BusinessError("s", 20001, libelle).key == key


@pytest.mark.parametrize(
    "body", [b"", b"null", b"{}", b'{"codeRetour":true}', b'{"codeRetour":NaN}', b"\xff{}", b'{"codeRetour":1e400}']
)
def test_what_is_no_answer_is_garbage(body):
    with pytest.raises(Garbage):
        read_answer("s", body)


def test_a_return_code_written_as_text_is_read():
    assert read_answer("s", b'{"codeRetour":"0","libelle":"ok"}').text("libelle") == "ok"


def test_line_breaks_and_direction_marks_in_texts_cannot_forge_rows():
    assert Fields({"a": "x\r\ny\u202e\x00"}).text("a") == "x  y\ufffd\ufffd"


def test_a_passage_carries_no_person():
    event = _event(
        Fields(
            {
                "histoStatutId": 7,
                "histoStatutCode": "REJETEE",
                "histoStatutDatePassage": "2026-11-23T14:05:06+01:00",
                "histoStatutCommentaire": "Montant erroné",
                "histoStatutUtilisateurNom": "PERSONNE",
                "histoStatutUtilisateurEmail": "personne@example.invalid",
            }
        ),
        "12",
        "F-1",
    )

    assert event is not None
    assert event.comment == "Montant erroné"
    assert "personne" not in repr(event).lower()
