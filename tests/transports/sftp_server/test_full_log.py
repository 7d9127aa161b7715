"""A log that cannot be written stops nothing: the disk of the log is full, or its pipe is closed."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

import pytest
import structlog

from gateway.observability import configure_logging
from tests.transports.sftp_server import raw
from tests.transports.sftp_server.house import House, wait_until
from tests.transports.sftp_server.raw import RawClient, string

NEW = 2 | 8 | 16


@contextmanager
def full_disk() -> Iterator[TextIO]:
    full = os.fdopen(os.open("/dev/full", os.O_WRONLY), "w")
    try:
        yield full
    finally:
        with suppress(OSError):  # closing it writes what is left
            full.close()


@contextmanager
def full_log() -> Iterator[None]:
    """Meanwhile every line of the log fails, also for a server that runs already."""
    before = structlog.get_config()
    with full_disk() as full:
        structlog.configure(
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
            logger_factory=structlog.PrintLoggerFactory(full),
            cache_logger_on_first_use=False,
        )
        try:
            yield
        finally:
            structlog.configure(**before)


def test_a_half_file_does_not_become_complete(house: House) -> None:
    house.change("acme", file_limit_bytes=10)
    transport = house.connect()
    client = RawClient(transport)
    handle = client.open(b"in/half.xml", NEW).handle
    client.write(handle, 0, b"<Invoice>")

    with full_log():
        refused, closed = client.write(handle, 9, b"x" * 100).code, client.close(handle).code
    transport.close()

    assert (refused, closed) == (raw.FAILURE, raw.FAILURE)
    assert house.completed == [] and not (house.folder("in") / "half.xml").exists()


def test_a_whole_file_is_acknowledged_and_reported(house: House) -> None:
    with full_log():
        transport = house.connect()
        client = RawClient(transport)
        codes = [client.put(b"in/a.xml", b"<a/>").code, client.ask(raw.OPENDIR, string(b"in")).kind]
        transport.close()

    assert codes == [raw.OK, raw.HANDLE] and house.names() == ["a.xml"]
    wait_until(lambda: house.server and house.server._house.budget.open == 0)


def test_sessions_end_and_new_ones_begin(house: House) -> None:
    house.set(idle_s=0.2)

    with full_log():
        transport = house.connect()
        wait_until(lambda: not transport.is_active())  # told by the accept loop, which goes on
        wait_until(lambda: house.server and house.server.sessions == 0)
        house.connect().close()
        wait_until(lambda: house.server and house.server.sessions == 0)


def test_the_accept_loop_survives_whatever_fails_in_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    failed: list[str] = []

    def broken() -> None:
        failed.append("once more")
        raise RuntimeError("broken")

    assert house.server is not None
    monkeypatch.setattr(house.server, "_look_after", broken)
    wait_until(lambda: failed)

    house.connect().close()


def test_the_log_of_the_service_swallows_what_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    before, root = structlog.get_config(), logging.getLogger().handlers[:]
    with full_disk() as full:
        monkeypatch.setattr(sys, "stderr", full)
        try:
            configure_logging("info", "json")
            structlog.get_logger("gateway").info("lost", text="x" * 100_000)
        finally:
            structlog.configure(**before)
            logging.getLogger().handlers[:] = root
            monkeypatch.undo()
