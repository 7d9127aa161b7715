"""Starting the simulator: in a thread for tests and the demo, or as a process. Loopback only by default."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import uvicorn

from gateway.simulator.control import subscribe, switch
from gateway.simulator.door import TOKEN_PATH, Door
from gateway.simulator.faults import DroppableProtocol, FaultLayer
from gateway.simulator.options import Options
from gateway.simulator.platform import Platform
from gateway.simulator.scenario import load_scenario
from gateway.simulator.seed import load_seed
from gateway.simulator.times import to_datetime

LOOPBACK: Final = "127.0.0.1"
STOP_TIMEOUT_S: Final = 10.0


class Simulator:
    """A running Chorus Pro, in the hands of a test. Everything here works from any thread."""

    def __init__(self, platform: Platform, url: str) -> None:
        self.platform = platform
        self.url = url  #: API paths hang below: {url}/cpro/factures/v1/deposer/flux
        self.token_url = url + TOKEN_PATH

    def now(self) -> datetime:
        return to_datetime(self.platform.clock.now())

    def advance(self, by: timedelta) -> datetime:
        """Let time pass, and everything happen that was due in it."""
        return to_datetime(self.platform.advance(by))

    def go_on(self, speed: float = 1.0) -> None:
        """From now on time passes by itself, `speed` times as fast as the machine's."""
        self.platform.clock.go(speed)

    def state(self) -> dict[str, Any]:
        """As GET /_simulator/state."""
        return self.platform.state()

    def deposits(self) -> list[dict[str, Any]]:
        """Every deposit received, before any de-duplication, oldest first."""
        return self.platform.receipts()

    def invoices(self) -> list[dict[str, Any]]:
        """Every invoice integrated, with its status now."""
        return self.platform.invoices()

    def fault(self, kind: str, path: str = "", times: int = 1, **details: Any) -> None:
        """Trouble for the next `times` requests whose path contains `path`; kinds: `faults.KINDS`."""
        self.platform.faults.add(kind, path, times, **details)

    def clear_faults(self) -> None:
        self.platform.faults.clear()

    def set_status(self, number: str, status: str, comment: str = "", issuer: str | None = None) -> None:
        """Give one invoice a status now; what its path had foreseen no longer comes."""
        self.platform.set_status(number, status, comment, issuer)

    def set_flow(self, flow: str, state: str) -> None:
        """Put a flow into any state; with an empty one, a flow held that way is processed."""
        self.platform.set_flow(flow, state)

    def switch(self, name: str, value: Any) -> None:
        """Change an option while it runs; which ones: `gateway.simulator.control.SWITCHES`."""
        switch(self.platform, name, value)

    def refuse_duplicates(self, on: bool) -> None:
        switch(self.platform, "refuse_duplicates", on)

    def expire_tokens(self) -> None:
        """Every token given out so far is worth nothing from now on."""
        self.platform.expire_tokens()

    def issue_tokens(self, on: bool) -> None:
        """Off: the token endpoint answers 503 to a client that it knows."""
        self.platform.issues_tokens = on

    def subscribe(self, api: str, on: bool) -> None:
        """Off: every path of this API (factures, structures, …) answers 403 without a body."""
        subscribe(self.platform, api, on)


@contextmanager
def running_simulator(
    path: Path | None = None,
    *,
    seed: Mapping[str, Any] | Path | None = None,
    scenario: Mapping[str, Any] | Path | None = None,
    port: int = 0,
    **options: Any,
) -> Iterator[Simulator]:
    """A simulator in a thread, on a free loopback port, with its state in `path` or in memory.

    `options` are those of `gateway.simulator.options.Options`; they go before the scenario's own.
    """
    with _platform(path, seed, scenario, options) as platform, _listening(LOOPBACK, port) as door:
        server = uvicorn.Server(_config(platform))
        thread = threading.Thread(target=server.run, args=([door],), name="simulator", daemon=True)
        thread.start()
        # The socket listens already: a client that is early waits in its backlog.
        try:
            yield Simulator(platform, _url(door))
        finally:
            # Nobody is left to be answered: idle connections are not waited for.
            server.should_exit = server.force_exit = True
            thread.join(STOP_TIMEOUT_S)


def serve(host: str, port: int, scenario: Path | None, state: Path | None) -> None:
    """The simulator as this process, until it is told to stop. The clock is the machine's unless the scenario says.

    Prints its URL on stdout once it listens. The controls need no password: do not let it listen to a network.
    """
    with _platform(state, None, scenario, {}, clock="real") as platform, _listening(host, port) as door:
        print(_url(door), flush=True)
        uvicorn.Server(_config(platform)).run([door])


@contextmanager
def _platform(
    path: Path | None,
    seed: Mapping[str, Any] | Path | None,
    scenario: Mapping[str, Any] | Path | None,
    options: Mapping[str, Any],
    **defaults: Any,
) -> Iterator[Platform]:
    told = load_scenario(scenario)
    chosen = Options.of(**{**defaults, **told.options, **options})
    platform = Platform(path, chosen, load_seed(told.seed if seed is None else seed), told)
    try:
        yield platform
    finally:
        platform.close()


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named protocol: asyncio sets TCP_NODELAY only on sockets that say so, and without it a call takes 40 ms longer.
    door = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((host, port))
        door.listen(512)
        yield door
    finally:
        door.close()


def _config(platform: Platform) -> uvicorn.Config:
    return uvicorn.Config(
        FaultLayer(Door(platform), platform.faults),
        http=DroppableProtocol,
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=2,
    )


def _url(door: socket.socket) -> str:
    host, port = door.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
