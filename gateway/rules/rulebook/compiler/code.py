"""What an expression becomes: Python text with a static type, and the module text that gathers it.

The type of every expression is known when it is compiled (`Kind`, and how many items: `card`), so the Python
text does just what is needed. An expression whose type cannot be told is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

from gateway.rules.rulebook.compiler import keeping
from gateway.rules.rulebook.compiler.emptiness import tags_needed
from gateway.rules.rulebook.runtime.kept import EmptyWithout


class Kind(Enum):
    """Static types. Attributes, text nodes and what was found in a code list are held as strings (`LEAF`, `TEXT`,
    `CODE`): of the latter two only whether there are any is known, and all texts in a row.
    """

    NODE = "node"
    LEAF = "attribute"
    TEXT = "text node"
    CODE = "code of a code list"
    UNTYPED = "untyped"
    STRING = "string"
    WORD = "string or untyped"  #: one or the other, where it makes no difference
    BOOLEAN = "boolean"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DOUBLE = "double"
    NUMBER = "number"  #: one of the three, known only when it runs
    DATE = "date"
    EMPTY = "empty"


NODES: Final = frozenset({Kind.NODE, Kind.LEAF, Kind.TEXT, Kind.CODE})
NUMBERS: Final = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.DOUBLE, Kind.NUMBER})
EXACT: Final = frozenset({Kind.INTEGER, Kind.DECIMAL})
STRINGS: Final = frozenset({Kind.UNTYPED, Kind.STRING, Kind.WORD})

ONE, OPTIONAL, MANY = "1", "?", "*"


@dataclass(frozen=True, slots=True)
class Code:
    """`py` gives a bare value for card "1", a value or None for "?", a list or tuple for "*"."""

    kind: Kind
    card: str
    py: str
    uses: frozenset[str] = frozenset()  #: the names (or parents of names) it depends on; none: the same all over
    loops: tuple[str, ...] = ()  #: of a list comprehension, when `py` is one
    item: str = ""  #: its item
    probe: str = ""  #: a shorter way to ask whether there is any item
    flat: bool = True  #: no node of it is inside another: child steps stay in document order
    element: bool = True  #: each node of it is an element, not the document node
    literals: tuple[str, ...] | None = None  #: its strings, where they are known
    cheap: bool = False  #: not worth keeping
    missing: tuple[str, ...] = ()  #: what must not be None for a native operator; else there is no value

    @property
    def anchor(self) -> str:
        """`n.parent`, when it depends on the context only through that: then it is the same for all children."""
        if len(self.uses) != 1:
            return ""
        (name,) = self.uses
        return name if name.endswith(".parent") else ""

    @property
    def needs(self) -> tuple[str, ...]:
        """What must not be None for an operator of Python on this."""
        return self.missing if self.card == ONE else (*self.missing, self.py)

    @property
    def is_numeric(self) -> bool:
        """A number, of whatever type."""
        return self.kind in NUMBERS

    @property
    def is_string(self) -> bool:
        """Compared as a string."""
        return self.kind in STRINGS


def listing(kind: Kind, loops: tuple[str, ...], item: str, uses: frozenset[str], **more: object) -> Code:
    """A sequence made by a comprehension."""
    words = loops[0].split(" ", 3)
    plain = len(loops) == 1 and words[0] == "for" and words[1] == item
    py = words[3] if plain else f"[{item} {' '.join(loops)}]"
    return replace(Code(kind, MANY, py, uses, loops, item), **more)  # type: ignore[arg-type]


def free(uses: frozenset[str], loops: Iterable[str]) -> frozenset[str]:
    """What is used and not bound by the loops."""
    bound = {loop.split(" ", 2)[1] for loop in loops if loop.startswith("for ")}
    return frozenset(name for name in uses if name.partition(".")[0] not in bound)


@dataclass(frozen=True, slots=True)
class Focus:
    """The context item: a node, or the string of an attribute."""

    code: Code

    @classmethod
    def on(cls, name: str, kind: Kind = Kind.NODE, *, element: bool = True) -> Focus:
        """The item that a Python variable holds."""
        return cls(Code(kind, ONE, name, frozenset({name}), element=element, cheap=True))


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an expression stands."""

    focus: Focus | None
    variables: Mapping[str, Code]
    in_order: bool = False  #: does it matter in which order nodes come?

    def at(self, focus: Focus) -> Scope:
        """The same with another context item."""
        return replace(self, focus=focus)

    def binding(self, name: str, code: Code) -> Scope:
        """The same with one more variable."""
        return replace(self, variables={**self.variables, name: code})

    def orderly(self, *, needed: bool = True) -> Scope:
        """The same, where the order of nodes matters or not."""
        return replace(self, in_order=needed)


