"""Names of ack files: safe, short, and never two alike."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.acks.naming import DEFAULT_TEMPLATE, LIMIT, BadTemplate, check_template, interchange_name, tick_name
from gateway.acks.render import Heading, render
from gateway.domain.ack import Level
from gateway.domain.partner import AckFormat, AckWishes
from tests.acks.ack_samples import AT, make_ack

SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def test_the_default_name_says_whose_what_which_and_when():
    check_template(DEFAULT_TEMPLATE)
    assert AckWishes().name_template == DEFAULT_TEMPLATE
    name = tick_name(DEFAULT_TEMPLATE, "erp-lyon", Level.DECISION, 12, AT, "csv")
    assert name == "erp-lyon_decision_00000012_20261123T144216Z.csv"


def test_the_answer_to_one_interchange_begins_with_its_base_name():
    assert interchange_name("batch 7.tar.gz", Level.RECEIPT, 3, "jsonl") == "batch-7.tar.receipt.00000003.jsonl"
    assert interchange_name("INV.xml", Level.RECEIPT, 3, "csv") == "INV.receipt.00000003.csv"


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "..",
        ".",
        "",
        ".ssh",
        "a/../b.xml",
        "a..b.xml",
        "x" * 25 + "..y.xml",
        "C:\\x\\..\\y.xml",
        "-rf",
    ],
)
def test_a_received_name_never_leads_out_of_the_folder(name):
    made = interchange_name(name, Level.RECEIPT, 3, "csv")
    assert SAFE.fullmatch(made) and "/" not in made and ".." not in made


@given(
    st.text(max_size=300) | st.text("ab.._- /é", max_size=60), st.sampled_from(list(Level)), st.integers(1, 10**8 - 1)
)
@settings(deadline=None)
def test_any_name_becomes_a_safe_one_of_at_most_sixty_characters(name, level, seq):
    for extension in ("csv", "findings.csv", "jsonl", "xml"):
        for made in (
            interchange_name(name, level, seq, extension),
            tick_name(DEFAULT_TEMPLATE, name, level, seq, AT, extension),
            tick_name("{level}.{seq:08d}.{partner}.{extension}", name, level, seq, AT, extension),
        ):
            assert SAFE.fullmatch(made) and len(made) <= LIMIT and ".." not in made
            assert f"{seq:08d}" in made and level in made and made.endswith("." + extension)


def test_two_files_of_one_partner_never_share_a_name():
    long = "x" * 200
    made = {interchange_name(long, level, seq, "csv") for level in Level for seq in range(1, 50)}
    made |= {tick_name(DEFAULT_TEMPLATE, long, level, seq, AT, "csv") for level in Level for seq in range(1, 50)}
    assert len(made) == 2 * 3 * 49


@pytest.mark.parametrize("partner", ["erp", "an-operator-with-a-long-name", "x.findings.csv"])
@pytest.mark.parametrize("received", ["", "a.findings.b.xml", "x" * 200 + ".xml"])
def test_a_findings_file_shares_the_stem_of_its_main_file_even_where_names_are_cut(partner, received):
    heading = Heading(partner, Level.DECISION, 12, AT, received)
    main, child = render([make_ack(partner=partner, findings=1)], AckWishes(format=AckFormat.CSV), heading)
    assert child.name == main.name.removesuffix(".csv") + ".findings.csv"
    assert len(child.name) <= LIMIT


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{partner}_{level}.{extension}", "seq"),
        ("{partner}_{seq}.{extension}", "level"),
        ("{partner.__class__}_{level}_{seq}.{extension}", "unknown field"),
        ("{level!r}_{seq}.{extension}", "formatted"),
        ("{level:>99}_{seq}.{extension}", "formatted"),
        ("{level}_{seq:99999999d}.{extension}", "formatted"),
        ("../{level}_{seq}.{extension}", "must be ASCII"),
        ("a b {level}_{seq}.{extension}", "must be ASCII"),
        (".{level}_{seq}.{extension}", "must be ASCII"),
        ("é{level}_{seq}.{extension}", "must be ASCII"),
        ("{level}_{seq}", "end in"),
        ("{level}_{seq", "name_template"),
        ("{}{level}_{seq}.{extension}", "unknown field"),
        ("x" * 40 + "{level}_{seq:08d}.{extension}", "at most 60"),
    ],
)
def test_a_template_that_cannot_serve_is_refused_with_the_reason(template, says):
    with pytest.raises(BadTemplate, match=says):
        check_template(template)


def test_a_template_of_ones_own_is_used():
    own = "ACK.{level}.{seq}.{extension}"
    check_template(own)
    assert tick_name(own, "erp", Level.RECEIPT, 7, AT, "csv") == "ACK.receipt.7.csv"
