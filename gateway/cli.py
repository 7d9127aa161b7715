"""The command line: commands only. Results go to stdout, everything else to stderr; exit codes are in `cli_shared.py`
(DESIGN 4.2).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from gateway.app import Gateway, open_gateway_ledger
from gateway.cli_buyers import buyers_app, issuers_app
from gateway.cli_doctor import doctor
from gateway.cli_packs import packs_app
from gateway.cli_partner import partner_app
from gateway.cli_shared import (
    DEFAULT_CONFIG,
    INVALID,
    NOT_JUDGED,
    OK,
    OUT_OF_REACH,
    WRONG_USE,
    ConfigPath,
    day_of,
    fail,
    load_configuration,
    say,
)
from gateway.clock import SystemClock
from gateway.config import check, json_schema_text
from gateway.domain.issuer import Route
from gateway.domain.verdict import Decision
from gateway.lock import AlreadyRunning, single_instance
from gateway.observability import configure_logging
from gateway.once import Goal, OneRun, Outcome
from gateway.schedule import Service
from gateway.stopping import StopSignals
from gateway.validation import Engine
from gateway.workers.pool import Ceilings

_DURATION: Final = re.compile(r"(\d+)(s|m|h)")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}

app = typer.Typer(
    help="Drop folder to Chorus Pro and back.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
config_app = typer.Typer(help="Check the configuration, print its schema.", no_args_is_help=True)
rules_app = typer.Typer(help="The rules and the packs.", no_args_is_help=True)
app.add_typer(config_app, name="config")
app.add_typer(buyers_app, name="buyers")
app.add_typer(rules_app, name="rules")
app.add_typer(packs_app, name="packs")
app.add_typer(partner_app, name="partner")
app.command()(doctor)
app.add_typer(issuers_app, name="issuers")


def main() -> None:
    """Entry of the `gateway` command."""
    app()


@app.command()
def run(
    config: ConfigPath = DEFAULT_CONFIG,
    once: Annotated[bool, typer.Option("--once", help="One nightly run, then exit.")] = False,
    until: Annotated[Goal, typer.Option(help="How far --once goes.")] = Goal.DEPOSITED,
    max_wait: Annotated[str, typer.Option(help="How long --once goes on at most, such as 2h.")] = "2h",
    fail_on: Annotated[str, typer.Option(help="refused: exit 1 when --once refused a document.")] = "",
) -> None:
    """The service; or one nightly run."""
    wait = _duration(max_wait)
    if fail_on not in ("", "refused"):
        fail("--fail-on takes: refused")
    configuration = load_configuration(config)
    settings = configuration.settings
    configure_logging(settings.gateway.log_level, settings.gateway.log_format)
    try:
        with single_instance(settings.lock_file):
            gateway = Gateway(configuration)
            try:
                code = _once(gateway, until, wait, fail_on) if once else _serve(gateway)
            finally:
                gateway.close()
    except AlreadyRunning as other:
        fail(str(other))
    raise typer.Exit(code)


@app.command()
def validate(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders with files.")],
    route: Annotated[Route, typer.Option(help="Whose severities count.")] = Route.CHORUS_API,
    pack: Annotated[list[str] | None, typer.Option(help="Judge by this pack only (repeatable).")] = None,
    engine: Annotated[
        Engine, typer.Option(help="reference: the sheets by saxonche, one file at a time.")
    ] = Engine.NATIVE,
    day: Annotated[str, typer.Option("--date", help="Day of deposit, such as 2026-09-01.")] = "",
    strict: Annotated[bool, typer.Option(help="Exit 3 also when merely facts were missing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a document.")] = False,
    language: Annotated[str, typer.Option(help="fr or en.")] = "fr",
    partner: Annotated[str, typer.Option(help="Judge as if dropped by this partner (needs --config).")] = "",
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="For issuers and directory.", envvar="GATEWAY_CONFIG")
    ] = None,
    processes: Annotated[int, typer.Option(min=1, help="Worker processes.")] = max(1, os.cpu_count() or 1),
    timeout_s: Annotated[float, typer.Option(help="Time for one file at most.")] = 60.0,
    memory_mb: Annotated[int, typer.Option(help="Memory that one file may take.")] = 200,
) -> None:
    """Judge files, and send nothing."""
    from gateway.validation import Wish, files_of
    from gateway.validation import validate as judge_files

    settings = load_configuration(config).settings if config else None
    pack_files = settings.pack_files if settings else ()
    _known_packs(pack or [], pack_files)
    _known_engine(engine)
    for path in paths:
        if not os.path.lexists(path):
            fail(f"{path}: no such file or folder")
    wish = Wish(
        route=route,
        day=day_of(day),
        packs=frozenset(pack) if pack else None,
        partner=partner,
        issuers=tuple(settings.issuers.values()) if settings else None,
        snapshot=settings.snapshot if settings else None,
        engine=engine,
        pack_files=pack_files,
    )
    refused = failed = lacking = 0
    ceilings = Ceilings(timeout_s, memory_mb * 1024 * 1024)
    for judged in judge_files(list(files_of(paths)), wish, processes, ceilings):
        refused += judged.decision is Decision.REFUSE
        failed += judged.not_judged
        lacking += judged.lacks_facts_only
        if as_json:
            print(json.dumps(judged.as_json(language), ensure_ascii=False))
        else:
            from gateway.printing import print_judged

            print_judged(judged, language)
    if failed or (strict and lacking):
        raise typer.Exit(NOT_JUDGED)
    raise typer.Exit(INVALID if refused else OK)


@app.command()
def status(config: ConfigPath = DEFAULT_CONFIG, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Where everything stands."""
    from gateway.printing import print_status
    from gateway.story import status as status_of

    settings = load_configuration(config).settings
    ledger = open_gateway_ledger(settings, SystemClock())
    with ledger.reading() as unit:
        counted = status_of(unit)
    ledger.close()
    print(json.dumps(counted, ensure_ascii=False, indent=2)) if as_json else print_status(counted)


