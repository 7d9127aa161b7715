"""Which rule is for which element, and what it sees there: templates, modes, variables, functions, messages."""

from __future__ import annotations

import pytest

from tests.rules.rulebook.sheets import Check, Function, Let, Rule, Value

DOCUMENTS = [
    "<r><a>1<a>2<a>3</a></a><b>x</b></a><b>y</b><a><b>z</b><c><a><b>w</b></a></c></a></r>",
    "<r x='1'><a x='2'><b x='3'/></a><a x='4'/><b/></r>",
    "<n:r xmlns:n='urn:n'><n:a>1</n:a><a>2</a><m:a xmlns:m='urn:m'>3</m:a><n:b/></n:r>",
    "<r><a>x</a><a>1</a><b>0</b><b>q</b><c><a>5</a></c></r>",
    "<a><b/></a>",
    "<r><Invoice><a/></Invoice><Extension><Invoice><a/><b>1</b></Invoice></Extension></r>",
    "<r/>",
]


def rule(*matches: str, priority: int | None = None, descends: bool = True) -> list[Rule]:
    """One rule a match, that fires wherever it applies."""
    return [
        Rule(match, [Check("false()", match, ("at ", Value("name()")))], priority=priority, descends=descends)
        for match in matches
    ]


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(rule("a", "*"), id="the highest priority wins"),
        pytest.param(rule("*", "a"), id="nothing is left for the lower"),
        pytest.param(rule("a", "*", priority=5), id="of equal priority the last of the sheet wins"),
        pytest.param(rule("a|b", "r | c"), id="unions"),
        pytest.param(rule("r/a", "a/b", "/r", "//b"), id="parents"),
        pytest.param(rule("/r/a", "/a", "/*/b", "/*"), id="from the root"),
        pytest.param(rule("//a/a", "//a"), id="anywhere"),
        pytest.param(rule("a[b]", "a[@x]", "a[. = 1]", "a"), id="conditions"),
        pytest.param(rule("a[b][@x]", "a[b and not(@x)]", "a[b or @x]"), id="several conditions"),
        pytest.param(rule("a[. > 0]", "a[xs:decimal(.) > 0]", "b[. = 0]", "*"), id="an error is no match"),
        pytest.param(rule("a[not(. = 1)]", "*"), id="nor is it one when it is denied"),
        pytest.param(
            rule("a[. = 1 and @x]", "a[not(. = 1 and @x)]", "a[. = 1 or not(@x)]"), id="but where it is nothing"
        ),
        pytest.param(rule("a[b]/b", "r[@x]/a", "a[@x = 2]/b[@x]", "r[count(a) > 1]/a[b]/b", "*"), id="of the parent"),
        pytest.param(rule("a[/r/@x]", "a[//b = 'x']", "b[preceding::b]"), id="of the document"),
        pytest.param(rule("*[ends-with(name(), 'a')]", "*[self::b]", "*[ends-with(local-name(), 'r')]"), id="names"),
        pytest.param(rule("a[@x] | a[b] | a[. = 1]"), id="one rule under several conditions"),
        pytest.param(rule("n:*", "m:*", "*[not(*)]"), id="namespaces"),
        pytest.param(rule("*[ancestor::a]", "*[self::a or self::b]", "*[not(self::r)]"), id="places"),
        pytest.param(rule("(a|b)[@x]", "(a|b)[not(@x)]", "(a|r)/b", "r/(a|c)"), id="unions in parentheses"),
        pytest.param(rule("//Invoice", "/r/Invoice", "Invoice/a"), id="a document in a document"),
        pytest.param(rule("//*[not(*) and not(normalize-space())]", "/*", "//a/*"), id="empty elements"),
        pytest.param([*rule("a", descends=False), *rule("b")], id="a rule that ends the visit"),
        pytest.param([*rule("a[@x]", descends=False), *rule("a", "b")], id="on a condition"),
        pytest.param([*rule("a/a", descends=False), *rule("a", "b")], id="further down"),
        pytest.param([*rule("a[. = 1]", descends=False), *rule("*")], id="with an error"),
        pytest.param([*rule("r", descends=False), *rule("a")], id="at the root"),
        pytest.param([Rule("a", descends=False), *rule("*")], id="without anything to ask"),
        pytest.param([Rule("a"), *rule("*")], id="a rule with nothing to ask"),
    ],
)
def test_rules_apply(both, pattern):
    agree(both, [pattern])


