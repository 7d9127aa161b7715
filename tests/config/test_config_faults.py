"""Each wrong configuration gives its one fault: the file, the key, its line, what was expected, what was found."""

from __future__ import annotations

import os
from typing import NamedTuple

import pytest

from tests.config.conftest import ISSUER, PARTNER, House


class Wrong(NamedTuple):
    """One thing that is spoilt, and what must be said of it."""

    file: str
    old: str
    new: str
    key: str
    says: tuple[str, ...]


G, P, I = "gateway.toml", "partners.d/erp.toml", "issuers.d/acme.toml"  # noqa: E741
SECTIONS = "\n[chorus]"

CASES = {
    "a key with a typing error": Wrong(
        G, 'environment = "test"', 'environment = "test"\nlog_levle = "info"', "gateway.log_levle",
        ("unknown key", "Did you mean log_level?"),
    ),
    "an unknown table": Wrong(G, SECTIONS, "\n[sendign]\n[chorus]", "sendign", ("Did you mean sending?",)),
    "an unknown key of an account": Wrong(
        G, "login =", "logni = 'x'\nlogin =", "chorus.accounts.main.logni", ("Did you mean login?",)
    ),
    "a required key left out": Wrong(G, 'state_dir = "state"\n', "", "gateway.state_dir", ("required", "nothing")),
    "an environment that does not exist": Wrong(
        G, '"test"', '"prod"', "gateway.environment", ("'live' or 'test'", '"prod"')
    ),
    "a number in quotes": Wrong(
        G, SECTIONS, '\n[workers]\nprocesses = "4"\n[chorus]', "workers.processes", ("a whole number", '"4"')
    ),
    "a truth value in quotes": Wrong(
        G, SECTIONS, '\n[intake]\nwatch = "yes"\n[chorus]', "intake.watch", ("true or false", '"yes"')
    ),
    "a duration without unit": Wrong(
        G, SECTIONS, "\n[intake]\nquiet = 2\n[chorus]", "intake.quiet", ("a duration with its unit", "2")
    ),
    "a duration that is too long": Wrong(
        G, SECTIONS, '\n[intake]\nrescan = "2d"\n[chorus]', "intake.rescan", ("from 1s to 1d", '"2d"')
    ),
    "a size with an unknown unit": Wrong(
        G, SECTIONS, '\n[intake]\nlimit_bytes = "10Mo"\n[chorus]', "intake.limit_bytes", ("a size", '"10Mo"')
    ),
    "a negative size": Wrong(
        G, SECTIONS, "\n[intake]\nfree_bytes = -1\n[chorus]", "intake.free_bytes", ("a size", "-1")
    ),
    "more documents in a flow than Chorus takes": Wrong(
        G, SECTIONS, "\n[sending]\ndocuments_per_flow = 501\n[chorus]", "sending.documents_per_flow",
        ("at most 500", "501"),
    ),
    "a flow larger than Chorus takes": Wrong(
        G, SECTIONS, '\n[sending]\nflow_bytes = "31MB"\n[chorus]', "sending.flow_bytes", ("at most 30MB", '31MB')
    ),
    "a size of nothing": Wrong(
        G, SECTIONS, "\n[unpacking]\nmember_bytes = 0\n[chorus]", "unpacking.member_bytes", ("at least 1B", "0")
    ),
    "a partner's limit of nothing": Wrong(
        P, "root", "completeness.limit_bytes = 0\nroot", "completeness.limit_bytes", ("at least 1B", "0")
    ),
    "an answer of any size": Wrong(
        G, "client_id", 'answer_bytes = "1GB"\nclient_id', "chorus.answer_bytes", ("at most 250MB", "1GB")
    ),
    "a file larger than its flow": Wrong(
        G, SECTIONS, '\n[sending]\nflow_bytes = "5MB"\n[chorus]', "sending.file_bytes", ("no larger than flow",)
    ),
    "looks in the wrong order": Wrong(
        G, SECTIONS, '\n[sending]\nsettle = ["15m", "5m"]\n[chorus]', "sending.settle", ("each later",)
    ),
    "no look at all": Wrong(G, SECTIONS, "\n[sending]\nsettle = []\n[chorus]", "sending.settle", ("at least 1",)),
    "one look that is no duration": Wrong(
        G, SECTIONS, '\n[sending]\nsettle = ["5m", "soon"]\n[chorus]', "sending.settle[1]", ("a duration", '"soon"')
    ),
    "hours that do not exist": Wrong(
        G, SECTIONS, '\n[sending]\nhours = "22:00-24:30"\n[chorus]', "sending.hours", ("22:00-05:30", "24:30")
    ),
    "a cron line of four fields": Wrong(
        G, SECTIONS, '\n[sending]\nschedule = "0 20 * *"\n[chorus]', "sending.schedule", ("immediate", "0 20 * *")
    ),
    "a cron minute that does not exist": Wrong(
        G, SECTIONS, '\n[directory]\nrefresh = "61 1 * * *"\n[chorus]', "directory.refresh", ("a cron line",)
    ),
    "a cron weekday by number": Wrong(
        G, SECTIONS, '\n[directory]\nrefresh = "0 1 * * 1"\n[chorus]', "directory.refresh", ("weekdays by name",)
    ),
    "a cron line that never comes true": Wrong(
        G, SECTIONS, '\n[directory]\nrefresh = "0 1 30 2 *"\n[chorus]', "directory.refresh", ("at least once",)
    ),
    "a cron line with a day of both kinds": Wrong(
        G, SECTIONS, '\n[directory]\nrefresh = "0 1 1 * mon"\n[chorus]', "directory.refresh", ("not both",)
    ),
    "a snapshot aged after it is held": Wrong(
        G, SECTIONS, '\n[directory]\naged_after = "9d"\n[chorus]', "directory.aged_after", ("no longer than hold",)
    ),
    "a database of another kind": Wrong(
        G, SECTIONS, '\n[ledger]\nurl = "mysql://h/d"\n[chorus]', "ledger.url", ("postgresql+psycopg",)
    ),
    "a ledger in memory": Wrong(
        G, SECTIONS, '\n[ledger]\nurl = "sqlite://"\n[chorus]', "ledger.url", ("sqlite:////absolute",)
    ),
    "a ledger beside wherever one stands": Wrong(
        G, SECTIONS, '\n[ledger]\nurl = "sqlite:///ledger.db"\n[chorus]', "ledger.url", ("four slashes",)
    ),
    "a password for SQLite": Wrong(
        G, SECTIONS, '\n[ledger]\npassword = { env = "ACCOUNT" }\n[chorus]', "ledger.password", ("SQLite has no",)
    ),
    "the real platform in test": Wrong(
        G, '"sandbox"', '"production"', "chorus.platform", ("sandbox or custom", "production platform")
    ),
    "the real platform in test by its address": Wrong(
        G, '"sandbox"', '"custom"\ntoken_url = "https://x.example/t"\napi_url = "https://api.piste.gouv.fr"',
        "chorus.platform", ("production platform",),
    ),
    "a custom platform without address": Wrong(G, '"sandbox"', '"custom"', "chorus.token_url", ("an address",)),
    "an address beside a known platform": Wrong(
        G, '"sandbox"', '"sandbox"\napi_url = "https://x.example"', "chorus.api_url", ("not custom",)
    ),
    "passwords over plain HTTP": Wrong(
        G, '"sandbox"', '"custom"\ntoken_url = "http://x.example/t"\napi_url = "https://x.example"',
        "chorus.token_url", ("https",),
    ),
    "an account under a wrong name": Wrong(
        G, "[chorus.accounts.main]", '[chorus.accounts."Big One"]\nlogin = "x"\npassword = { env = "ACCOUNT" }\n'
        "[chorus.accounts.main]", "chorus.accounts.Big One", ("a short name",),
    ),
    "a partner of a wrong name": Wrong(P, '"erp"', '"ERP 1"', "name", ("a short name", '"ERP 1"')),
    "an empty folder name": Wrong(P, '"../drop/erp"', '""', "root", ("a path",)),
    "a folder name with NUL": Wrong(P, '"../drop/erp"', '"drop/\\u0000"', "root", ("a path",)),
    "a reference term that is not read": Wrong(
        P, "root", 'reference.term = "BT-72"\nroot', "reference.term", ("one of BT-1",)
    ),
    "a format that is not built": Wrong(P, "root", 'acks.format = "pdf"\nroot', "acks.format", ("'csv'",)),
    "a contact that is no address": Wrong(P, "root", 'contacts = ["bob"]\nroot', "contacts[0]", ("mail", '"bob"')),
    "contacts not as a list": Wrong(P, "root", 'contacts = "a@b.example"\nroot', "contacts", ("a list",)),
    "a separator that is the decimal sign": Wrong(
        P, "root", 'acks.dialect = { separator = ",", decimal = "," }\nroot', "acks.dialect.separator",
        ("another sign",),
    ),
    "a status in small type": Wrong(P, "root", 'acks.statuses = ["paid"]\nroot', "acks.statuses[0]", ("a sta",)),
    "a name template with a path": Wrong(
        P, "root", 'acks.name_template = "../{level}{seq}.{extension}"\nroot', "acks.name_template",
        ("must be ASCII",),
    ),
    "a name template without sequence": Wrong(
        P, "root", 'acks.name_template = "{level}.{extension}"\nroot', "acks.name_template", ("{seq} is missing",)
    ),
    "a name template that reaches into objects": Wrong(
        P, "root", 'acks.name_template = "{level.__class__}{seq}.{extension}"\nroot', "acks.name_template",
        ("unknown field",),
    ),
    "a name template with a huge width": Wrong(
        P, "root", 'acks.name_template = "{level}{seq:0999999999d}.{extension}"\nroot',
        "acks.name_template", ("only {seq} may be formatted",),
    ),
    "a name template with an open brace": Wrong(
        P, "root", 'acks.name_template = "{level}{seq"\nroot', "acks.name_template", ("expected '}'",)
    ),
    "a name template that is too long": Wrong(
        P, "root", 'acks.name_template = "' + "a" * 201 + '"\nroot', "acks.name_template", ("at most 200",)
    ),
    "a reference pattern that does not compile": Wrong(
        P, "root", 'reference.pattern = "(?P<ref>"\nroot', "reference.pattern", ("that compiles",)
    ),
    "a reference pattern without its group": Wrong(
        P, "root", 'reference.pattern = "INV.*"\nroot', "reference.pattern", ("(?P<ref>",)
    ),
    "a reference pattern of exponential time": Wrong(
        P, "root", "reference.pattern = '(?P<ref>(\\w+\\s?)+)$'\nroot", "reference.pattern", ("repeats",)
    ),
    "a reference pattern that is too long": Wrong(
        P, "root", f"reference.pattern = '(?P<ref>{'a' * 200})'\nroot", "reference.pattern", ("at most 200",)
    ),
    "a reference term that is none": Wrong(P, "root", 'reference.term = "BT1"\nroot', "reference.term", ("BT-13",)),
    "an issuer of thirteen digits": Wrong(I, "12345678200010", "1234567820001", "siret", ("14 digits",)),
    "an issuer with a line break in its SIRET": Wrong(
        I, "12345678200010", "12345678200010\\n", "siret", ("14 digits",)
    ),
    "a route that is not built": Wrong(I, "chorus-api", "chorus-edi", "route", ("chorus-api", "not built yet")),
    "another route that is not built": Wrong(I, "chorus-api", "pa", "route", ("chorus-api", "not built yet")),
    "a route that does not exist": Wrong(I, "chorus-api", "peppol", "route", ("'chorus-api'", '"peppol"')),
    "an issuer for nobody": Wrong(I, '["erp"]', "[]", "partners", ("at least 1",)),
    "an issuer for an unknown partner": Wrong(I, '["erp"]', '["epr"]', "partners", ('"epr"', "Did you mean erp?")),
    "an issuer with an unknown account": Wrong(I, '"main"', '"mian"', "account", ('"mian"', "Did you mean main?")),
    "a live issuer on a test gateway": Wrong(I, '"test"', '"live"', "environment", ("test, as gateway",)),
    "a mandate date in quotes": Wrong(
        I, "account", 'mandate_signed = "31/01/2026"\naccount', "mandate_signed", ("a date without quotes",)
    ),
    "a mandate date with a time": Wrong(
        I, "account", "mandate_signed = 2026-01-31T10:00:00\naccount", "mandate_signed", ("a date without",)
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_wrong_configuration_gives_its_one_fault(house: House, case: Wrong) -> None:
    house.spoil(case.file, case.old, case.new)

    fault = house.fault()

    assert fault.file == house.path(case.file)
    assert fault.key == case.key
    assert fault.line is not None
    for words in case.says:
        assert words in str(fault)


def test_the_line_is_the_one_on_which_the_key_stands(house: House) -> None:
    house.spoil("gateway.toml", "login =", "# a remark\nlogin = 3\n#")

    fault = house.fault()

    line = house.path().read_text().splitlines()[(fault.line or 0) - 1]
    assert (fault.key, line) == ("chorus.accounts.main.login", "login = 3")


def test_a_key_is_not_looked_for_inside_a_text_of_several_lines(house: House) -> None:
    house.write("issuers.d/acme.toml", 'name = """\nroute = "x"\n[other]\n"""\n' + ISSUER.format(siret="1").replace(
        'name = "Acme"', ""))  # fmt: skip

    fault = house.fault()

    assert house.path("issuers.d/acme.toml").read_text().splitlines()[(fault.line or 0) - 1] == 'siret = "1"'


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [("a = 1\nb = = 2\n", 2, 5), ("[gateway\n", 1, 9), ('a = "never closed', 1, None), ("a = 1\na = 2\n", 2, 6)],
)
def test_a_fault_of_syntax_is_told_with_line_and_column(house: House, text: str, line: int, column: int | None) -> None:
    house.write("partners.d/operator.toml", text)

    fault = house.fault()

    assert fault.file.name == "operator.toml"
    assert (fault.line, fault.column) == (line, column)
    assert "syntax" in fault.found


def test_every_fault_of_every_file_is_told_at_once(house: House) -> None:
    house.spoil("gateway.toml", 'environment = "test"', 'environment = "prod"\nlog_format = "xml"')
    house.spoil("gateway.toml", '{ env = "ACCOUNT" }', '{ env = "NOT_SET" }')
    house.write("partners.d/erp.toml", PARTNER.format(name="ERP!"))
    house.write("partners.d/third.toml", "name = [")
    house.spoil("issuers.d/acme.toml", "chorus-api", "pa")
    house.write("issuers.d/second.toml", "")

    faults = {(fault.file.name, fault.key) for fault in house.faults()}

    assert faults >= {
        ("gateway.toml", "gateway.environment"),
        ("gateway.toml", "gateway.log_format"),
        ("gateway.toml", "chorus.accounts.main.password"),
        ("erp.toml", "name"),
        ("third.toml", ""),
        ("acme.toml", "route"),
        ("second.toml", "siret"),
        ("second.toml", "name"),
        ("second.toml", "partners"),
    }


def test_a_broken_partner_file_does_not_make_its_issuers_wrong_too(house: House) -> None:
    house.spoil("partners.d/erp.toml", "root", 'acks.format = "pdf"\nroot')

    assert house.fault().key == "acks.format"


def test_a_partner_file_that_is_no_toml_counts_under_its_own_name(house: House) -> None:
    house.write("partners.d/erp.toml", "name =")

    assert house.fault().file.name == "erp.toml"


def test_a_missing_file_is_told(house: House) -> None:
    house.path().unlink()

    assert any(fault.file == house.path() and fault.expected == "this file" for fault in house.faults())


def test_bytes_that_are_no_text_are_told_with_their_line(house: House) -> None:
    house.path("partners.d/erp.toml").write_bytes(b'name = "erp"\n# caf\xe9\n')

    fault = house.fault()

    assert (fault.expected, fault.line) == ("UTF-8 text", 2)


@pytest.mark.parametrize("text", ["#" * 1_100_000, "a = " + "[" * 100_000, "a = " + "9" * 10_000])
def test_a_monstrous_file_is_a_fault_like_any_other(house: House, text: str) -> None:
    house.write("partners.d/operator.toml", text)

    assert house.fault().file.name == "operator.toml"


def test_a_pipe_in_place_of_a_file_does_not_hang(house: House) -> None:
    house.path("partners.d/erp.toml").unlink()
    os.mkfifo(house.path("partners.d/erp.toml"))

    assert house.fault().expected == "a regular file"


def test_names_are_told_without_their_control_characters(house: House) -> None:
    house.spoil("partners.d/erp.toml", "root", '"\\u001b[2J\\nforged" = 1\nroot')

    fault = str(house.fault())

    assert fault.isprintable()


def test_a_siret_of_the_qualification_platform_may_fail_its_check_digits(house: House) -> None:
    house.write("issuers.d/acme.toml", ISSUER.format(siret="12345678200011"))

    warning = house.load().warnings[0]

    assert (warning.key, warning.fatal) == ("siret", False)


def test_a_live_siret_must_have_right_check_digits(house: House) -> None:
    house.spoil("gateway.toml", '"test"', '"live"')
    house.spoil("gateway.toml", "sandbox", "production")
    house.write("issuers.d/acme.toml", ISSUER.format(siret="12345678200011").replace('"test"', '"live"'))

    assert "check digits" in house.fault().expected


def test_a_live_gateway_does_not_send_to_the_sandbox(house: House) -> None:
    house.spoil("gateway.toml", '"test"', '"live"')
    house.spoil("issuers.d/acme.toml", '"test"', '"live"')

    assert house.fault().key == "chorus.platform"


def test_a_foreign_supplier_has_no_check_digits(house: House) -> None:
    house.write("issuers.d/acme.toml", ISSUER.format(siret="KRSAMSUNGMOBILEPHO"))

    assert house.load().warnings == ()


def test_two_issuers_of_one_siret_are_a_fault(house: House) -> None:
    house.write("issuers.d/other.toml", ISSUER.format(siret="12345678200010"))

    fault = house.fault()

    assert (fault.key, fault.file.name) == ("siret", "other.toml")
    assert "acme.toml" in fault.found


def test_two_partners_of_one_name_are_a_fault(house: House) -> None:
    house.write("partners.d/twin.toml", 'name = "erp"\nroot = "../drop/twin"\n')

    assert house.fault().key == "name"
