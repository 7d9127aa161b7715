"""Conditions that nobody would write on documents that nobody would send, in both engines."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

#: What selects nodes, without any error.
PATHS = [
    *("a", "b", "c", "a/b", "a/a", "a/a/b", "@x", "a/@x", "b/@x", "a/b/@x", "*", "*/b", "a|b", "(a|b)/c", "a/b|c", "."),
    *("a[b]", "a[@x]", "a[not(b)]", "b[. = '1']", "a[b = '1']/c", "a[1]", "a/b[1]", "b[@x = '1']", "a[b and @x]", ".."),
    *("//a", "//b/@x", ".//b", ".//a[b]", "//a[b/@x]", "../b", "../a[. = '1']", "/r/a", "/*/@x", "//@x", "a[b]/b[@x]"),
    *("self::a", "ancestor::a", "preceding::b", "a[b[c]]", "a/..", "a[count(b) > 1]", "a[b or c]/@x", "//a[. = //b]"),
]
#: What is true or false, or an error, by what it finds.
RISKS = [
    *("a = 1", "1 != b", "@x > 0", "xs:decimal(b) > 0", "xs:decimal(@x) = 1", "number(b) = 1", "number(@x) != 1"),
    *("sum(a) = 1", "sum(b) >= 0", "xs:boolean(@x)", "string(b) = '1'", "a[. = 1]", "b[xs:decimal(.) = 1]", "b eq '1'"),
    *(
        "(every $v in b satisfies xs:decimal($v) > 0)",
        "(some $v in * satisfies $v = 1)",
        "round(xs:decimal(@x)) = xs:decimal(@x)",
    ),
    *("a[@x = 1 and b = 1]", "exists(b[. > 0 or @x])", "xs:decimal(a) + xs:decimal(b) = 2", "a/xs:decimal(b) = 1"),
]

paths = st.sampled_from(PATHS)
words = st.sampled_from(["'1'", "'x'", "''", "('1', '2')", "'2'"])
signs = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
safe = st.one_of(
    paths,
    st.builds("{}({})".format, st.sampled_from(["exists", "empty", "not", "boolean"]), paths),
    st.builds("count({}) {} {}".format, paths, signs, st.integers(0, 3)),
    st.builds("{} {} {}".format, paths, signs, st.one_of(words, paths)),
    st.builds("count({}) {} count({})".format, paths, signs, paths),
    st.builds("({} $v in {} satisfies $v {} {})".format, st.sampled_from(["some", "every"]), paths, signs, words),
    st.builds("(some $v in {} satisfies $v = {})".format, paths, paths),
    st.builds("string-length(string({}[1])) > {}".format, st.sampled_from(["a", "b", "c", "*"]), st.integers(0, 2)),
    st.sampled_from(["true()", "false()", "name() = 'a'", "contains(name(), 'a')", "normalize-space(.)", "not(*)"]),
)


def combined(atoms: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Conditions of conditions."""
    return st.recursive(
        atoms,
        lambda inner: st.one_of(
            st.builds("not({})".format, inner),
            st.builds("({} and {})".format, inner, inner),
            st.builds("({} or {})".format, inner, inner),
            st.builds(
                "(if ({}) then {} else {})".format, inner, inner.map("boolean({})".format), inner.map("not({})".format)
            ),
        ),
        max_leaves=6,
    )


texts = st.sampled_from(["", "1", "2", "x", " ", "1.0"])
elements = st.recursive(
    st.builds(
        "<{0}{1}>{2}</{0}>".format, st.sampled_from("abc"), st.sampled_from(["", " x='1'", " x='2'", " x=''"]), texts
    ),
    lambda inner: st.builds(
        "<{0}{1}>{2}</{0}>".format,
        st.sampled_from("abc"),
        st.sampled_from(["", "", " x='1'", " x='y'"]),
        st.lists(inner, max_size=4).map("".join),
    ),
    max_leaves=12,
)
documents = st.lists(elements, max_size=4).map(lambda inside: f"<r>{''.join(inside)}</r>")


@pytest.mark.parametrize("context", ["/*", "a", "*[b]"])
@settings(max_examples=6)
@given(st.lists(combined(safe), min_size=30, max_size=30), st.lists(documents, min_size=5, max_size=5))
def test_conditions_without_errors(both, context, conditions, documents):
    asked = [f"{mark}{condition}{mark}" for condition in conditions for mark in "?!"]
    assert both.differences_on_documents(asked, documents, context=context) == []


@pytest.mark.parametrize("context", ["/*", "a"])
@settings(max_examples=4)
@given(
    st.lists(combined(st.one_of(safe, st.sampled_from(RISKS))), min_size=20, max_size=20),
    st.lists(documents, min_size=3, max_size=3),
)
def test_conditions_with_errors(both, context, conditions, documents):
    """One engine may stop before the error or never come to it; what both know is the same."""
    asked = [f"{mark}{condition}{mark}" for condition in conditions for mark in "?!"]
    said = both.differences_on_documents(asked, documents, context=context)
    assert [difference for difference in said if " fail" not in difference] == []