def test_a_mode_is_not_ended_by_another(both):
    agree(
        both, [[*rule("a", descends=False), *rule("b")], rule("b"), rule("*"), [Rule("r", descends=False)], rule("a")]
    )


def test_findings_come_in_the_order_of_the_report(both):
    both_ways = [
        Check("false()", "1"),
        Check("true()", "2", report=True),
        Check("not(b)", "3"),
        Check("a", "4", report=True),
    ]
    agree(both, [[Rule("*", both_ways)], [Rule("a", both_ways), Rule("b", both_ways[::-1])]])


def test_absences(both):
    """What only forbids something is not asked where it is not there."""
    tests = [
        *(
            "not(b)",
            "exists(b)",
            "not(@x)",
            "count(b) <= 0",
            "count(b) <= 1",
            "count(b) = 0",
            "not(a/a)",
            "not(b or c)",
        ),
        *("not(//b)", "every $x in b satisfies $x = 'q'", "not(b) or true()", "not(b[@x])", "not(*)", "not(b and c)"),
        *(
            "not(a/b) and not(c)",
            "empty(b)",
            "not(b = 'z')",
            "not(b/@x)",
            "not(b) or b = 'z'",
            "count(b) < 1",
            "true()",
        ),
        *(
            "not(.//b)",
            "not(../b)",
            "not(a[. = '1'])",
            "not(b != 'z')",
            "count(a) + count(b) <= 1",
            "false()",
            "not(n:a)",
        ),
    ]
    asserts = [Check(test, f"assert {i}") for i, test in enumerate(tests)]
    reports = [Check(test, f"report {i}", report=True) for i, test in enumerate(tests)]
    agree(both, [[Rule("a", [*asserts, *reports])], [Rule("*", reports)], [Rule("r[@x]", asserts), Rule("r", reports)]])


def test_messages(both):
    values = [
        "@x",
        "name()",
        ".",
        "b",
        "count(*)",
        "1 div 3",
        "0.10",
        "exists(b)",
        "@y",
        "(1, 2)",
        "//b",
        "../@x",
        "c/a",
    ]
    parts = ["é < > & { } \n\t", *(Value(value) for value in values), " ", Value("b"), "\u00a0", " end "]
    agree(both, [[Rule("a", [Check("false()", "1", parts), Check("b", "a < b & {c}", parts, flag="warning")])]])


def test_variables_of_a_rule(both):
    items = [
        Let("x", "b"),
        Check("false()", "1", (Value("$x"),)),
        Let("y", "count($x)"),
        Check("$y = 0", "2", (Value("$y + 1"),)),
        Let("z", "for $i in $x return concat($i, $y)"),
        Check("$x = 'x'", "3", (Value("$z"), Value("for $x in (1, 2) return $x * 2"), Value("$x"))),
        Check("$x/@x", "4"),
        Check("some $i in $x satisfies $i = 'z'", "5"),
        Check("count($x[. = ../b]) = $y", "6"),
        Check("$x/../@x = @x", "7", (Value("$x/.."), Value("sum($x/@x)"))),
    ]
    agree(both, [[Rule("a", items), Rule("r", [Let("x", "'another'"), Check("a = $x", "8", (Value("$x"),))])]])


