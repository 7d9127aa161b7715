"""What the documents tell people to type is typed here: README from top to bottom, and every command named in docs."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.simulator import running_simulator

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
#: Needs a machine with accounts and sshd of its own: tests/partners/test_sftp_page.py types what it says.
ELSEWHERE = {"sftp.md"}
#: Run by .ci/run itself, each from the Makefile.
MAKE = {line.split(":")[0] for line in (ROOT / "Makefile").read_text().splitlines() if re.match(r"[a-z]+:", line)}
_BLOCK = re.compile(r"^```(?:sh|bash)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(gateway [^`]+)`")
ENVIRON = {
    **os.environ,
    "GATEWAY_CONFIG": "my",
    "PISTE_CLIENT_ID": "simulator-app",
    "PISTE_CLIENT_SECRET": "simulator-secret",
    "CHORUS_PASSWORD": "Simulateur-1",
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "COLUMNS": "200",
}


@pytest.fixture
def fresh(tmp_path: Path):
    """An empty folder with what a clone has, and Chorus Pro played on a free port."""
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parents[1])
    (tmp_path / "config").symlink_to(ROOT / "config")
    with running_simulator(clock="real", flow_delay_s=1) as simulator:
        yield tmp_path, simulator.url


def typed(line: str, folder: Path, url: str, expect: tuple[int, ...] = (0,)) -> str:
    """Type one line; what it printed."""
    done = subprocess.run(["bash", "-ec", line], cwd=folder, env=ENVIRON, capture_output=True, text=True, timeout=120)
    assert done.returncode in expect, f"{line}\n{done.stdout}\n{done.stderr}"
    if line.startswith("cp -r config/quickstart my"):
        main = folder / "my" / "gateway.toml"
        main.write_text(main.read_text().replace("http://127.0.0.1:8765", url))
    return done.stdout


def lines_of(page: Path) -> list[str]:
    """The command lines of the fenced blocks, comments and continuation aside."""
    text = "\n".join(_BLOCK.findall(page.read_text()))
    lines = (line.partition("  #")[0].strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def test_the_readme_works_word_for_word(fresh: tuple[Path, str]) -> None:
    folder, url = fresh
    printed = {}
    for line in lines_of(ROOT / "README.md"):
        if line.startswith("make "):
            assert line.split()[1] in MAKE, line
        elif line.startswith("export "):
            assert dict(pair.split("=", 1) for pair in shlex.split(line)[1:]).items() <= ENVIRON.items(), line
        elif "gateway simulator" not in line:
            refusing = "validate" in line
            printed[line] = typed(line, folder, url, expect=(0, 1) if refusing else (0,))

    decisions = printed["cat my/drop/my-erp/out/*decision*"]
    assert "CHORUS-EJ-MISSING" in decisions
    assert "BT-13" in decisions, "the refusal says what to mend"
    assert "FA-2026-0002" in printed[".venv/bin/gateway show FA-2026-0002.xml"]
    assert "1 refused" in printed[".venv/bin/gateway status"]


@pytest.mark.parametrize(
    "page", [p for p in PAGES[1:] if lines_of(p) and p.name not in ELSEWHERE], ids=lambda p: p.name
)
def test_the_commands_of_each_page_run(page: Path, fresh: tuple[Path, str]) -> None:
    folder, url = fresh
    for line in lines_of(ROOT / "README.md"):
        if line.startswith(("cp ", "mkdir ")) or "run --once" in line:
            typed(line, folder, url)
    for line in lines_of(page):
        if line == "gateway run":
            assert_service_starts_and_stops(folder)
        elif line.startswith("gateway ") and "[" not in line and "simulator" not in line:
            typed(line, folder, url)


def assert_service_starts_and_stops(folder: Path) -> None:
    service = subprocess.Popen(["gateway", "run"], cwd=folder, env=ENVIRON, stderr=subprocess.PIPE, text=True)
    assert service.stderr is not None
    deadline = time.monotonic() + 60
    for line in service.stderr:
        if "started" in line or time.monotonic() > deadline:
            break
    service.send_signal(signal.SIGTERM)
    _, errors = service.communicate(timeout=60)
    assert service.returncode == 0, errors


def inline() -> list[tuple[str, str]]:
    """Every command named in running text, with its page."""
    return sorted({(p.name, command) for p in PAGES for command in _INLINE.findall(p.read_text())})


@pytest.mark.parametrize(("page", "command"), inline())
def test_every_command_named_in_a_page_exists_with_its_options(page: str, command: str) -> None:
    words = shlex.split(command.partition("#")[0].replace("…", ""))
    names = [w for w in words[1:] if re.fullmatch(r"[a-z]+", w)][:3]
    for depth in range(len(names), 0, -1):
        done = subprocess.run(["gateway", *names[:depth], "--help"], env=ENVIRON, capture_output=True, text=True)
        if done.returncode == 0:
            break
    assert done.returncode == 0, f"{page}: {command}"
    for option in (w for w in words if w.startswith("--")):
        assert option.partition("=")[0] in done.stdout, f"{page}: {command}: no option {option}"
