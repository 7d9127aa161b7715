"""Connections that nobody uses, and what is remembered of a server."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import cast

import pytest

from gateway.transports.sftp_client import known_hosts
from gateway.transports.sftp_client.connection import Connection
from gateway.transports.sftp_client.connections import Connections
from gateway.transports.sftp_client.peer import HostKeys, Login, Peer, Timeouts
from tests.transports.sftp_client.peers import HandTime, circuit_of


class Line:
    """A connection that stays whole until it is closed."""

    alive = True

    def close(self) -> None:
        self.alive = False


def test_a_connection_that_nobody_has_needed_for_long_is_closed_whatever_lies_above_it() -> None:
    """The one used last is lent first, so that the others are never looked at."""
    time, lines = HandTime(), [Line(), Line()]
    opening = iter(lines)
    peer = Peer("127.0.0.1", Login("u"), HostKeys(), timeouts=Timeouts(idle_s=100))
    connections = Connections(
        peer, circuit_of(time), time.chance(), opener=lambda peer, opening_: cast(Connection, next(opening))
    )
    both = [connections.borrow(), connections.borrow()]
    for one in reversed(both):
        connections.give_back(one)
    for _ in range(3):
        time.now += 40
        connections.give_back(connections.borrow())
    assert [line.alive for line in lines] == [True, False]
    assert connections.borrow() is both[0]


def test_a_remembered_key_is_synced_with_the_folder_it_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bool] = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(stat.S_ISDIR(os.fstat(file).st_mode)))
    known_hosts.append(tmp_path / "new" / "known", "host", 22, "ssh-ed25519", b"blob")
    assert synced == [False, True]
    assert [key.blob for key in known_hosts.read(tmp_path / "new" / "known", "host", 22)] == [b"blob"]
