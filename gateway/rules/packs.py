"""The pack registry: which packs judge a document on the day of its deposit.

Each version of a pack is an entry of packs.toml; the day chooses. Files are hashed when a pack is first wanted in a
process, and compiled at once: an altered or absent file leaves an `UnavailablePack` in its place. Our own rules
(`chorus`, `issuer`, …) stand in the same order, by layer. A new engine is a line in `native_engines`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from lxml import etree

from gateway.domain.document import Document
from gateway.domain.facts import Facts
from gateway.domain.finding import Layer
from gateway.rules import chorus, issuer
from gateway.rules.facturx import FacturxDeclaration
from gateway.rules.guideline import GuidelineDeclaration
from gateway.rules.pack import Pack, Tree, UnavailablePack
from gateway.rules.pinned import check_pinned
from gateway.rules.reference.engine import ReferenceRulebook
from gateway.rules.reference.process import ReferenceProcess
from gateway.rules.rulebook.cache import RulebookCache, default_folder
from gateway.rules.rulebook.engine import load_rulebook
from gateway.rules.rulebook.outcome import Outcome, UncompilablePack
from gateway.rules.rulebook.pack import RulebookPacks
from gateway.rules.rulebook.runtime.tree import Trees
from gateway.rules.schema.pack import SchemaPack
from gateway.rules.spec import PackSpec, packs_file, read_specs

Engine = Callable[[PackSpec], Pack]


def native_engines() -> dict[str, Engine]:
    """What turns the verified files of an entry into a pack, by the name that packs.toml gives it."""
    trees, cache = Trees(), RulebookCache(default_folder())  # one tree of a document for all its packs
    return {"xsd": SchemaPack, "rulebook": RulebookPacks(lambda sheet: load_rulebook(sheet, trees, cache))}


def reference_engines(process: ReferenceProcess) -> dict[str, Engine]:
    """The same with the reference engine for the rules: `process` stays the caller's to close."""

    def load(sheet: Path) -> _ByReference:
        return _ByReference(ReferenceRulebook(sheet, process))

    return {"xsd": SchemaPack, "rulebook": RulebookPacks(load)}


@dataclass(frozen=True, slots=True)
class _ByReference:
    """The reference engine takes bytes."""

    rulebook: ReferenceRulebook

    def run(self, tree: Tree, seconds: float, most: int) -> Outcome:
        """Its process has ceilings of its own."""
        return self.rulebook.run(etree.tostring(tree, encoding="utf-8"))


class PackRegistry:
    """All packs of this process. Not shared between threads: work is done in processes (DESIGN 3)."""

    def __init__(
        self, specs: Sequence[PackSpec], own: Sequence[Pack] = (), engines: Mapping[str, Engine] | None = None
    ) -> None:
        self._engines = native_engines() if engines is None else engines
        self._loaded: dict[PackSpec, Pack] = {}
        self._slots = _ordered(specs, own)
        #: Names of the packs that say for themselves which documents they are for; all others are told by `covers`.
        self.own: Final = frozenset(pack.name for pack in own)

    @classmethod
    def standard(
        cls, extra: Iterable[Path] = (), file: Path | None = None, engines: Mapping[str, Engine] | None = None
    ) -> PackRegistry:
        """The packs that are shipped, our own rules, and those of further packs.toml files."""
        specs = [spec for path in (file or packs_file(), *extra) for spec in read_specs(path)]
        own = (FacturxDeclaration(), GuidelineDeclaration(), chorus.pack(), issuer.pack())
        return cls(specs, own=own, engines=engines)

    @property
    def names(self) -> tuple[str, ...]:
        """Every pack name, in the order in which they run: what `--pack` may say."""
        return tuple(self._slots)

    def for_document(self, document: Document, facts: Facts, only: frozenset[str] | None = None) -> Iterator[Pack]:
        """The packs that judge `document` when it is deposited on `facts.today` by `facts.route`.

        A pack that `only` names judges every document of its kinds: who asks for it by name knows why.
        """
        for name, versions in self._slots.items():
            if only is not None and name not in only:
                continue
            if isinstance(versions, tuple):
                covering = [spec for spec in versions if spec.concerns(document, facts.route)]
                if not covering and only is not None:
                    covering = [spec for spec in versions if document.kind in spec.roots]
                if covering:
                    yield self._on_day(covering, facts.today)
            else:
                yield versions

    def load(self, spec: PackSpec) -> Pack:
        """The pack of one entry, from now on kept: verified, then compiled at once, so that what was hashed is what
        runs; an `UnavailablePack` where that fails."""
        if spec not in self._loaded:
            self._loaded[spec] = self._load(spec)
        return self._loaded[spec]

    def _on_day(self, versions: Sequence[PackSpec], day: date) -> Pack:
        current = [spec for spec in versions if spec.valid_on(day)]
        if not current:
            known = versions[-1]
            return _unavailable(known, "", f"no version of it is valid on {day.isoformat()}")
        latest = max(spec.valid_from or date.min for spec in current)
        chosen = [spec for spec in current if (spec.valid_from or date.min) == latest]
        if len(chosen) > 1:  # covers that only this document shows to overlap: to choose one would be to guess
            told = ", ".join(spec.version for spec in chosen)
            return _unavailable(chosen[0], "", f"its versions {told} start on the same day, and either could judge")
        return self.load(chosen[0])

    def _load(self, spec: PackSpec) -> Pack:
        engine = self._engines.get(spec.engine)
        if engine is None:
            return _unavailable(spec, "", f"this gateway has no engine {spec.engine}")
        try:
            found = spec.digest()
            if found != spec.sha256:
                what = f"its files have the digest {found[:16]}…, not the pinned {spec.sha256[:16]}…"
                return _unavailable(spec, found, what if found else "its files are not installed")
            check_pinned(spec)
            return engine(spec)
        except MemoryError:  # the fault of the document in hand: kept, it would be held against all that follow
            raise
        except UncompilablePack as error:
            return _unavailable(spec, spec.sha256, f"it does not load: {error}")
        except Exception as error:  # a pack that does not compile must not stop the others
            return _unavailable(spec, "", f"it does not load: {type(error).__name__}: {error}")


def _unavailable(spec: PackSpec, found: str, reason: str) -> UnavailablePack:
    return UnavailablePack(spec.name, spec.layer, spec.version, found, reason)


def _of_rivals(one: PackSpec, other: PackSpec) -> str:
    day = f"valid_from {one.valid_from}" if one.valid_from else "no valid_from"
    return (
        f"pack {one.name} stands twice with {day}, for the same documents: version {one.version} in {one.file}, and "
        f"version {other.version} in {other.file}, which would never judge; give it a later valid_from, from which it "
        "is to judge, or a name of its own"
    )


def _ordered(specs: Sequence[PackSpec], own: Sequence[Pack]) -> dict[str, tuple[PackSpec, ...] | Pack]:
    """By layer, then in the order given; the versions of one name together."""
    slots: dict[str, tuple[PackSpec, ...] | Pack] = {pack.name: pack for pack in own}
    layers: dict[str, Layer] = {pack.name: pack.layer for pack in own}
    for spec in specs:
        former = slots.get(spec.name, ())
        if not isinstance(former, tuple):
            raise ValueError(f"pack {spec.name} has the name of one of the gateway's own")
        for other in former:
            if spec.rivals(other):
                raise ValueError(_of_rivals(other, spec))
        slots[spec.name] = (*former, spec)
        layers[spec.name] = spec.layer
    order = list(Layer)
    return {name: slots[name] for name in sorted(slots, key=lambda name: order.index(layers[name]))}