def test_a_variable_that_nobody_wants_does_no_harm(both):
    items = [Let("bad", "xs:decimal(.)"), Check("exists(b)", "1"), Let("worse", "xs:date(b)"), Check("not(b)", "2")]
    agree(both, [[Rule("a", items)]], lets=[Let("never", "xs:decimal(/*)")])


def test_variables_of_the_sheet(both):
    lets = [
        Let("all", "//b"),
        Let("n", "count(//a)"),
        Let("root", "/*"),
        Let("words", "('a', 'b')"),
        Let("next", "$n + 1"),
    ]
    tests = [
        "$all = b",
        "$n = 1",
        "$root/a = .",
        "$words = name()",
        "count($all) = count(b)",
        "$all/@x = @x",
        "$next = 2",
    ]
    checks = [Check(test, test, (Value("$all"), " ", Value("$n"), " ", Value("$next"))) for test in tests]
    agree(both, [[Rule("a", checks)], [Rule("b", checks)]], lets=lets)


def test_functions(both):
    functions = [
        Function("custom:among", [("x", "xs:string?")], "$x = ('1', '2')"),
        Function(
            "custom:positive",
            [("x", "xs:string?")],
            "$digits and $n > 0",
            lets=[Let("digits", "matches($x, '^[0-9]+$')"), Let("n", "xs:decimal($x)")],
        ),
        Function("custom:holds", [("x", "element()?")], "exists($x/b) and string($x/b[1]) = 'z'"),
        Function("custom:begins", [("x", "xs:string?"), ("y", "xs:string?")], "substring($x, 1, 1) = $y"),
        Function("custom:quoted", [("x", "xs:string")], "concat('<', $x, '>')", "xs:string"),
        Function("custom:same", [("x", "xs:string?")], "$x", "xs:string?"),
        Function(
            "custom:listed",
            [("x", "xs:string?")],
            r"$x = tokenize($l, '\s+')",
            lets=[Let("l", "'1 2\n3'", "xs:string")],
        ),
    ]
    tests = [
        *("custom:among(.)", "custom:among(@x)", "custom:among('1')", "custom:holds(.)", "custom:holds(c)"),
        *(
            "custom:begins(b[1], 'x')",
            "custom:listed(.)",
            "not(custom:among(.))",
            "every $x in b satisfies custom:among($x)",
        ),
        *("custom:among(@x) or custom:holds(.)", "custom:among(())", "custom:positive('12')", "custom:positive(@x)"),
        *("custom:positive('0') = false()", "custom:begins(., custom:same('1'))", "custom:same(@x) = '2'"),
    ]
    values = ["custom:quoted('q')", "custom:same(@x)", "custom:among(@x)", "for $x in b return custom:quoted($x)"]
    checks = [Check(test, test, [Value(value) for value in values]) for test in tests]
    agree(both, [[Rule("a", checks)]], functions=functions)


def test_an_error_stops_one_rule_and_not_the_others(both):
    """In the reference engine it stops all: there is nothing to compare but that it does."""
    pattern = [
        Rule(
            "a",
            [Check("xs:decimal(.) > 0", "bad"), Check("false()", "good"), Check("false()", "said", [Value(". + 1")])],
        )
    ]
    ((ours, reference),) = both.outcomes([pattern, rule("a")], ["<r><a>x</a><a>1</a></r>"])

    assert [(fired.rule, fired.location) for fired in ours.fired if fired.rule in ("good", "a")] == [
        (name, f"/r[1]/a[{place}]") for name in ("good", "a") for place in (1, 2)
    ]
    assert [(abort.rule, abort.location) for abort in ours.aborts] == [("bad", "/r[1]/a[1]"), ("said", "/r[1]/a[1]")]
    assert reference.fired == ()


def agree(both, patterns, **declared) -> None:
    """Both engines say the same of all documents, in the same order."""
    for document, (ours, reference) in zip(DOCUMENTS, both.outcomes(patterns, DOCUMENTS, **declared), strict=True):
        assert reference.aborts == (), document
        assert ours == reference, document
