"""`make bench` runs every group but the long ones, `make bench NAME=gateway` one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

from benchmarks import corpus, differential, drops, rules, sftp, sftp_server, throughput

GROUPS: Mapping[str, Callable[[], None]] = {
    "gateway": throughput.main,
    "corpus": corpus.main,
    "rules": rules.main,
    "drops": drops.main,
    "differential": differential.main,
    "sftp": sftp.main,
    "sftp-server": sftp_server.main,
}
#: Those that take an hour: only when named.
LONG = frozenset({"differential"})


def main(wanted: list[str]) -> int:
    """Run the groups named, or all but the long ones."""
    unknown = [name for name in wanted if name not in GROUPS]
    if unknown:
        print(f"no group {', '.join(unknown)}; known are {', '.join(GROUPS)}", file=sys.stderr)
        return 2
    for name in wanted or [name for name in GROUPS if name not in LONG]:
        GROUPS[name]()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
