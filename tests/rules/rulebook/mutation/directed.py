"""Mutants that aim at one assert: the document is changed until its test probably says what fires it.

An expression is taken apart from the outside: to make `A and B` false, one of them is made false; to make a path true,
its elements are created where they are missing; to make `count(x) <= 1` false, `x` is repeated; to make a comparison
true, a text is set. Where there is a choice, the dice decide, so that another seed tries another way. Nothing here
knows whether it has succeeded: the engines are asked.
"""

from __future__ import annotations

from random import Random
from typing import Final

from lxml import etree

from gateway.rules.rulebook.compiler import xpath as x
from tests.rules.rulebook.mutation.aims import NEGATED, SWAPPED, beside, regex_miss, regex_sample, satisfying
from tests.rules.rulebook.mutation.assigning import DEPTH, Assigner
from tests.rules.rulebook.mutation.building import Impossible
from tests.rules.rulebook.mutation.expressions import alternatives, from_document, leaves, literals, looks_up
from tests.rules.rulebook.mutation.guess import Function, Guesser, Scope
from tests.rules.rulebook.mutation.items import element_of, matches, text_of
from tests.rules.rulebook.mutation.vocabulary import Vocabulary

#: How often a comparison is tried in the way that is left when no better one is known.
_BLIND: Final = 0.04


