"""The whole road to Chorus Pro and back, over HTTP to the simulator."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from gateway.clock import HandClock
from gateway.domain.flow_states import FlowOutcome
from gateway.domain.issuer import Issuer
from gateway.routes.chorus_api import Account, ChorusApi, Timeouts
from gateway.routes.protocol import NotAllowed, Refused, RouteClient, Uncertain, Unreachable
from gateway.simulator import running_simulator

from .conftest import SUPPLIER_1, SUPPLIER_2, SUPPLIER_3, issuer_of, settings_for
from .invoices import SERVICE_MANDATORY, sendable

DAY = timedelta(days=1)
UBL = "IN_DP_E1_UBL_INVOICE"


@pytest.fixture
def chorus():
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def client(chorus):
    made = ChorusApi(settings_for(chorus), HandClock(chorus.now()))
    yield made
    made.close()


def deposit(client: RouteClient, issuer: Issuer, *sendables) -> str:
    (packet,) = client.pack(sendables, "flow-1")
    return client.deposit(packet, issuer).number


def processed(chorus) -> None:
    chorus.advance(timedelta(minutes=2))


def test_one_invoice_goes_all_the_way_and_its_life_is_told(chorus, client, issuer):
    flow = deposit(client, issuer, sendable("F-1", issuer))
    assert client.report(issuer, flow, UBL).outcome is FlowOutcome.PENDING

    processed(chorus)
    report = client.report(issuer, flow, UBL)
    assert (report.outcome, report.native_state, report.refusals) == (FlowOutcome.INTEGRATED, "IN_INTEGRE", ())
    assert report.at is not None

    (invoice,) = client.invoices_of(issuer, flow)
    assert (invoice.number, invoice.issuer, invoice.flow_number) == ("F-1", SUPPLIER_1, flow)
    assert invoice.issued is not None
    assert invoice.issued.isoformat() == "2026-11-20"

    chorus.set_status("F-1", "REJETEE", "Montant erroné")
    now = chorus.now()
    (changed,) = client.changed(issuer, now - DAY, now + DAY)
    assert (changed.platform_id, changed.status, changed.comment) == (
        invoice.platform_id,
        "REJETEE",
        "Montant erroné",
    )

    history = client.history(issuer, invoice.platform_id)
    assert [event.status for event in history][:1] == ["DEPOSEE"]
    assert (history[-1].status, history[-1].comment, history[-1].number) == ("REJETEE", "Montant erroné", "F-1")
    assert [event.at for event in history] == sorted(event.at for event in history)
    assert len({event.event_id for event in history}) == len(history)
    assert "FICTIF" not in repr(history).upper()


def test_what_changed_before_the_period_is_not_told_again(chorus, client, issuer):
    deposit(client, issuer, sendable("F-1", issuer))
    processed(chorus)
    now = chorus.now()

    assert list(client.changed(issuer, now + DAY, now + 2 * DAY)) == []


def test_a_partial_integration_names_the_refused_and_lists_the_others(chorus, client, issuer):
    documents = [
        sendable("GOOD-1", issuer),
        sendable("BAD-1", issuer, buyer=SERVICE_MANDATORY),
        sendable("GOOD-2", issuer),
    ]
    flow = deposit(client, issuer, *documents)
    processed(chorus)

    report = client.report(issuer, flow, UBL)
    assert report.outcome is FlowOutcome.PARTIAL
    assert {(one.number, one.issuer) for one in report.refusals} == {("BAD-1", SUPPLIER_1)}
    assert "service" in report.refusals[0].text
    assert sorted(one.number for one in client.invoices_of(issuer, flow)) == ["GOOD-1", "GOOD-2"]


def test_a_document_that_breaks_the_schema_rejects_the_flow_with_its_line(chorus, client, issuer):
    broken = sendable("F-1", issuer).content.replace(b"<cbc:IssueDate>2026-11-20<", b"<cbc:IssueDate>demain<")
    flow = deposit(client, issuer, sendable("F-1", issuer, broken), sendable("F-2", issuer))
    processed(chorus)

    report = client.report(issuer, flow, UBL)

    assert (report.outcome, report.native_state) == (FlowOutcome.REJECTED, "IN_REJETE")
    assert report.refusals[0].code == "ERR_XSD_001"
    assert report.refusals[0].line == 8
    assert list(client.invoices_of(issuer, flow)) == []


def test_an_incident_is_told_as_one(chorus, client, issuer):
    chorus.fault("incident", "deposer/flux")
    flow = deposit(client, issuer, sendable("F-1", issuer))
    processed(chorus)

    assert client.report(issuer, flow, UBL).outcome is FlowOutcome.INCIDENT


def test_a_flow_state_that_nobody_documented_is_told(chorus, client, issuer):
    flow = deposit(client, issuer, sendable("F-1", issuer))
    chorus.set_flow(flow, "IN_TOUT_NOUVEAU")

    report = client.report(issuer, flow, UBL)

    assert (report.outcome, report.native_state) == (FlowOutcome.UNKNOWN_STATE, "IN_TOUT_NOUVEAU")


def test_a_number_already_taken_shows_in_the_report(chorus, client, issuer):
    deposit(client, issuer, sendable("F-1", issuer))
    processed(chorus)
    again = deposit(client, issuer, sendable("F-1", issuer))
    processed(chorus)

    report = client.report(issuer, again, UBL)

    assert report.outcome is FlowOutcome.REJECTED
    assert "déjà déposé" in report.refusals[0].text


@pytest.mark.parametrize("fault", ["lost", "cut", "truncated"])
def test_a_lost_answer_is_uncertain_and_the_invoice_is_found_by_its_number(fault, chorus, client, issuer):
    chorus.fault(fault, "deposer/flux")

    with pytest.raises(Uncertain):
        deposit(client, issuer, sendable("F-1", issuer))

    processed(chorus)
    now = chorus.now()
    (found,) = client.find(issuer, ["F-1"], now - DAY, now)
    assert found.number == "F-1"
    assert found.flow_number
    assert len(chorus.deposits()) == 1


def test_a_call_dropped_before_it_was_processed_leaves_nothing_to_find(chorus, client, issuer):
    chorus.fault("dropped", "deposer/flux")

    with pytest.raises(Uncertain):
        deposit(client, issuer, sendable("F-1", issuer))

    processed(chorus)
    now = chorus.now()
    assert list(client.find(issuer, ["F-1"], now - DAY, now)) == []
    assert chorus.deposits() == []


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (401, {}, NotAllowed),
        (403, {}, NotAllowed),
        (429, {"Retry-After": "9"}, Unreachable),
        (500, {}, Uncertain),
        (503, {}, Uncertain),
        (503, {"Retry-After": "60"}, Unreachable),
    ],
)
def test_each_status_is_told_apart(status, headers, error, chorus, client, issuer):
    chorus.fault("status", "deposer/flux", times=5, status=status, headers=headers)

    with pytest.raises(error):
        deposit(client, issuer, sendable("F-1", issuer))

    assert chorus.deposits() == []


def test_a_500_after_the_deposit_was_booked_is_uncertain(chorus, client, issuer):
    chorus.fault("status", "deposer/flux", status=500, processed=True)

    with pytest.raises(Uncertain):
        deposit(client, issuer, sendable("F-1", issuer))

    assert len(chorus.deposits()) == 1


def test_the_wrong_application_is_named(chorus, issuer):
    client = ChorusApi(settings_for(chorus, client_secret="wrong"))

    with pytest.raises(NotAllowed, match="OAuth application"):
        client.check_account(issuer)


def test_an_api_without_subscription_is_named(chorus, client, issuer):
    chorus.subscribe("factures", False)

    with pytest.raises(NotAllowed, match="not subscribed"):
        deposit(client, issuer, sendable("F-1", issuer))


def test_a_wrong_technical_account_is_named_with_its_issuer(chorus, issuer):
    client = ChorusApi(settings_for(chorus, accounts={"one": Account("TECH_1_000001@cpro.fr", "old")}))

    with pytest.raises(NotAllowed, match=rf"technical account TECH_1_000001@cpro.fr of issuer {SUPPLIER_1}"):
        deposit(client, issuer, sendable("F-1", issuer))


@pytest.mark.parametrize("status", [400, 401])
def test_tokens_that_expire_in_the_middle_of_a_run_are_renewed(status, issuer):
    with running_simulator(missing_bearer_status=status) as chorus:
        client = ChorusApi(settings_for(chorus))
        for number in range(3):
            deposit(client, issuer, sendable(f"F-{number}", issuer))
            chorus.expire_tokens()

        assert len(chorus.deposits()) == 3


def test_a_token_is_renewed_before_it_ends(issuer):
    now = [0.0]
    with running_simulator(token_ttl_s=100) as chorus:
        client = ChorusApi(settings_for(chorus), monotonic=lambda: now[0])
        deposit(client, issuer, sendable("F-1", issuer))
        now[0] = 89.0
        deposit(client, issuer, sendable("F-2", issuer))
        before = chorus.state()
        now[0] = 91.0
        deposit(client, issuer, sendable("F-3", issuer))

        asked = [_token_calls(state) for state in (before, chorus.state())]
    assert asked == [1, 2]


def _token_calls(state) -> int:
    return next(count for path, count in state["counters"]["requests"].items() if "oauth/token" in path)


def test_a_token_endpoint_that_fails_is_no_deposit(chorus, client, issuer):
    chorus.issue_tokens(False)

    with pytest.raises(Unreachable):
        deposit(client, issuer, sendable("F-1", issuer))


def test_an_answer_that_comes_too_late_is_uncertain(chorus, issuer):
    client = ChorusApi(settings_for(chorus, timeouts=Timeouts(1, 0.3, 0.3, 0.3)))
    chorus.fault("delay", "deposer/flux", seconds=2, processed=True)

    with pytest.raises(Uncertain):
        deposit(client, issuer, sendable("F-1", issuer))

    assert len(chorus.deposits()) == 1


def test_a_flow_of_237_invoices_is_listed_whole(chorus, issuer):
    client = ChorusApi(settings_for(chorus))
    numbers = [f"F-{number:04}" for number in range(237)]
    flows = [
        client.deposit(packet, issuer).number
        for packet in client.pack([sendable(number, issuer) for number in numbers], "night")
    ]
    processed(chorus)
    now = chorus.now()

    assert len(flows) == 3
    listed = [one.number for flow in flows for one in client.invoices_of(issuer, flow)]
    assert sorted(listed) == numbers
    assert sorted(one.number for one in client.changed(issuer, now - DAY, now + DAY)) == numbers
    asked = [*numbers[::2], "UNKNOWN"]
    assert sorted(one.number for one in client.find(issuer, asked, now - DAY, now)) == numbers[::2]
    assert [one.number for one in client.find(issuer, ["F-0007"], now - DAY, now)] == ["F-0007"]


def test_an_empty_search_may_be_answered_as_an_error(issuer):
    with running_simulator(empty_search_is_an_error=True) as chorus:
        client = ChorusApi(settings_for(chorus))
        now = chorus.now()

        assert list(client.find(issuer, ["F-1"], now - DAY, now)) == []
        assert list(client.changed(issuer, now - DAY, now)) == []


def test_last_years_invoice_of_the_same_number_is_not_found(chorus, client, issuer):
    deposit(client, issuer, sendable("F-1", issuer))
    processed(chorus)
    chorus.advance(timedelta(days=365))
    now = chorus.now()

    assert list(client.find(issuer, ["F-1"], now - DAY, now)) == []


def test_issuers_of_one_account_do_not_see_each_others_invoices(chorus, client, issuer):
    other = issuer_of(SUPPLIER_2, "one")
    deposit(client, issuer, sendable("F-1", issuer))
    deposit(client, other, sendable("F-1", other))
    processed(chorus)
    now = chorus.now()

    assert [one.issuer for one in client.changed(other, now - DAY, now + DAY)] == [SUPPLIER_2]


def test_threads_share_one_client(chorus, issuer):
    client = ChorusApi(settings_for(chorus))
    issuers = [issuer, issuer_of(SUPPLIER_2, "one"), issuer_of(SUPPLIER_3, "two")]
    failures: list[BaseException] = []

    def work(thread: int) -> None:
        try:
            for turn in range(8):
                mine = issuers[(thread + turn) % 3]
                deposit(client, mine, sendable(f"T{thread}-{turn}", mine))
                if turn == 3 and thread % 2:
                    chorus.expire_tokens()
                list(client.changed(mine, chorus.now() - DAY, chorus.now() + DAY))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert failures == []
    assert len(chorus.deposits()) == 32
    processed(chorus)
    listed = [one.number for mine in issuers for one in client.changed(mine, chorus.now() - DAY, chorus.now() + DAY)]
    assert len(set(listed)) == len(listed) == 32


def test_an_issuer_that_chorus_does_not_know_is_named(chorus, client):
    stranger = issuer_of("99999999900000", "one")

    with pytest.raises(NotAllowed, match="no structure 99999999900000"):
        list(client.changed(stranger, chorus.now() - DAY, chorus.now()))


def test_the_self_test_lists_the_structures_of_the_account(client, issuer):
    check = client.check_account(issuer)

    assert check.structures == (SUPPLIER_1, SUPPLIER_2)
    assert check.password_expires is None


def test_a_file_too_large_is_refused_with_its_code(chorus, client, issuer):
    (packet,) = client.pack([sendable("F-1", issuer)], "flow-1")
    large = type(packet)(packet.name, packet.syntax, b"x" * 11_000_000, packet.document_ids, packet.member_names)

    with pytest.raises(Refused) as caught:
        client.deposit(large, issuer)

    assert caught.value.refusal.code == "factures/v1/deposer/flux 20001 GDP_MSG_11.022"


def test_the_directory_gives_what_each_body_demands(client, issuer):
    state, service, nobody, closed, ours = client.directory(
        issuer, ["11000201100044", SERVICE_MANDATORY, "00000000000000", "12345678200069", "12345678200077"]
    )

    assert state.buyer is not None
    assert (state.buyer.name, state.buyer.ej_mandatory, state.buyer.service_mandatory) == ("ETAT", True, True)
    assert nobody.buyer is None
    assert closed.buyer is not None
    assert not closed.buyer.active
    assert ours.buyer is not None
    assert ours.buyer.never_tells_payment
    by_code = {one.code: one for one in service.services}
    assert set(by_code) == {"SERVICE1", "SERVICEEJ", "ANCIEN", "FERME", "FACTURES_PUBLIQUES"}
    assert by_code["SERVICEEJ"].ej_mandatory
    assert not by_code["SERVICE1"].ej_mandatory
    assert not by_code["FERME"].active
    assert by_code["ANCIEN"].valid_to is not None
    assert by_code["ANCIEN"].valid_to.isoformat() == "2020-12-31"


def test_only_the_services_asked_for_are_consulted(chorus, client, issuer):
    (entry,) = client.directory(issuer, [SERVICE_MANDATORY], service_codes={"SERVICEEJ"})

    assert len(entry.services) == 5
    calls = chorus.state()["counters"]["requests"]
    assert next(count for path, count in calls.items() if "consulter/service" in path) == 1