@app.command()
def show(
    wanted: Annotated[str, typer.Argument(metavar="ID", help="Id, file name, sha256, or invoice number.")],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a file.")] = False,
    language: Annotated[str, typer.Option(help="fr or en.")] = "fr",
) -> None:
    """The whole story of a file."""
    from gateway.printing import print_story
    from gateway.story import find, story

    settings = load_configuration(config).settings
    ledger = open_gateway_ledger(settings, SystemClock())
    with ledger.reading() as unit:
        stories = [story(unit, file) for file in find(unit, wanted)]
    ledger.close()
    if not stories:
        fail(f"nothing is known under {wanted!r}: give an id, a file name, a sha256 or an invoice number", INVALID)
    for told in stories:
        print(json.dumps(told, ensure_ascii=False)) if as_json else print_story(told, language)


@app.command()
def demo(
    folder: Annotated[Path | None, typer.Option(help="Where to work; a temporary folder if left out.")] = None,
    keep: Annotated[bool, typer.Option(help="Leave the folder when done.")] = True,
    stay: Annotated[
        bool, typer.Option("--stay", help="Go on afterwards, for files of your own, until Ctrl-C.")
    ] = False,
    speed: Annotated[
        float, typer.Option(min=0.1, max=3600, help="With --stay: how fast the platform's time goes.")
    ] = 60,
) -> None:
    """Simulator, gateway and sample partners in a folder: real files through the whole loop."""
    from gateway.demo.play import play

    raise typer.Exit(play(folder, keep=keep, stay_speed=speed if stay else 0.0))


@app.command()
def simulator(
    port: Annotated[int, typer.Option(help="Port on the loopback interface.")] = 8765,
    scenario: Annotated[Path | None, typer.Option(help="TOML file: what becomes of which invoice.")] = None,
    state: Annotated[Path | None, typer.Option(help="SQLite file to keep its state in.")] = None,
) -> None:
    """A Chorus Pro to develop and test against, on this machine only."""
    from gateway.simulator.running import serve

    serve("127.0.0.1", port, scenario, state)


@config_app.command("check")
def config_check(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Every fault of the configuration at once."""
    checked = check(config, os.environ)
    for line in checked.lines:
        print(line)
    raise typer.Exit(OK if checked.ok else WRONG_USE)


@config_app.command("schema")
def config_schema() -> None:
    """The JSON Schema of the configuration files."""
    print(json_schema_text(), end="")


@rules_app.command("list")
def rules_list() -> None:
    """Every rule of ours."""
    from gateway.printing import print_rules

    print_rules(None)


@rules_app.command("show")
def rules_show(rule: str) -> None:
    """One rule: what it asks, its source, its texts."""
    from gateway.printing import print_rules

    if not print_rules(rule):
        fail(f"no rule {rule!r}: gateway rules list", INVALID)


def _once(gateway: Gateway, until: Goal, wait: timedelta, fail_on: str) -> int:
    from gateway.printing import progress_bar

    with progress_bar() as show_progress:
        outcome = OneRun(gateway, until, wait, show_progress).run()
    say(_sentence(outcome))
    for trouble in sorted({pause.trouble.text.en for pause in gateway.patience.troubles.values()}):
        say(trouble)
    if not outcome.reached:
        return OUT_OF_REACH
    return INVALID if fail_on and outcome.refused else OK


def _sentence(outcome: Outcome) -> str:
    left = f" {outcome.left} files are not whole yet and were left." if outcome.left else ""
    late = "" if outcome.reached else " The goal was not reached in time: see gateway status."
    return (
        f"{outcome.received} files received, {outcome.decided} documents decided, {outcome.deposited} flows deposited, "
        f"{outcome.told} acknowledgement rows written in {outcome.seconds:.1f} s.{left}{late}"
    )


def _serve(gateway: Gateway) -> int:
    told_to_stop = StopSignals()
    service = Service(gateway)
    service.start()
    told_to_stop.wait()
    service.stop()
    return OK


def _known_engine(engine: Engine) -> None:
    from gateway.rules.reference.process import ReferenceEngineMissing, ReferenceProcess

    try:
        if engine is Engine.REFERENCE:
            ReferenceProcess().close()
    except ReferenceEngineMissing as missing:
        fail(str(missing))


def _known_packs(names: Sequence[str], files: Sequence[Path]) -> None:
    from gateway.rules.packs import PackRegistry
    from gateway.rules.spec import BadPackFile

    try:
        known = PackRegistry.standard(extra=files).names
    except (BadPackFile, ValueError) as fault:
        fail(str(fault))
    unknown = [name for name in names if name not in known]
    if unknown:
        fail(f"no pack {', '.join(unknown)}; known are {', '.join(known)}")


def _duration(text: str) -> timedelta:
    found = _DURATION.fullmatch(text)
    if found is None:
        fail(f"{text!r}: expected a duration such as 30s, 10m or 2h")
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])
