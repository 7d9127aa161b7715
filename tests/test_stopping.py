"""A signal may come between any two instructions of the wait for it, and to any thread: each is tried."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: Sends the process its signal at the nth step of the wait, for each n until the wait has no nth step.
_AT_EVERY_STEP = """
import os, signal, sys, threading
from gateway.stopping import StopSignals

def main():
    step = 0
    while True:
        told, steps, sent = StopSignals(), 0, False
        def tracer(frame, event, arg):
            nonlocal steps, sent
            frame.f_trace_opcodes = True
            if event == "opcode" and not sent:
                steps += 1
                if steps > step:
                    sent = True
                    os.kill(os.getpid(), signal.SIGTERM)
            return tracer
        late = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM))
        late.start()
        sys.settrace(tracer)
        told.wait()
        sys.settrace(None)
        late.cancel()
        if not sent:
            return print("steps", step)
        late.join()
        step += 1

main()
"""


def test_a_signal_is_heard_at_every_step_of_the_wait() -> None:
    try:
        done = subprocess.run([sys.executable, "-c", _AT_EVERY_STEP], capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        pytest.fail("told to stop in the middle of the wait, it waits for ever")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) > 0, "no step was tried"


#: The signal reaches a thread other than the one that waits, which is not woken by it.
_TO_ANOTHER_THREAD = """
import os, signal, threading, time
from gateway.stopping import StopSignals

told = StopSignals()
asleep = threading.Event()

def send():
    asleep.wait()
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=send, daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
asleep.set()
told.wait()
print("told")
"""


def test_a_signal_that_reaches_another_thread_is_heard() -> None:
    """Found by a service that was told to stop just before it went to sleep, and slept on."""
    try:
        done = subprocess.run([sys.executable, "-c", _TO_ANOTHER_THREAD], capture_output=True, text=True, timeout=20)
    except subprocess.TimeoutExpired:
        pytest.fail("the signal came to another thread, and the one that waits sleeps on")
    assert done.stdout == "told\n", done.stderr
