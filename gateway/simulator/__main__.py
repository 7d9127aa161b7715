"""`python -m gateway.simulator`: the simulator as a process, without the gateway's own command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from gateway.simulator.running import LOOPBACK, serve


def main() -> None:
    parser = argparse.ArgumentParser(description="A Chorus Pro to develop and test against.")
    parser.add_argument("--host", default=LOOPBACK)
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--scenario", type=Path, help="TOML: [[rules]], [options], [seed]")
    parser.add_argument("--state", type=Path, help="SQLite file; in memory when not given")
    given = parser.parse_args()
    serve(given.host, given.port, given.scenario, given.state)


if __name__ == "__main__":
    main()
