"""Rows to files: CSV in every dialect, JSON Lines and XML against their published schemas, the same bytes again."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.acks.cells import LIMIT, money, text
from gateway.acks.render import Heading, render
from gateway.domain.ack import CORE_COLUMNS, FINDING_COLUMNS, Ack, Action, Event, Level, Source
from gateway.domain.finding import printable
from gateway.domain.partner import AckFormat, AckWishes, Dialect
from tests.acks.ack_samples import AT, make_ack

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
HEADING = Heading(partner="erp-lyon", level=Level.DECISION, seq=12, at=AT)
CSV, JSONL, XML = (AckWishes(format=form) for form in (AckFormat.CSV, AckFormat.JSONL, AckFormat.XML))
DIALECTS = [
    Dialect(),
    Dialect(separator=",", bom=True, decimal=",", newline="\r\n"),
    Dialect(separator="\t", decimal=","),
]
hostile = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(list("\r\n\t;,\"'=+-@|\u202e\u2028\ufeff\x00\x1b\x85\u00a0<&>]\udcff")),
    ),
    max_size=40,
)


def content(acks: list[Ack], wishes: AckWishes, place: int = 0) -> bytes:
    return render(acks, wishes, HEADING)[place].content


def read_csv(raw: bytes, dialect: Dialect = Dialect()) -> list[dict[str, str]]:  # noqa: B008
    decoded = raw.decode("utf-8-sig" if dialect.bom else "utf-8")
    rows = list(csv.reader(io.StringIO(decoded, newline=""), delimiter=dialect.separator, strict=True))
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def exact(cell: str) -> str:
    """What docs/acknowledgements.md tells a reader to do that needs the exact text."""
    return cell[1:] if re.match(r"[\s']*[=+\-@＝＋－＠]", cell) and cell.startswith("'") else cell


def expected(value: str, limit: int = LIMIT) -> str:
    """The printable string, French blanks kept."""
    kept = "".join(c if c in "\u00a0\u202f" else printable(c) for c in value)
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


# CSV


def test_the_header_is_the_core_columns_in_their_order():
    head = content([make_ack()], CSV).decode().split("\n")[0]
    assert head == ";".join(CORE_COLUMNS)


def test_a_row_says_what_the_ack_says():
    row = read_csv(content([make_ack()], CSV))[0]
    assert row["ack_seq"] == "12"
    assert row["net"] == "1000.00" and row["vat"] == "200.0" and row["gross"] == "-1200.00"
    assert row["document_date"] == "2026-11-20"
    assert row["occurred_at"] == "2026-11-23T14:42:16Z"
    assert row["retransmittable"] == "true" and row["level"] == "decision" and row["event"] == "refused"
    assert row["contract"] == "" and row["findings_hold"] == "0"
    assert row["remedy"] == "Corrigez BT-112, puis redéposez : 1\u202f210,00\u00a0€."


@pytest.mark.parametrize("dialect", DIALECTS, ids=["default", "comma-bom-crlf", "tab"])
def test_a_dialect_changes_the_writing_and_not_the_row(dialect):
    raw = content([make_ack(1), make_ack(2)], AckWishes(dialect=dialect))
    assert raw.startswith(b"\xef\xbb\xbf") == dialect.bom
    assert raw.count(dialect.newline.encode()) == raw.count(b"\n") == 3
    rows = read_csv(raw, dialect)
    assert [row["document_number"] for row in rows] == ["F-1", "F-2"]
    assert rows[0]["gross"] == f"-1200{dialect.decimal}00"


@given(st.lists(hostile, min_size=5, max_size=5), st.sampled_from(DIALECTS))
@settings(max_examples=200, deadline=None)
def test_a_hostile_string_is_read_back_as_its_printable_self_on_one_line(strings, dialect):
    columns = ("partner_reference", "document_number", "file_name", "comment", "ej")
    raw = content([make_ack(1, **dict(zip(columns, strings, strict=True)))], AckWishes(dialect=dialect))
    assert raw.count(b"\n") == 2 and b"\x00" not in raw
    row = read_csv(raw, dialect)[0]
    for column, value in zip(columns, strings, strict=True):
        assert exact(row[column]) == expected(value)


@pytest.mark.parametrize(
    "value",
    ["=1+1", "+cmd|' /C calc'!A0", "-2+3+cmd|x", "@SUM(A1)", " =1", "＝1+1", "\t=1", "'=1", "''=1", "-A", "=", "+"],
)
def test_a_cell_that_excel_would_run_is_made_text_and_can_be_had_back(value):
    cell = read_csv(content([make_ack(document_number=value)], CSV))[0]["document_number"]
    assert cell.startswith("'")
    assert exact(cell) == expected(value)


@pytest.mark.parametrize("value", ["-1200", "+33 1 23 45 67 89", "-12.50", "F-1", "a=b", "'90s", "12", ""])
def test_a_key_that_is_no_formula_is_left_alone(value):
    assert read_csv(content([make_ack(document_number=value)], CSV))[0]["document_number"] == value


def test_findings_are_a_child_file_joined_on_the_ack_id():
    main, child = render([make_ack(1, findings=2), make_ack(2)], CSV, HEADING)
    assert child.name == main.name.removesuffix(".csv") + ".findings.csv"
    rows = read_csv(child.content)
    assert list(rows[0]) == list(FINDING_COLUMNS)
    assert [(row["ack_id"], row["rule"], row["line"]) for row in rows] == [
        ("A000001", "BR-CO-10", "87"),
        ("A000001", "BR-CO-11", "88"),
    ]


def test_without_findings_there_is_no_child_file():
    assert len(render([make_ack()], CSV, HEADING)) == 1


def test_no_acks_make_no_file():
    assert render([], CSV, HEADING) == ()


@pytest.mark.parametrize("changes", [{"partner": "other"}, {"level": Level.RECEIPT}])
def test_rows_of_another_partner_or_level_are_not_written_into_a_file(changes):
    with pytest.raises(ValueError, match="in a file of"):
        render([make_ack(1), make_ack(2, **changes)], CSV, HEADING)


@pytest.mark.parametrize("wishes", [CSV, JSONL, XML], ids=["csv", "jsonl", "xml"])
def test_the_same_rows_are_the_same_files_again(wishes):
    acks = [make_ack(1, findings=2), make_ack(2)]
    assert render(acks, wishes, HEADING) == render(list(acks), wishes, HEADING)


# Values


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("1E+3", "1000"), ("0.10", "0.10"), ("-0.00", "-0.00"), ("1E-3", "0.001"),
        ("123456789012345678.99", "123456789012345678.99"),
        ("NaN", ""), ("-Infinity", ""), ("1E+999999", ""), ("1E-999999", ""), ("9" * 5000, ""),
    ],
)  # fmt: skip
def test_money_keeps_its_digits_and_an_absurd_number_is_left_out(value, shown):
    assert money(Decimal(value)) == shown


def test_an_absurd_number_keeps_every_format_valid():
    absurd = make_ack(net=Decimal("1E+999999"), vat=Decimal("NaN"))
    assert read_csv(content([absurd], CSV))[0]["net"] == ""
    assert json.loads(content([absurd], JSONL))["net"] is None
    assert_valid_xml(content([absurd], XML))


def test_times_are_told_in_utc_wherever_they_were_taken():
    paris = timezone(timedelta(hours=1))
    row = read_csv(content([make_ack(occurred_at=datetime(2026, 11, 23, 15, 0, tzinfo=paris))], CSV))[0]
    assert row["occurred_at"] == "2026-11-23T14:00:00Z"
    assert datetime.fromisoformat(row["occurred_at"]) == datetime(2026, 11, 23, 14, tzinfo=UTC)


def test_a_text_is_cut_at_its_limit():
    assert len(text("document_number", "9" * 5000)) == LIMIT
    assert len(text("comment", "9" * 5000)) == 1000
    assert len(text("comment", "\u00a0" * 5000)) == 1000


# JSON Lines


def schema() -> dict[str, Any]:
    return json.loads((SCHEMAS / "acknowledgement.schema.json").read_text(encoding="utf-8"))


def faults(value: Any, rule: dict[str, Any], where: str = "") -> list[str]:
    """Enough of JSON Schema for our own: const, enum, type, pattern, bounds, objects and arrays."""
    kinds: dict[str, Any] = {
        "string": str, "object": dict, "array": list, "null": type(None), "boolean": bool, "integer": int,
    }  # fmt: skip
    found: list[str] = []
    if "const" in rule and value != rule["const"]:
        found.append(f"{where}: not {rule['const']}")
    if "enum" in rule and value not in rule["enum"]:
        found.append(f"{where}: {value!r} not in {rule['enum']}")
    if "type" in rule:
        names = rule["type"] if isinstance(rule["type"], list) else [rule["type"]]
        if not any(isinstance(value, kinds[name]) and (name != "integer" or value is not True) for name in names):
            found.append(f"{where}: {value!r} is no {names}")
    if isinstance(value, str):
        if "pattern" in rule and not re.search(rule["pattern"], value):
            found.append(f"{where}: {value!r} does not match {rule['pattern']}")
        if len(value) > rule.get("maxLength", len(value)):
            found.append(f"{where}: too long")
    if isinstance(value, int) and value < rule.get("minimum", value):
        found.append(f"{where}: too small")
    if isinstance(value, dict):
        found += [f"{where}.{key}: missing" for key in rule["required"] if key not in value]
        for key, child in value.items():
            found += faults(child, rule["properties"].get(key, {"enum": []}), f"{where}.{key}")
    if isinstance(value, list):
        for place, child in enumerate(value):
            found += faults(child, rule["items"], f"{where}[{place}]")
    return found


def test_the_published_schema_has_the_columns_of_the_contract_in_their_order():
    published = schema()
    assert tuple(published["properties"]) == (*CORE_COLUMNS, "findings")
    assert tuple(published["properties"]["findings"]["items"]["properties"]) == FINDING_COLUMNS[1:]
    for column, words in (("level", Level), ("source", Source), ("event", Event), ("action", Action)):
        assert published["properties"][column]["enum"] == list(words)


def test_each_line_is_an_object_of_the_published_schema_in_the_order_of_the_columns():
    raw = content([make_ack(1, findings=2), make_ack(2, retransmittable=None, net=None)], JSONL)
    lines = [json.loads(line) for line in raw.decode().splitlines()]
    assert [tuple(line) for line in lines] == [(*CORE_COLUMNS, "findings")] * 2
    assert [fault for line in lines for fault in faults(line, schema())] == []
    assert lines[0]["gross"] == "-1200.00" and lines[0]["retransmittable"] is True
    assert [finding["rule"] for finding in lines[0]["findings"]] == ["BR-CO-10", "BR-CO-11"]
    assert lines[1]["net"] is None and lines[1]["retransmittable"] is None and lines[1]["findings"] == []


def test_the_little_schema_checker_of_this_test_sees_faults():
    line = json.loads(content([make_ack(1)], JSONL))
    assert faults({**line, "level": "other"}, schema())
    assert faults({**line, "net": "1,0"}, schema())
    assert faults({key: value for key, value in line.items() if key != "ej"}, schema())
    assert faults({**line, "more": 1}, schema())


@given(hostile, hostile)
@settings(max_examples=100, deadline=None)
def test_a_hostile_string_stays_one_line_of_json(number, comment):
    raw = content([make_ack(document_number=number, comment=comment)], JSONL)
    assert raw.count(b"\n") == 1 and len(raw.decode().splitlines()) == 1
    line = json.loads(raw)
    assert line["document_number"] == expected(number) and line["comment"] == expected(comment, 1000)
    assert faults(line, schema()) == []


# XML


def assert_valid_xml(raw: bytes) -> etree._Element:
    published = etree.XMLSchema(etree.parse(SCHEMAS / "acknowledgement.xsd"))
    root = etree.fromstring(raw)
    published.assertValid(root)
    return root


def names(elements: Any) -> list[str]:
    return [etree.QName(element).localname for element in elements]


def test_xml_is_valid_and_has_the_columns_in_their_order():
    root = assert_valid_xml(content([make_ack(1, findings=2), make_ack(2, retransmittable=None)], XML))
    first, second = root
    filled = [column for column in CORE_COLUMNS if column in names(first)]
    assert names(first) == [*filled, "findings"]
    assert "contract" not in names(first) and "retransmittable" not in names(second)
    assert first.findtext("{*}gross") == "-1200.00"
    assert [rule.text for rule in first.iterfind(".//{*}rule")] == ["BR-CO-10", "BR-CO-11"]


def test_every_column_of_the_contract_is_in_the_published_schema_in_its_order():
    tree = etree.parse(SCHEMAS / "acknowledgement.xsd")
    xs = {"xs": "http://www.w3.org/2001/XMLSchema"}
    core = tree.xpath("//xs:complexType[@name='Acknowledgement']/xs:sequence/xs:element/@name", namespaces=xs)
    finding = tree.xpath("//xs:complexType[@name='Finding']/xs:sequence/xs:element/@name", namespaces=xs)
    assert tuple(core) == (*CORE_COLUMNS, "findings")
    assert tuple(finding) == FINDING_COLUMNS[1:]
    for kind, words in (("Level", Level), ("Source", Source), ("Event", Event), ("Action", Action)):
        path = f"//xs:simpleType[@name='{kind}']//xs:enumeration/@value"
        assert tree.xpath(path, namespaces=xs) == list(words)


@given(hostile, hostile)
@settings(max_examples=100, deadline=None)
def test_a_hostile_string_is_valid_xml_and_its_printable_self(number, comment):
    root = assert_valid_xml(content([make_ack(document_number=number, comment=comment)], XML))
    assert (root[0].findtext("{*}document_number") or "") == expected(number)
    assert (root[0].findtext("{*}comment") or "") == expected(comment, 1000)


def test_a_receipt_that_knows_no_environment_and_no_document_is_valid():
    bare = make_ack(environment="", document_date=None, net=None, vat=None, gross=None, sha256="", ej="")
    assert_valid_xml(content([bare], XML))
    assert faults(json.loads(content([bare], JSONL)), schema()) == []


@pytest.mark.parametrize("event", list(Event))
def test_each_event_is_valid_in_every_format(event):
    one = make_ack(event=event)
    assert_valid_xml(content([one], XML))
    assert faults(json.loads(content([one], JSONL)), schema()) == []
    assert read_csv(content([one], CSV))[0]["event"] == event
