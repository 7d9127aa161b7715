"""`gateway partner`: connect a sender behind OpenSSH, change its keys, see how it is connected.

Results go to stdout. Exit codes are those of `cli_shared.py`: 0 done; 2 refused, with what was wrong and the remedy.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli_shared import DEFAULT_CONFIG, AsJson, ConfigPath, fail, say
from gateway.config.read import PARTNERS
from gateway.domain.finding import printable
from gateway.partners.add import Added, add_partner
from gateway.partners.front import check_partner_name, front, gateway_user
from gateway.partners.key_file import add_keys, checked_sources, key_path, read_key_file, remove_key
from gateway.partners.keys import PublicKey, read_keys
from gateway.partners.partner_file import Configured, read_configured
from gateway.partners.refused import Refused
from gateway.partners.shown import Shown, shown
from gateway.transports.sftp_server.passwords import make_hash

_SHORTEST_PASSWORD = 12
_LONGEST_PASSWORD = 256  # of up to four bytes each

partner_app = typer.Typer(help="Senders: connect one behind OpenSSH, change its keys.", no_args_is_help=True)
key_app = typer.Typer(help="The SSH keys of a partner; changes hold from the next login on.", no_args_is_help=True)
partner_app.add_typer(key_app, name="key")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Short name of the partner.")]
Sources = Annotated[
    list[str] | None, typer.Option("--from", help="Address or network from which the key is taken (repeatable).")
]


@partner_app.command("add")
def partner_add(
    name: Name,
    root: Annotated[Path, typer.Option(help="Its folder; it becomes the partner's /.")],
    key: Annotated[list[Path], typer.Option(help="File with its public key (repeatable).")],
    user: Annotated[str, typer.Option(help="Its login; sftp-NAME if left out.")] = "",
    group: Annotated[str, typer.Option(help="Group of all such logins.")] = "chorus-sftp",
    sources: Sources = None,
    gateway_account: Annotated[
        str, typer.Option("--gateway-user", help="Account of the gateway; the owner of state_dir if left out.")
    ] = "",
    sshd_config: Annotated[
        Path | None, typer.Option(help="Write the part for sshd_config there; printed if left out.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be written, and write nothing.")] = False,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Connect a sender behind OpenSSH: its file, folders, keys, and the part for sshd_config."""
    with _explained():
        configured = read_configured(config, os.environ)
        account = gateway_user(gateway_account, configured.state_dir)
        keys = key_path(configured.folder, check_partner_name(name))
        connected = front(name, _absolute(root), user, group, account, keys)
        admitted = _read_all(key)
        target = _absolute(sshd_config) if sshd_config else None
        added = add_partner(configured, connected, admitted, checked_sources(sources or ()), target, dry_run=dry_run)
        for one in admitted:
            print(f"key {one}")
        _print_added(added, dry_run=dry_run)
        if not dry_run:
            _load_again(config, name)


@partner_app.command("show")
def partner_show(name: Name, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Where it drops, where its acks appear, its login and keys, and what is left to do."""
    with _explained():
        told = shown(read_configured(config, os.environ), name)
        print(json.dumps(told.as_json(), ensure_ascii=False, indent=2) if as_json else "\n".join(told.lines()))
        _refuse_faults([told])


@partner_app.command("list")
def partner_list(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Every partner with its folder, and how it is connected."""
    with _explained():
        configured = read_configured(config, os.environ)
        every = [shown(configured, name) for name in sorted(configured.partners)]
        if as_json:
            print(json.dumps([one.as_json() for one in every], ensure_ascii=False, indent=2))
        for one in every if not as_json else ():
            print(f"{one.name}  {one.drops.parent}  {'; '.join(one.ways) or '-'}")
        _refuse_faults(every)


def _refuse_faults(every: list[Shown]) -> None:
    """After all that can be told was told."""
    if faults := [one.fault for one in every if one.fault]:
        raise Refused("; ".join(faults))


@key_app.command("add")
def key_add(
    name: Name,
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Files with public keys.")],
    sources: Sources = None,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Admit further keys beside those that there are; from the same addresses, unless --from says others."""
    with _explained():
        keys = _read_all(files)
        limits = checked_sources(sources) if sources else None
        for one in add_keys(_key_path(config, name), keys, limits).keys:
            print(one)


@key_app.command("remove")
def key_remove(
    name: Name,
    fingerprint: Annotated[str, typer.Argument(help="SHA256:… as list shows it, or its beginning.")],
    even_last: Annotated[bool, typer.Option("--even-last", help="Also the last one: nobody can log in.")] = False,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Admit a key no longer. Sessions that are open go on until they end."""
    with _explained():
        print(f"removed {remove_key(_key_path(config, name), fingerprint, even_last=even_last)}")


@partner_app.command("hash-password")
def hash_password() -> None:
    """Ask for a password and print its hash, for password_hash in the login table of a partner."""
    password = sys.stdin.readline().rstrip("\n") if not sys.stdin.isatty() else _asked_twice()
    if not _SHORTEST_PASSWORD <= len(password) <= _LONGEST_PASSWORD:
        fail(f"from {_SHORTEST_PASSWORD} to {_LONGEST_PASSWORD} characters, please")
    print(make_hash(password))


def _asked_twice() -> str:
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


@key_app.command("list")
def key_list(name: Name, config: ConfigPath = DEFAULT_CONFIG) -> None:
    """The keys that are admitted, with fingerprints."""
    with _explained():
        file = read_key_file(_key_path(config, name))
        for one in file.keys if file else ():
            print(one)


def _print_added(added: Added, *, dry_run: bool) -> None:
    for path in added.written:
        print(f"{'would write' if dry_run else 'wrote'} {path}")
    for path in added.kept:
        print(f"as it should be {path}")
    if not added.written:
        print("Nothing was to be changed.")
    if added.fragment:
        print(f"\nThe part for sshd_config:\n\n{added.fragment}")
    print("\nLeft to do as root:" if added.commands else "Nothing is left to do.")
    for command in added.commands:
        print(f"  {command}")


def _load_again(config: Path, name: str) -> None:
    """The file as the gateway will read it."""
    after: Configured = read_configured(config, os.environ)
    after.partner(name)
    if faults := [fault for fault in after.files.faults if fault.fatal]:
        say(f"gateway: beside this, the configuration has {len(faults)} faults: gateway config check")


def _key_path(config: Path, name: str) -> Path:
    configured = read_configured(config, os.environ)
    configured.partner(check_partner_name(name))
    return key_path(configured.folder, name)


def _read_all(files: list[Path]) -> tuple[PublicKey, ...]:
    return tuple({one.blob: one for file in files for one in read_keys(file)}.values())


def _absolute(path: Path) -> Path:
    # Not `resolve`: a link on the way is refused, not followed.
    return path.expanduser().absolute()


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        fail(str(refused))
    except OSError as error:
        where = printable(str(error.filename or PARTNERS), 512)
        fail(f"{where}: {error.strerror}; run it as a user who may write there")
