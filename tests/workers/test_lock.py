"""One gateway a state folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.lock import AlreadyRunning, single_instance

_HOLDER = """
import sys, time
from pathlib import Path
from gateway.lock import single_instance
with single_instance(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_gateway_is_refused_and_told_who_is_first(tmp_path):
    lock = tmp_path / "state" / "gateway.lock"
    holder = _holder(lock)
    with pytest.raises(AlreadyRunning, match=rf"process {holder.pid}\b"), single_instance(lock):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    with single_instance(lock):
        assert lock.read_text() == f"{os.getpid()}\n"


def test_the_lock_is_free_once_its_holder_leaves_whichever_way(tmp_path):
    lock = tmp_path / "gateway.lock"
    with pytest.raises(ZeroDivisionError), single_instance(lock):
        _ = 1 / 0
    with single_instance(lock), pytest.raises(AlreadyRunning), single_instance(lock):
        pass
    with single_instance(lock):
        pass


def test_what_the_holder_started_does_not_hold_the_lock_after_it(tmp_path):
    """Workers outlive a killed gateway for a moment: they must not keep its successor out."""
    lock = tmp_path / "gateway.lock"
    holder = _holder(
        lock, _HOLDER.replace("time.sleep", "import subprocess; subprocess.Popen(['sleep', '1']); time.sleep")
    )
    time.sleep(0.2)
    holder.kill()
    holder.wait()
    with single_instance(lock):
        pass
    holder.communicate()


def _holder(lock: Path, script: str = _HOLDER) -> subprocess.Popen[str]:
    root = Path(__file__).parents[2]
    process = subprocess.Popen([sys.executable, "-c", script, str(lock)], stdout=subprocess.PIPE, text=True, cwd=root)
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process