@dataclass(slots=True)
class Module:
    """The Python module of one pack, growing."""

    constants: dict[str, str] = field(default_factory=dict)  #: text of the value → name
    functions: list[str] = field(default_factory=list)
    #: how a hoisted expression is made, and whether for each parent → its number
    kept: dict[tuple[str, bool], int] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)  #: names of functions made here that may raise `DynamicError`
    looked_for: set[str] = field(default_factory=set)  #: tags that are looked for in the whole document
    tags: dict[str, str] = field(default_factory=dict)  #: by the names of their constants
    empties: dict[int, EmptyWithout] = field(default_factory=dict)  #: what is kept and may be known to be empty
    hasty: bool = False
    dividing: bool = False  #: the places of a quotient depend on the zeros at the end of its operands
    native: bool = False  #: was an operator of Python written where a function would be asked? It may fail otherwise
    _names: int = 0

    def natively(self, *kinds: Kind) -> bool:
        """May operators of Python be used? In the hasty form, on exact numbers: an empty operand fails there, and so
        does what the context of decimals traps; then the careful form says what is true (`HASTE` in `program.py`).
        """
        if not self.hasty or self.dividing or not EXACT.issuperset(kinds):
            return False
        self.native = True
        return True

    def fails(self, py: str) -> bool:
        """Must it be seen to that this may fail? Not in the hasty form of an assert, which is asked again then."""
        return not self.hasty and self.may_fail(py)

    def may_fail(self, py: str) -> bool:
        """May this raise `DynamicError`? Where in doubt: yes."""
        return any(name in _FAILING or name in self.failing for name in _CALLED.findall(py))

    def define(self, name: str, text: str) -> None:
        """Add a function."""
        self.functions.append(text)
        if self.may_fail(text.partition("\n")[2]):
            self.failing.add(name)

    def fresh(self, prefix: str = "x") -> str:
        """A name not used before."""
        self._names += 1
        return f"{prefix}{self._names}"

    def constant(self, prefix: str, text: str) -> str:
        """The name of a module constant with this value."""
        if text not in self.constants:
            self.constants[text] = self.fresh(prefix)
        return self.constants[text]

    def tag(self, tag: str) -> str:
        """The name of the constant for a tag: interned, as those of the tree are."""
        name = self.constant("T", f"intern({tag!r})")
        self.tags[name] = tag
        return name

    def all_of(self, tag: str) -> str:
        """All elements of a tag in the document."""
        self.looked_for.add(tag)
        return f"d.by_tag.get({self.tag(tag)}, ())"

    def strings(self, values: Iterable[str]) -> str:
        """The name of a frozen set of strings."""
        return self.constant("S", f"frozenset({sorted(set(values))!r})")

    def keep(self, code: Code) -> Code:
        """An expression that is the same for the whole document: computed when first wanted, then kept."""
        if code.uses or code.cheap or code.literals is not None:
            return code
        return replace(code, py=self._kept(keeping.VALUE, code), loops=(), item="", probe="", cheap=True)

    def keep_list(self, code: Code) -> Code:
        """The same, also for a list that is the same for all children of one parent."""
        if not code.anchor or not code.loops[1:]:
            return self.keep(replace(code, cheap=False) if code.loops[1:] else code)
        return replace(code, py=self._kept(keeping.VALUE, code), loops=(), item="", probe="")

    def keep_answer(self, code: Code) -> Code:
        """The same for one value: each child of one parent would walk through all of them for it."""
        if not code.anchor:
            return self.keep(code)
        return replace(code, py=self._kept(keeping.VALUE, code), loops=(), item="", probe="")

    def keep_strings(self, code: Code) -> str:
        """Strings to look for one among: those that are the same for the whole document as a set."""
        return code.py if code.uses or code.literals is not None else self._kept(keeping.STRINGS, code)

    def keep_of(self, code: Code, item: str) -> str:
        """What depends on one node only, and is asked of it by several rules."""
        return self._kept(keeping.VALUE, code, item)

    def index(self, nodes: Code, item: str, key: Code, *, first: bool = False, lenient: bool = False) -> str:
        """The nodes of a kept list by the keys that they have.

        `first`: only where the first of each ends. `lenient`: those whose key cannot be computed under `FAILED`.
        """
        keys = f"({key.py},)" if key.card != MANY else f"dict.fromkeys({key.py})"
        form = keeping.FIRST if first else keeping.LENIENT_INDEX if lenient else keeping.INDEX
        return self._kept(form, nodes, item=item, keys=keys)

    def _kept(self, form: str, code: Code, node: str = "", **parts: str) -> str:
        """The call of a function that keeps what `form` makes, for the document or for a node; equal functions are made
        once."""
        py, node = code.py, node or code.anchor
        if node:
            named = re.compile(rf"{_STRING}|((?<![\w.]){re.escape(node)}\b(?!\.parent))")
            py = named.sub(lambda match: "a" if match[1] else match[0], py)
        key = (renamed(form.format(py=py, **parts)), bool(node))
        if not node and keeping.is_at_hand(key[0]):
            return code.py
        number = self.kept.get(key)
        if number is None:
            number = self.kept[key] = len(self.kept)
            if form != keeping.VALUE or code.card == MANY:
                loops = code.loops or (f"for x in {code.py}",)
                needed = tags_needed(loops, self.tags, self.empties, self.may_fail)
                self.empties[number] = EmptyWithout(number, key[1], keeping.CONTAINERS[form], needed)
            text = keeping.keeper(number, key[0], of_a_node=key[1], may_fail=self.may_fail(key[0]))
            self.define(f"k{number}", text)
        return f"k{number}(d, {node})" if node else f"k{number}(d)"


def renamed(py: str) -> str:
    """The loop variables of a closed expression named in order, so that equal expressions have equal texts."""
    names: dict[str, str] = {}
    return _LOOP_VARIABLE.sub(lambda match: names.setdefault(match[1], f"y{len(names)}") if match[1] else match[0], py)


#: A string in Python text, which may hold what looks like a name.
_STRING: Final = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_LOOP_VARIABLE: Final = re.compile(rf"{_STRING}|\b([xv]\d+)\b")
_CALLED: Final = re.compile(r"\b(\w+)\(")
#: What may raise when it runs.
_FAILING: Final = frozenset(
    {"decimal", "double", "boolean", "to_date", "one", "only_text", "the_text", "divide", "modulo", "must", "truths"}
    | {"both", "either", "any_texts", "compare_text", "text_of", "optional_text"}
)