class Director(Assigner):
    """Makes expressions true or false."""

    def __init__(self, tree: etree._ElementTree, guesser: Guesser, vocabulary: Vocabulary, rng: Random) -> None:
        super().__init__(tree, guesser, vocabulary, rng)
        #: How often what holds already is left as it is.
        self._lazy = rng.choice((1.0, 1.0, 0.7))

    def context(self, pattern: x.Expr, scope: Scope) -> list[etree._Element]:
        """The elements that the pattern matches; one is made when there is none."""
        fitting = [path for path in alternatives(pattern) if self._can_start(path)]
        if not fitting:
            raise Impossible("no such root")
        path = from_document(self._rng.choice(fitting))
        top = scope.at(self.tree)
        found = [item for item in self._guess.values(path, top) if isinstance(item, etree._Element)]
        if found and self._rng.random() >= self._anew:
            return found
        made = self.ensure(path, top)
        if not isinstance(made, etree._Element):
            raise Impossible("not an element")
        return [made]

    def _can_start(self, path: x.Path) -> bool:
        step = path.steps[0]
        if not isinstance(step.test, x.NameTest) or matches(step.test, self.tree.getroot()):
            return True
        if path.absolute and not step.deep:
            return False
        # Another kind of document may stand inside this one, but rarely does.
        return step.test.tag not in self._vocabulary.roots or self._rng.random() < 0.1

    def hold(self, pattern: x.Expr, node: etree._Element, scope: Scope) -> None:
        """Make the pattern match the node again, after its surroundings were changed."""
        for path in alternatives(pattern):
            here: etree._Element | None = node
            for step in reversed(path.steps):
                if here is None or not matches(step.test, here):
                    break
                for predicate in step.predicates:
                    self.want(predicate, True, scope.at(here))
                if step.deep:
                    break
                here = here.getparent()

    def want(self, expr: x.Expr, yes: bool, scope: Scope) -> None:
        """Make it true, or false. Raises `Impossible`."""
        if self._guess.truth(expr, scope) is yes and self._rng.random() < self._lazy:
            return
        self._depth += 1
        try:
            if self._depth > DEPTH:
                raise Impossible("too deep")
            self._want(expr, yes, scope)
        finally:
            self._depth -= 1

    def _want(self, expr: x.Expr, yes: bool, scope: Scope) -> None:
        match expr:
            case x.Binary("and" | "or" as op, left, right):
                self._junction((op == "and") is yes, [left, right], yes, scope)
            case x.Binary("|", left, right):
                self._junction(not yes, [left, right], yes, scope)
            case x.Binary(op, left, right) if op in NEGATED:
                self._comparison(op, left, right, yes, scope)
            case x.Variable(name):
                self._variable_want(name, yes, scope)
            case x.Path():
                self._path_want(expr, yes, scope)
            case x.If(condition, then, otherwise):
                branch = self._rng.random() < 0.5
                self.want(condition, branch, scope)
                self.want(then if branch else otherwise, yes, scope)
            case x.Quantified(every, bindings, condition):
                self._quantified(every, bindings, condition, yes, scope)
            case x.For(bindings, result):
                for inner in self._bound(bindings, scope)[:1]:
                    self.want(result, yes, inner)
            case x.Sequence(items):
                for item in items[:1]:
                    self.want(item, yes, scope)
            case x.Call():
                self._call_want(expr, yes, scope)
            case x.Literal() | x.Negative():
                raise Impossible("constant")

    def _junction(self, all_of_them: bool, parts: list[x.Expr], yes: bool, scope: Scope) -> None:
        if all_of_them:
            for part in parts:
                self.want(part, yes, scope)
            return
        self._rng.shuffle(parts)
        for part in parts[:-1]:
            try:
                self.want(part, yes, scope)
            except Impossible:
                continue
            return
        self.want(parts[-1], yes, scope)

    def _variable_want(self, name: str, yes: bool, scope: Scope) -> None:
        match scope.variables.get(name):
            case (expr, inner):
                self.want(expr, yes, inner)
            case [node] if not yes:
                self._delete(node)
            case _:
                return

    def _path_want(self, path: x.Path, yes: bool, scope: Scope) -> None:
        if looks_up(path):
            self._code_want(path, yes, scope)
            return
        last = path.steps[-1]
        if last.expr is not None and not last.predicates and len(path.steps) > 1:  # a/b/normalize-space(c)
            node = self._ensure_steps(path.steps[:-1], path.absolute, scope)
            self.want(last.expr, yes, scope.at(node))
        elif yes:
            self.ensure(path, scope)
        else:
            self.remove(path, scope)

    def _quantified(
        self, every: bool, bindings: tuple[tuple[str, x.Expr], ...], condition: x.Expr, yes: bool, scope: Scope
    ) -> None:
        scopes = self._bound(bindings, scope)
        if every is not yes:  # one is enough
            self._rng.shuffle(scopes)
            scopes = scopes[:1]
        for inner in scopes:
            self.want(condition, yes, inner)

    def _call_want(self, call: x.Call, yes: bool, scope: Scope) -> None:
        name, arguments = call.name, call.arguments
        if name in self._guess.functions:
            function: Function = self._guess.functions[name]
            self.want(function.result, yes, function.scope(arguments, scope))
        elif name in ("not", "empty"):
            self.want(arguments[0], not yes, scope)
        elif name in ("exists", "boolean"):
            self.want(arguments[0], yes, scope)
        elif name in ("true", "false"):
            raise Impossible("constant")
        elif name in ("contains", "starts-with", "ends-with"):
            self._contains_want(name, arguments[0], arguments[1], yes, scope)
        elif name == "matches":
            pattern = self._text(arguments[1], scope)
            self.assign(arguments[0], (regex_sample if yes else regex_miss)(pattern, self._rng), scope)
        elif arguments and name in ("count", "sum", "string-length"):
            self.want(arguments[0], yes, scope)
        elif arguments:  # a text: true when there is any
            self.assign(arguments[0], "A1" if yes else "", scope)
        else:
            self.assign(x.CONTEXT, "A1" if yes else "", scope)

    def _contains_want(self, name: str, whole: x.Expr, part: x.Expr, yes: bool, scope: Scope) -> None:
        if self._has_leaf(whole, scope):
            text = self._text(part, scope)
            here = self._text(whole, scope)
            if not yes:
                self.assign(whole, here.replace(text, "") if text and self._rng.random() < 0.7 else "Q1", scope)
            else:
                self.assign(whole, text + "1" if name == "starts-with" else "1" + text, scope)
            return
        codes = self._text(whole, scope).split()  # a list of codes in one literal
        self.assign(part, self._rng.choice(codes) if yes and codes else beside(self._rng), scope)

    def _code_want(self, path: x.Path, yes: bool, scope: Scope) -> None:
        """`document('codes.xml')/…/enumeration[@value = $code]`: a code of the list, or none of it."""
        *before, last = path.steps
        rows = self._guess.values(x.Path(path.absolute, (*before, x.Step(last.axis, last.test))), scope)
        for predicate in last.predicates:
            if not isinstance(predicate, x.Binary):
                continue
            known = [text_of(code) for row in rows for code in self._guess.values(predicate.left, scope.at(row))]
            if known:
                self.assign(predicate.right, self._rng.choice(known) if yes else beside(self._rng), scope)
                return
        raise Impossible("a look-up of another form")

    def _comparison(self, op: str, left: x.Expr, right: x.Expr, yes: bool, scope: Scope) -> None:
        try:
            if self._rng.random() >= _BLIND:
                self._compare(op, left, right, yes, scope)
                return
        except Impossible:
            pass
        self._blindly(x.Binary(op, left, right), scope)

    def _blindly(self, expr: x.Expr, scope: Scope) -> None:
        """Where nothing better is known: put the texts that the expression speaks of into what it reads."""
        read: list[tuple[x.Path, Scope]] = []
        texts: list[str] = []
        self._spoken_of(expr, scope, read, texts)
        if not read:
            raise Impossible("nothing to set")
        path, inner = self._rng.choice(read)
        self.assign(path, "".join(self._rng.choices([*texts, "1"], k=self._rng.randint(1, 4))), inner)

    def _spoken_of(self, expr: x.Expr, scope: Scope, read: list[tuple[x.Path, Scope]], texts: list[str]) -> None:
        texts += literals(expr)
        for leaf in leaves(expr):
            if isinstance(leaf, x.Path):
                read.append((leaf, scope))
                continue
            bound = scope.variables.get(leaf.name)
            if isinstance(bound, tuple):
                self._spoken_of(bound[0], bound[1], read, texts)

    def _compare(self, op: str, left: x.Expr, right: x.Expr, yes: bool, scope: Scope) -> None:
        goal = op if yes else NEGATED[op]
        left, right = self._balanced(left, right, scope)
        if self._counts_distinct(left, right, yes, scope):
            return
        if isinstance(right, x.Call) and right.name in ("count", "string-length"):
            left, right, goal = right, left, SWAPPED[goal]
        if isinstance(left, x.Call) and left.name == "count":
            self._cardinality(left.arguments[0], goal, self._number(right, scope), scope)
            return
        if isinstance(left, x.Call) and left.name == "string-length":
            self._length(left.arguments[0], goal, self._number(right, scope), scope)
            return
        if isinstance(left, x.Call) and left.name == "normalize-space" and not left.arguments:
            left = x.Call("string", (x.CONTEXT,))
        ours, theirs = self._has_leaf(left, scope), self._has_leaf(right, scope)
        if theirs and (not ours or self._rng.random() < 0.3):
            left, right, goal = right, left, SWAPPED[goal]
        elif not ours:
            raise Impossible("nothing to set")
        if not yes and op in ("=", "!=") and self._rng.random() < 0.15 and isinstance(left, x.Path):
            self.remove(left, scope)  # of nothing, no comparison is true
            return
        values = self._guess.values(right, scope)
        if not values and self._has_leaf(right, scope):
            self.touch(right, scope)
            values = self._guess.values(right, scope)
        here = [text_of(item) for item in self._guess.values(left, scope)]
        self.assign(left, satisfying(goal, [text_of(value) for value in values], here, self._rng), scope, every=not yes)

    def _balanced(self, left: x.Expr, right: x.Expr, scope: Scope) -> tuple[x.Expr, x.Expr]:
        """`count(a) - 1 <= 1` as `count(a) <= 1 + 1`, and variables as what they stand for."""
        left, right = self._seen_through(left, scope), self._seen_through(right, scope)
        while isinstance(left, x.Binary) and left.op in ("+", "-") and not self._has_leaf(right, scope):
            back = "-" if left.op == "+" else "+"
            if not self._has_leaf(left.right, scope):
                left, right = left.left, x.Binary(back, right, left.right)
            elif left.op == "+" and self._rng.random() < 0.5:
                left, right = left.right, x.Binary("-", right, left.left)
            else:
                left, right = left.left, x.Binary(back, right, left.right)
            left = self._seen_through(left, scope)
        return left, right

    def _counts_distinct(self, left: x.Expr, right: x.Expr, yes: bool, scope: Scope) -> bool:
        """`count(distinct-values(a)) = count(a)` is made false by two that are equal."""
        match left, right:
            case x.Call("count", (x.Call("distinct-values", (x.Path(_, (*_, last)) as path,)),)), x.Call("count", _):
                if not yes:
                    node = element_of(self.ensure(path, scope))
                    if last.axis is x.Axis.ATTRIBUTE or self._rng.random() < 0.5:
                        self._duplicate(node)
                return True
        return False
