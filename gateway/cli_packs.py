"""`gateway packs`: what judges invoices today, whether a further folder would load, and what a new version changes.

Results go to stdout, as people read them or, with --json, as one JSON document. Exit codes as in `cli_shared.py`:
0 done; 1 a pack is altered, absent or does not load; 2 wrong use.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.cli_shared import INVALID, OK, AsJson, day_of, fail
from gateway.config import Configuration, ConfigurationFaults
from gateway.domain.finding import printable
from gateway.rules.pack import UnavailablePack
from gateway.rules.packs import PackRegistry
from gateway.rules.rulebook.catalogue import Difference, SheetRule, difference, rules_of, rules_of_pack
from gateway.rules.rulebook.outcome import UncompilablePack
from gateway.rules.spec import BadPackFile, PackSpec, packs_file, read_specs

_SHEETS: Final = ("*.xsl", "*.xslt")
_SHOWN: Final = 300

packs_app = typer.Typer(help="The rule packs.", no_args_is_help=True)


@packs_app.command("list")
def packs_list(
    day: Annotated[str, typer.Option("--date", help="Day of deposit, such as 2026-09-01.")] = "",
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="For further packs.", envvar="GATEWAY_CONFIG")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Every version of every pack: what it is, whether it is valid that day, and whether its files are untouched."""
    wanted = day_of(day)
    files = [packs_file(), *_further(config)]
    told = [_told(spec, wanted) for file in files for spec in _specs(file)]
    try:
        PackRegistry.standard(extra=files[1:])  # what no service would start with must not look well here
    except ValueError as error:
        fail(str(error))
    if as_json:
        print(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        _print_packs(told)
    raise typer.Exit(INVALID if any(pack["files"] != "untouched" for pack in told) else OK)


@packs_app.command("add")
def packs_add(
    folder: Annotated[Path, typer.Argument(help="A folder with a packs.toml and the files that it names.")],
    as_json: AsJson = False,
) -> None:
    """Whether the packs of a folder load, and the line that gateway.toml needs for them. Nothing is changed."""
    file = folder / "packs.toml"
    if not file.is_file():
        fail(f"{folder}: no packs.toml in it; docs/packs.md shows how one is written")
    specs = _specs(file)
    try:
        registry = PackRegistry.standard(extra=[file])
    except ValueError as error:
        fail(f"{file}: {error}")
    told = [_loaded(spec, registry) for spec in specs]
    if as_json:
        print(json.dumps({"packs": told, "configuration": {"rules": {"packs": [str(folder.resolve())]}}}, indent=2))
    else:
        for pack in told:
            print(f"{pack['name']} {pack['version']}: {pack['fault'] or 'loads'}, {pack['rules']} rules")
            if pack["sha256_found"] not in ("", pack["sha256"]):
                print(f'  its files as they are now: sha256 = "{pack["sha256_found"]}"')
        if not any(pack["fault"] for pack in told):
            print(f"To judge with them, put this into gateway.toml and restart:\n[rules]\npacks = [{_toml(folder)}]")
    raise typer.Exit(INVALID if any(pack["fault"] for pack in told) else OK)


@packs_app.command("diff")
def packs_diff(
    old: Annotated[Path, typer.Argument(help="A sheet (.xsl, .xslt), or a folder with sheets.")],
    new: Annotated[Path, typer.Argument(help="The same of another version.")],
    as_json: AsJson = False,
) -> None:
    """Which rules came, went, or changed in test, flag, context or message."""
    pairs = _pairs(_sheets(old), _sheets(new))
    try:
        found = {name: difference(_rules(before), _rules(after)) for name, before, after in pairs}
    except UncompilablePack as error:
        fail(f"this is no sheet that could be compared: {error}")
    if as_json:
        print(json.dumps({name: asdict(each) for name, each in found.items()}, ensure_ascii=False, indent=2))
        return
    for name, each in found.items():
        _print_difference(name, each)


def _told(spec: PackSpec, day: date) -> dict[str, Any]:
    digest = spec.digest()
    files = "untouched" if digest == spec.sha256 else "altered" if digest else "absent"
    rules: int | None = None
    if spec.engine == "rulebook" and files == "untouched":
        rules = _count(spec)
    return {
        "name": spec.name,
        "layer": str(spec.layer),
        "engine": spec.engine,
        "version": spec.version,
        "valid_from": spec.valid_from.isoformat() if spec.valid_from else None,
        "valid_to": spec.valid_to.isoformat() if spec.valid_to else None,
        "valid": spec.valid_on(day),
        "mode": _mode(spec, day),
        "licence": spec.licence,
        "source": spec.source,
        "sha256": spec.sha256,
        "files": files,
        "rules": rules,
    }


def _count(spec: PackSpec) -> int | None:
    try:
        return len(rules_of_pack(spec))
    except UncompilablePack:
        return None


def _mode(spec: PackSpec, day: date) -> str:
    """How grave its findings are on that day."""
    whole = [mode.severity for mode in spec.gravest if mode.rules is None and mode.on(day)]
    return f"at most {max(whole, key=lambda severity: severity.rank)}" if whole else "as flagged"


def _loaded(spec: PackSpec, registry: PackRegistry) -> dict[str, Any]:
    pack = registry.load(spec)
    fault = pack.reason if isinstance(pack, UnavailablePack) else ""
    return {
        "name": spec.name,
        "version": spec.version,
        "sha256": spec.sha256,
        "sha256_found": spec.digest(),
        "fault": fault,
        "rules": (_count(spec) or 0) if not fault else 0,
    }


def _print_packs(told: Sequence[dict[str, Any]]) -> None:
    table = Table("pack", "layer", "engine", "version", "valid", "mode", "rules", "files", "licence")
    for pack in told:
        dates = f"{pack['valid_from'] or '…'} – {pack['valid_to'] or '…'}"
        table.add_row(
            pack["name"],
            pack["layer"],
            pack["engine"],
            escape(pack["version"]),
            dates if pack["valid"] else f"[dim]{dates}, not that day[/]",
            pack["mode"],
            "–" if pack["rules"] is None else str(pack["rules"]),
            pack["files"] if pack["files"] == "untouched" else f"[red]{pack['files']}[/]",
            escape(pack["licence"].partition(";")[0].partition(",")[0].partition(" (")[0]),
        )
    Console(width=None if sys.stdout.isatty() else 250, highlight=False).print(table)


def _print_difference(name: str, found: Difference) -> None:
    print(f"{name}: {len(found.came)} came, {len(found.went)} went, {len(found.changed)} changed")
    for sign, rules in (("+", found.came), ("-", found.went)):
        for rule in rules:
            print(f"{sign} {rule.rule} ({rule.flag or 'no flag'}) {printable(rule.message, _SHOWN)}")
    for change in found.changed:
        print(f"~ {change.new.rule}: {', '.join(change.what)}")
        for part in change.what:
            before, after = str(getattr(change.old, part)), str(getattr(change.new, part))
            print(
                f"    {part} was {printable(before, _SHOWN) or '–'}\n    {part} is  {printable(after, _SHOWN) or '–'}"
            )


def _sheets(path: Path) -> dict[str, Path]:
    """A sheet, or all below a folder by their relative names."""
    if path.is_file():
        return {path.name: path}
    found = {sheet.relative_to(path).as_posix(): sheet for glob in _SHEETS for sheet in sorted(path.rglob(glob))}
    if not found:
        fail(f"{path}: no such sheet, and no folder with sheets (.xsl, .xslt)")
    return found


def _pairs(old: dict[str, Path], new: dict[str, Path]) -> list[tuple[str, Path | None, Path | None]]:
    """Sheets of one name; where both sides have only one, these two, for versions are often written into names."""
    if len(old) == 1 and len(new) == 1:
        ((_, before),), ((name, after),) = old.items(), new.items()
        return [(name, before, after)]
    return [(name, old.get(name), new.get(name)) for name in sorted(old.keys() | new.keys())]


def _rules(sheet: Path | None) -> tuple[SheetRule, ...]:
    return () if sheet is None else rules_of(sheet, sheet.stem)


def _further(config: Path | None) -> tuple[Path, ...]:
    if config is None:
        return ()
    try:
        return Configuration(config, os.environ).settings.pack_files
    except ConfigurationFaults as faults:
        fail("; ".join(str(fault) for fault in faults.faults))


def _specs(file: Path) -> tuple[PackSpec, ...]:
    try:
        return read_specs(file)
    except BadPackFile as error:
        fail(str(error))


def _toml(folder: Path) -> str:
    return json.dumps(str(folder.resolve()), ensure_ascii=False)
