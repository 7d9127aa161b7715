"""Makes what a path leads to, and takes it away: the hands of the mutants that aim at an assert."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from random import Random
from typing import Final

from lxml import etree

from gateway.rules.rulebook.compiler import xpath as x
from tests.rules.rulebook.mutation.expressions import alternatives
from tests.rules.rulebook.mutation.guess import Guesser, Scope
from tests.rules.rulebook.mutation.items import Attribute, Item, Unknown, element_of, matches
from tests.rules.rulebook.mutation.vocabulary import Vocabulary

_LARGEST: Final = 20_000  #: elements in a mutant
#: Attributes that an element seen with them is given from the start.
_USUAL: Final = ("schemeID", "currencyID", "format", "unitCode")


class Impossible(Exception):
    """This way leads nowhere."""


class Builder(ABC):
    """Changes one tree."""

    def __init__(self, tree: etree._ElementTree, guesser: Guesser, vocabulary: Vocabulary, rng: Random) -> None:
        self.tree = tree
        self._guess = guesser
        self._vocabulary = vocabulary
        self._rng = rng
        #: How often a new element is made beside one that is there.
        self._anew = rng.choice((0.0, 0.0, 0.2, 0.6))

    @abstractmethod
    def want(self, expr: x.Expr, yes: bool, scope: Scope) -> None:
        """Make it true, or false. Raises `Impossible`."""

    def ensure(self, path: x.Path, scope: Scope, *, anew: bool = False) -> Item:
        """A node at the end of the path; what is missing is made. Raises `Impossible`."""
        return self._ensure_steps(path.steps, path.absolute, scope, anew=anew)

    def _ensure_steps(self, steps: tuple[x.Step, ...], absolute: bool, scope: Scope, *, anew: bool = False) -> Item:
        node: Item = self.tree if absolute else scope.node
        for index, step in enumerate(steps):
            node = self._ensure_step(step, node, scope, anew and index == len(steps) - 1)
        return node

    def _ensure_step(self, step: x.Step, node: Item, scope: Scope, anew: bool) -> Item:
        bare = x.Step(step.axis, step.test, (), step.deep, step.expr)
        try:
            there = self._guess.step(bare, [node], scope)
        except Unknown:
            there = []
        if there and not anew:
            fitting = there
            try:
                for predicate in step.predicates:
                    fitting = self._guess.kept(predicate, fitting, scope)
            except Unknown:
                fitting = []
            if fitting and (self._rng.random() >= self._anew or step.axis is not x.Axis.CHILD):
                return fitting[0] if self._rng.random() < 0.8 else self._rng.choice(fitting)
        reuse = there and not anew and self._rng.random() < 0.5
        made = self._rng.choice(there) if reuse else self._make(step, node, scope, there)
        for predicate in step.predicates:
            if isinstance(predicate, x.Literal):
                continue
            self.want(predicate, True, scope.at(made))
        return made

    def _make(self, step: x.Step, node: Item, scope: Scope, there: list[Item]) -> Item:
        test = step.test
        if step.expr is not None:
            return self._make_by(step.expr, scope.at(node))
        if step.axis is x.Axis.ATTRIBUTE and isinstance(test, x.NameTest):
            element = self._some_below(node) if step.deep else element_of(node)
            name = test.local if test.local != "*" else "schemeID"
            if element.get(name) is None:
                element.set(name, self._vocabulary.value(str(element.tag), name, self._rng))
            return Attribute(element, name)
        if test is x.KindTest.TEXT:
            element = element_of(node)
            element.text = element.text or "A1"
            return Attribute(element, "")
        if step.axis is x.Axis.PRECEDING:
            return self._make_before(test, element_of(node))
        if step.axis is not x.Axis.CHILD or not isinstance(test, x.NameTest):
            if there:
                return self._rng.choice(there)
            raise Impossible(f"no {step.axis}")
        tag = test.tag if test.exact else self._some_tag(step, scope)
        if step.deep:
            return self._make_somewhere(tag, node)
        if isinstance(node, etree._ElementTree):
            raise Impossible("another root")
        return self._child(element_of(node), tag)

    def _make_by(self, expr: x.Expr, scope: Scope) -> Item:
        """A node for a step that is an expression: `(a | b)/c`, `$a/c`."""
        match expr:
            case x.Binary("|"):
                return self.ensure(self._rng.choice(list(alternatives(expr))), scope)
            case x.Path():
                return self.ensure(expr, scope)
            case x.Variable(name):
                match scope.variables.get(name):
                    case (x.Path() as path, inner):
                        return self.ensure(path, inner)
                    case [item, *_]:
                        return item
        raise Impossible("a step that cannot be made")

    def _some_tag(self, step: x.Step, scope: Scope) -> str:
        """A tag for `ram:*[condition]`."""
        tags = self._rng.sample(self._vocabulary.tags, len(self._vocabulary.tags))
        for tag in tags:
            trial = etree.Element(tag)
            if all(self._guess.truth(predicate, scope.at(trial)) for predicate in step.predicates):
                return tag
        return tags[0]

    def _make_somewhere(self, tag: str, node: Item) -> etree._Element:
        root = self.tree.getroot()
        top = root if isinstance(node, etree._ElementTree) else element_of(node)
        homes = [chain for chain in self._vocabulary.homes.get(tag, []) if chain and chain[0] == root.tag]
        if top is not root:
            return self._child(top, tag)
        for above in self._rng.choice(homes)[1:] if homes else ():
            present = [child for child in top if child.tag == above]
            top = present[0] if present else self._child(top, above)
        return self._child(top, tag)

    def _make_before(self, test: x.NameTest | x.KindTest | None, element: etree._Element) -> etree._Element:
        """An element of that name before this one: a copy of the smallest part around this one that holds such."""
        around: etree._Element | None = element
        while around is not None and (parent := around.getparent()) is not None:
            if any(matches(test, inside) for inside in around.iter(etree.Element)):
                twin = copy.deepcopy(around)
                parent.insert(parent.index(around), twin)
                return next(inside for inside in twin.iter(etree.Element) if matches(test, inside))
            around = parent
        raise Impossible("nothing like it around")

    def _child(self, parent: etree._Element, tag: str) -> etree._Element:
        if sum(1 for _ in self.tree.getroot().iter()) > _LARGEST:
            raise Impossible("grown too large")
        if len(parent) == 0:
            parent.text = None
        child = etree.SubElement(parent, tag)
        text = self._vocabulary.text(tag, self._rng)
        child.text = (text if self._rng.random() < 0.95 else "1") or None
        for name in self._vocabulary.attributes.get(tag, {}):
            if name in _USUAL and self._rng.random() < 0.8:
                child.set(name, self._vocabulary.value(tag, name, self._rng))
        return child

    def _some_below(self, node: Item) -> etree._Element:
        below = list(element_of(node).iter(etree.Element))
        return self._rng.choice(below)

    def remove(self, path: x.Path, scope: Scope) -> None:
        """Nothing shall be there: the nodes go, or what makes the predicate true does."""
        last = path.steps[-1]
        for node in self._guess.values(path, scope):
            if last.predicates and self._rng.random() < 0.5:
                self.want(last.predicates[0], False, scope.at(node))
            else:
                self._delete(node)

    def _delete(self, node: Item) -> None:
        if isinstance(node, Attribute):
            if node.name:
                node.element.attrib.pop(node.name, None)
            else:
                node.element.text = None
        elif isinstance(node, etree._Element) and node.getparent() is not None:
            parent = node.getparent()
            assert parent is not None
            parent.remove(node)
        else:
            raise Impossible("the root stays")

    def _duplicate(self, element: etree._Element) -> None:
        parent = element.getparent()
        if parent is None:
            raise Impossible("one root")
        parent.insert(parent.index(element) + 1, copy.deepcopy(element))

    def _set(self, node: Item, value: str) -> None:
        if isinstance(node, Attribute) and node.name:
            node.element.set(node.name, value)
            return
        element = element_of(node)
        if any(len(child) for child in element):
            raise Impossible("an element with much in it")
        if self._rng.random() < 0.5:
            del element[:]
        element.text = value
