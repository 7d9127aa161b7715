"""Mutants of the start documents of one pack, each made again from its name alone.

A name is `document#seed` for a wild mutant and `document#seed@12,345` for one that aims at those asserts.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from random import Random

from lxml import etree

from gateway.rules.rulebook.compiler import xpath as x
from gateway.rules.rulebook.compiler.parser import parse
from gateway.rules.rulebook.sheet import Assertion, Stylesheet, Template, Variable
from gateway.rules.rulebook.sheet import Function as Declared
from tests.rules.rulebook.mutation import wild
from tests.rules.rulebook.mutation.building import Impossible
from tests.rules.rulebook.mutation.directed import Director
from tests.rules.rulebook.mutation.expressions import anywhere
from tests.rules.rulebook.mutation.guess import Function, Guesser, Scope
from tests.rules.rulebook.mutation.settled import settled
from tests.rules.rulebook.mutation.vocabulary import Vocabulary


class Mutants:
    """Makes the mutants of one pack."""

    def __init__(self, stylesheet: Stylesheet, documents: Mapping[str, bytes]) -> None:
        self.stylesheet = stylesheet
        self.documents = documents
        self.asserts: list[tuple[Template, Assertion]] = [
            (template, item)
            for template in stylesheet.templates
            for item in template.items
            if isinstance(item, Assertion)
        ]
        self._namespaces = stylesheet.namespaces
        self._parsed: dict[str, x.Expr] = {}
        self._guesser = Guesser(stylesheet.path.parent, {f.name: self._function(f) for f in stylesheet.functions})
        patterns = [self._parse(template.match) for template in stylesheet.templates]
        self.vocabulary = Vocabulary(documents.values(), patterns)

    def wild(self, document: str, seed: int) -> tuple[str, bytes]:
        """A mutant that aims at nothing."""
        rng = Random(f"{document}#{seed}")
        tree = self._tree(document)
        wild.mutate(tree, self.vocabulary, rng)
        return f"{document}#{seed}", _written(tree)

    def directed(self, document: str, seed: int, numbers: Sequence[int]) -> tuple[str, bytes, list[int]]:
        """A mutant that aims at the asserts of these numbers, and those at which it could."""
        name = f"{document}#{seed}@{','.join(map(str, numbers))}"
        rng = Random(name)
        tree = self._tree(document)
        director = Director(tree, self._guesser, self.vocabulary, rng)
        aimed = []
        for number in numbers:
            template, assertion = self.asserts[number]
            try:
                self._aim(director, template, assertion, rng)
                aimed.append(number)
            except (Impossible, RecursionError):
                continue
        return name, _written(tree), aimed

    def again(self, name: str) -> bytes:
        """The mutant of that name."""
        document, _, how = name.rpartition("#")
        seed, _, numbers = how.partition("@")
        if numbers:
            return self.directed(document, int(seed), [int(number) for number in numbers.split(",")])[1]
        return self.wild(document, int(seed))[1]

    def context(self, document: str, seed: int, template: Template) -> tuple[etree._Element | None, Scope]:
        """An element that a template is for, in a tree of its own, and the variables there."""
        tree = self._tree(document)
        director = Director(tree, self._guesser, self.vocabulary, Random(f"{document}#{seed}"))
        scope = self._scope(tree)
        try:
            pattern = self._parse(template.match)
            node = director.context(pattern, scope)[0]
            director.hold(pattern, node, scope)
        except (Impossible, RecursionError):
            return None, scope
        return node, scope.at(node)

    def matches(self, template: Template, node: etree._Element, scope: Scope) -> bool:
        """Does the pattern match the element, as far as is known?"""
        top = scope.at(node.getroottree())
        return any(node in self._guesser.values(path, top) for path in anywhere(self._parse(template.match)))

    def settled(self, number: int) -> bool:
        """Is the test of this assert always true, or of this report always false?"""
        template, assertion = self.asserts[number]
        return settled(self._parse(template.match), self._parse(assertion.test), assertion.report)

    def _aim(self, director: Director, template: Template, assertion: Assertion, rng: Random) -> None:
        scope = self._scope(director.tree)
        pattern, test = self._parse(template.match), self._parse(assertion.test)
        found = director.context(pattern, scope)
        for node in found if rng.random() < 0.2 else [rng.choice(found)]:
            here = scope.at(node)
            for item in template.items:
                if item is assertion:
                    break
                if isinstance(item, Variable):
                    here = here.bound(item.name, (self._parse(item.select), here))
            for _ in range(3):
                director.want(test, assertion.report, here)
                director.hold(pattern, node, scope)
                if self._guesser.truth(test, here) is assertion.report:
                    break

    def _scope(self, tree: etree._ElementTree) -> Scope:
        scope = Scope(tree)
        for variable in self.stylesheet.variables:
            scope = scope.bound(variable.name, (self._parse(variable.select), scope))
        return scope

    def _tree(self, document: str) -> etree._ElementTree:
        parser = etree.XMLParser(
            remove_comments=True, remove_pis=True, remove_blank_text=True, resolve_entities=False, no_network=True
        )
        return etree.parse(io.BytesIO(self.documents[document]), parser)

    def _parse(self, text: str) -> x.Expr:
        if text not in self._parsed:
            self._parsed[text] = parse(text, self._namespaces)
        return self._parsed[text]

    def _function(self, function: Declared) -> Function:
        return Function(
            tuple(name for name, _ in function.parameters),
            tuple((variable.name, self._parse(variable.select)) for variable in function.variables),
            self._parse(function.result),
        )


def _written(tree: etree._ElementTree) -> bytes:
    return etree.tostring(tree, encoding="UTF-8", xml_declaration=True)
