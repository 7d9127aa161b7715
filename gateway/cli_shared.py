"""What the commands share: exit codes, the --config option, and how a command refuses (DESIGN 4.2).

Exit codes: 0 done or all valid; 1 something invalid; 2 wrong use or configuration; 3 something not judged;
4 platform or transport out of reach. Where several hold, the order is 2, 4, 3, 1, 0.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from gateway.buyers.freshness import day_in_paris
from gateway.config import Configuration, ConfigurationFaults

OK, INVALID, WRONG_USE, NOT_JUDGED, OUT_OF_REACH = 0, 1, 2, 3, 4

ConfigPath = Annotated[
    Path, typer.Option("--config", "-c", help="gateway.toml, or its folder.", envvar="GATEWAY_CONFIG")
]
DEFAULT_CONFIG: Final = Path("gateway.toml")
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]


def load_configuration(path: Path) -> Configuration:
    """The configuration at `path`, or an end with every fault of it."""
    try:
        return Configuration(path, os.environ)
    except ConfigurationFaults as faults:
        for fault in faults.faults:
            say(str(fault))
        raise typer.Exit(WRONG_USE) from None


def day_of(text: str) -> date:
    """A day as it is given to `--date`; that of today in Paris for nothing."""
    try:
        return date.fromisoformat(text) if text else day_in_paris(datetime.now(UTC))
    except ValueError:
        fail(f"{text!r}: expected a day such as 2026-09-01")


def say(text: str) -> None:
    """To stderr: what is no result."""
    print(text, file=sys.stderr)


def fail(text: str, code: int = WRONG_USE) -> NoReturn:
    """End the command, and say why."""
    say(f"gateway: {text}")
    raise typer.Exit(code)
