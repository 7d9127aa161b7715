"""`gateway doctor`: looks at everything that the gateway needs and says what is ill. Exit codes as in `cli.py`."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape

from gateway.app import open_gateway_ledger
from gateway.clock import SystemClock
from gateway.config import ConfigurationFaults, load
from gateway.doctor import Found, Health, examine
from gateway.observability import configure_logging

_ILL: Final = 1
_WRONG_USE: Final = 2
_COLOURS: Final = {Health.OK: "green", Health.WARNING: "yellow", Health.ILL: "red"}


def doctor(
    config: Annotated[
        Path, typer.Option("--config", "-c", help="gateway.toml, or its folder.", envvar="GATEWAY_CONFIG")
    ] = Path("gateway.toml"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """What would an operator look at first? Folders, disk, servers: each with its remedy."""
    try:
        settings = load(config, os.environ)
    except ConfigurationFaults as faults:
        for fault in faults.faults:
            print(fault, file=sys.stderr)
        raise typer.Exit(_WRONG_USE) from None
    configure_logging("critical", settings.gateway.log_format)  # what it meets is what it tells
    ledger = open_gateway_ledger(settings, SystemClock())
    found = [Found(Health.WARNING, str(warning)) for warning in settings.warnings]
    found += examine(settings, ledger)
    ledger.close()
    if as_json:
        print(json.dumps([asdict(each) for each in found], ensure_ascii=False, indent=2))
    else:
        _print(found)
    raise typer.Exit(_ILL if any(each.health is Health.ILL for each in found) else 0)


def _print(found: list[Found]) -> None:
    out = Console(highlight=False, soft_wrap=True)
    for each in found:
        out.print(f"[{_COLOURS[each.health]}]{each.health:<7}[/] {escape(each.what)}")
        if each.remedy:
            out.print(f"        → {escape(each.remedy)}")
