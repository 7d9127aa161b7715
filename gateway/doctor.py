"""`gateway doctor`: what an operator would look at first, each with its remedy. It changes nothing.

The configuration is read, folders are tried, the ledger is looked into, and each partner's own server is reached once.
Whether Chorus Pro takes our accounts is what `gateway issuers check` asks.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from gateway.clock import SystemClock
from gateway.config import Settings
from gateway.config.sftp import SftpTable
from gateway.domain.partner import Partner
from gateway.ledger.ledger import Ledger
from gateway.ledger.remote_files import remote_server_of
from gateway.lock import AlreadyRunning, single_instance
from gateway.remotes import peer_of
from gateway.transports.local import free_bytes
from gateway.transports.sftp_client.circuit import Circuit
from gateway.transports.sftp_client.connections import Connections
from gateway.transports.sftp_client.errors import SftpError
from gateway.transports.sftp_client.folder import RemoteFolder
from gateway.transports.sftp_client.pool import Pool

_SERVERS_AT_ONCE: Final = 16
_LISTEN_S: Final = 2.0


class Health(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ILL = "ill"


@dataclass(frozen=True, slots=True)
class Found:
    """One thing looked at. `remedy`: what to do, where it is not ok."""

    health: Health
    what: str
    remedy: str = ""


def examine(settings: Settings, ledger: Ledger) -> Iterator[Found]:
    """Everything, in the order in which one would mend it."""
    running = _is_running(settings)
    yield Found(Health.OK, "the gateway is running" if running else "the gateway is not running")
    yield from _disk(settings)
    for partner in settings.partners.values():
        yield from _folders(partner)
    yield from _listening(settings, running)
    with ThreadPoolExecutor(_SERVERS_AT_ONCE, thread_name_prefix="doctor") as threads:
        asked = [
            threads.submit(_server, settings.partners[name], table, settings, ledger)
            for name, table in settings.remotes.items()
        ]
        for future in asked:
            yield from future.result()


def _is_running(settings: Settings) -> bool:
    if not settings.lock_file.exists():
        return False
    try:
        with single_instance(settings.lock_file):
            return False
    except AlreadyRunning:
        return True


def _disk(settings: Settings) -> Iterator[Found]:
    free, wanted = free_bytes(settings.state_dir), settings.intake.free_bytes
    if free < wanted:
        remedy = f"free space under {settings.state_dir}: nothing is taken below {wanted // 10**6} MB"
        yield Found(Health.ILL, f"{free // 10**6} MB free under {settings.state_dir}", remedy)
    else:
        yield Found(Health.OK, f"{free // 10**6} MB free under {settings.state_dir}")


def _folders(partner: Partner) -> Iterator[Found]:
    ill = [problem for folder in (partner.inbox, partner.outbox) if (problem := _problem(folder))]
    for problem in ill:
        yield Found(Health.ILL, f"{partner.name}: {problem}", "let the gateway's account read and write there")
    if not ill:
        yield Found(Health.OK, f"{partner.name}: its folders under {partner.root} can be used")


def _problem(folder: Path) -> str:
    if not folder.exists():
        return "" if os.access(_existing(folder), os.W_OK) else f"{folder} is missing and cannot be made"
    return "" if os.access(folder, os.R_OK | os.W_OK | os.X_OK) else f"{folder} cannot be read and written"


def _existing(folder: Path) -> Path:
    return next(parent for parent in folder.parents if parent.exists())


def _listening(settings: Settings, running: bool) -> Iterator[Found]:
    address, _, port = settings.sftp_server.listen.rpartition(":")
    if not port or port == "0" or not running:
        return
    try:
        with socket.create_connection((address.strip("[]"), int(port)), timeout=_LISTEN_S):
            yield Found(Health.OK, f"our SFTP server answers at {settings.sftp_server.listen}")
    except OSError as error:
        remedy = "look for sftp_server in the log; another program may have the port"
        yield Found(Health.ILL, f"our SFTP server does not answer at {settings.sftp_server.listen}: {error}", remedy)


def _server(partner: Partner, table: SftpTable, settings: Settings, ledger: Ledger) -> list[Found]:
    """Reach a partner's own server, and its folders."""
    peer = peer_of(table, partner, settings)
    pool = Pool(Connections(peer, Circuit(SystemClock().now)))
    with ledger.reading() as unit:
        known = remote_server_of(unit, partner.name)
    since = f" (the gateway finds it down since {known.down_since:%Y-%m-%d %H:%M} UTC)" if known.down_since else ""
    found: list[Found] = []
    try:
        for key, path in (("fetch_from", table.fetch_from), ("deliver_to", table.deliver_to)):
            if path:
                RemoteFolder(pool, path.encode()).list(limit=1)
                found.append(Found(Health.OK, f"{partner.name}: {peer}, {key} {path} can be looked into{since}"))
    except SftpError as error:
        words, _, remedy = str(error).partition(" → ")
        found.append(Found(Health.ILL, f"{partner.name}: {peer}: {words}{since}", remedy or "see docs/sftp.md"))
    finally:
        pool.close()
    return found
