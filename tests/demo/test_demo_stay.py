"""`gateway demo --stay`: the demo goes on, and a file pushed with the printed command is answered."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.demo.scene import ERP

GATEWAY = str(Path(sys.executable).parent / "gateway")
PATIENCE_S = 90.0


@dataclass
class Staying:
    folder: Path
    process: subprocess.Popen[str]
    command: list[str]

    def out(self) -> dict[str, str]:
        """The acknowledgements by name."""
        folder = self.folder / "partners" / ERP / "out"
        return {path.name: path.read_text("utf-8-sig") for path in folder.iterdir() if path.suffix == ".csv"}

    def sftp(self, batch: str) -> str:
        command = [self.command[0], "-b", "-", *self.command[1:]]
        return subprocess.run(command, input=batch, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.fixture
def staying(tmp_path: Path) -> Iterator[Staying]:
    """A demo whose play is over, and that goes on."""
    if shutil.which("sftp") is None:
        pytest.fail("sftp is not installed") if os.environ.get("CI") else pytest.skip("no sftp (OpenSSH's client)")
    folder = tmp_path / "demo"
    command = [GATEWAY, "demo", "--folder", str(folder), "--stay", "--speed", "1200"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said: list[str] = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("or drop them into"):
                break
        else:
            pytest.fail("".join(said))
        (printed,) = [line for line in said if line.startswith("  sftp -P")]
        yield Staying(folder, process, shlex.split(printed))
        process.kill()


def wait_for(staying: Staying, before: dict[str, str], *words: str) -> None:
    """Until a row of a new acknowledgement has all these words: the receipt of a file comes before its decision."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        new = [text for name, text in staying.out().items() if name not in before]
        if any(all(word in row for word in words) for text in new for row in text.splitlines()):
            return
        time.sleep(0.1)
    pytest.fail(f"nobody told of {words} in {PATIENCE_S:g} s")


def test_what_the_printed_command_pushes_is_judged_sent_and_followed(staying: Staying) -> None:
    before = staying.out()
    listed = staying.sftp(f"put {staying.folder}/to-try/* in/\nls out\n")

    assert "decision" in listed
    wait_for(staying, before, ";ej-missing.xml;", "CHORUS-EJ-MISSING")
    wait_for(staying, before, ";service-unknown.xml;", "CHORUS-SERVICE-UNKNOWN")
    wait_for(staying, before, "MISE_EN_PAIEMENT")

    staying.process.send_signal(signal.SIGINT)
    assert staying.process.wait(PATIENCE_S) == 0
