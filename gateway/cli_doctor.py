"""`gateway doctor`: looks at everything that the gateway needs and says what is ill. Codes as in `cli_shared.py`."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import Final

import typer
from rich.console import Console
from rich.markup import escape

from gateway.app import open_gateway_ledger
from gateway.cli_shared import DEFAULT_CONFIG, INVALID, OK, WRONG_USE, AsJson, ConfigPath, say
from gateway.clock import SystemClock
from gateway.config import ConfigurationFaults, load
from gateway.doctor import Found, Health, examine
from gateway.observability import configure_logging

_COLOURS: Final = {Health.OK: "green", Health.WARNING: "yellow", Health.ILL: "red"}


def doctor(
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """What would an operator look at first? Folders, disk, servers: each with its remedy."""
    try:
        settings = load(config, os.environ)
    except ConfigurationFaults as faults:
        for fault in faults.faults:
            say(str(fault))
        raise typer.Exit(WRONG_USE) from None
    configure_logging("critical", settings.gateway.log_format)  # what it meets is what it tells
    ledger = open_gateway_ledger(settings, SystemClock())
    found = [Found(Health.WARNING, str(warning)) for warning in settings.warnings]
    found += examine(settings, ledger)
    ledger.close()
    if as_json:
        print(json.dumps([asdict(each) for each in found], ensure_ascii=False, indent=2))
    else:
        _print(found)
    raise typer.Exit(INVALID if any(each.health is Health.ILL for each in found) else OK)


def _print(found: list[Found]) -> None:
    out = Console(highlight=False, soft_wrap=True)
    for each in found:
        out.print(f"[{_COLOURS[each.health]}]{each.health:<7}[/] {escape(each.what)}")
        if each.remedy:
            out.print(f"        → {escape(each.remedy)}")
