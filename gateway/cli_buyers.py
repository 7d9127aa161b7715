"""`gateway buyers` and `gateway issuers`: what is known of public bodies, and whether the issuers' accounts work."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli_shared import DEFAULT_CONFIG, INVALID, OK, OUT_OF_REACH, ConfigPath, day_of, fail, load_configuration

buyers_app = typer.Typer(help="The directory of public bodies.", no_args_is_help=True)
issuers_app = typer.Typer(help="The issuers and their accounts.", no_args_is_help=True)


@buyers_app.command("import")
def buyers_import(
    file: Annotated[Path, typer.Argument(help="JSON Lines or CSV; see docs/buyers.md.")],
    config: ConfigPath = DEFAULT_CONFIG,
    force: Annotated[bool, typer.Option(help="Also when it holds far fewer bodies than before.")] = False,
) -> None:
    """Take a directory file as the new snapshot."""
    from gateway.buyers.importer import BadImport, import_file
    from gateway.buyers.writing import Busy, TooFew

    settings = load_configuration(config).settings
    try:
        taken = import_file(file, settings.snapshot, datetime.now(UTC), force=force)
    except OSError as fault:
        fail(f"{fault.filename or file}: {fault.strerror or fault}")
    except TooFew as fault:
        fail(f"{file}: {fault}; nothing was changed. If the file is complete: --force")
    except BadImport as fault:
        fail(f"{file}: {fault}; nothing was changed")
    except (Busy, sqlite3.Error) as fault:
        fail(f"{settings.snapshot}: {fault}; nothing was changed")
    print(f"{taken.buyers} bodies, {taken.services} services")


@buyers_app.command("show")
def buyers_show(siret: str, config: ConfigPath = DEFAULT_CONFIG) -> None:
    """What the snapshot says of one public body."""
    from gateway.buyers.snapshot import open_snapshot

    snapshot = open_snapshot(load_configuration(config).settings.snapshot)
    seen = snapshot.buyer(siret, day_of("")) if snapshot else None
    if snapshot is None or seen is None or seen.buyer is None:
        fail(f"{siret} is not in the snapshot: gateway buyers refresh {siret}, or import a newer directory", INVALID)
    print(json.dumps({name: getattr(seen.buyer, name) for name in seen.buyer.__slots__}, ensure_ascii=False, indent=2))


@buyers_app.command("refresh")
def buyers_refresh(
    sirets: Annotated[list[str] | None, typer.Argument(help="Only these; all known ones if left out.")] = None,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Ask Chorus Pro what it says of public bodies, and lay it over the snapshot."""
    from gateway.buyers.writing import Busy, TooFew
    from gateway.refresh import refresh_buyers
    from gateway.routes.protocol import RouteTrouble

    configuration = load_configuration(config)
    try:
        print(refresh_buyers(configuration, sirets or []))
    except RouteTrouble as trouble:
        fail(trouble.text.en, OUT_OF_REACH)
    except (Busy, TooFew) as trouble:
        fail(str(trouble))


@issuers_app.command("check")
def issuers_check(siret: str = typer.Argument(""), config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Ask Chorus Pro whether each issuer's account works."""
    from gateway.app import chorus_settings
    from gateway.routes.chorus_api.client import ChorusApi
    from gateway.routes.protocol import RouteTrouble

    settings = load_configuration(config).settings
    if siret and siret not in settings.issuers:
        fail(f"{siret} is no issuer of this configuration; known are {', '.join(sorted(settings.issuers)) or 'none'}")
    client = ChorusApi(chorus_settings(settings))
    worst = OK
    for issuer in settings.issuers.values():
        if siret and issuer.siret != siret:
            continue
        try:
            found = client.check_account(issuer)
        except RouteTrouble as trouble:
            print(f"{issuer.siret} {issuer.name}: {trouble.text.en}")
            worst = OUT_OF_REACH
            continue
        expires = f", password until {found.password_expires:%Y-%m-%d}" if found.password_expires else ""
        print(f"{issuer.siret} {issuer.name}: works, attached to {len(found.structures)} structures{expires}")
    client.close()
    raise typer.Exit(worst)
