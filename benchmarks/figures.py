"""Printing figures, and reading how much memory processes took at most."""

from __future__ import annotations

from pathlib import Path


def bench(name: str, value: float, unit: str) -> None:
    """One figure, for programs and people."""
    print(f"bench {name} {value:.4g} {unit}", flush=True)


def peak_mb(pid: int) -> float:
    """The most memory that a process had resident, in MB; 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii")
    except OSError:
        return 0.0
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1000


def children_of(pid: int) -> list[int]:
    """The processes that `pid` has started and that live."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text("utf-8")
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[1]) == pid:
                found.append(int(entry.name))
    return found
