"""An intake killed before every operation in turn, each time from the same beginning, and taken over twice.

A forked child receives, and ends without a word before its n-th operation on the file system or the ledger: nothing
is cleaned up or rolled back by our code, as after SIGKILL. Then another process takes over, is itself killed
somewhere, and a third one ends the work. Every third operation in turn; GATEWAY_TEST_EVERY_CRASH=1 takes each.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable

from tests.steps.killing import killed_before
from tests.transports.intake import Intake


def killed_before_each(
    intake: Intake, receive: Callable[[Intake], None], check: Callable[[Intake, str], None], *, most_at_least: int
) -> None:
    """`check` what became of it each time. There must have been more than `most_at_least` operations."""
    seed = int(os.environ.get("GATEWAY_TEST_SEED", random.randrange(10**6)))
    print(f"seed {seed} (GATEWAY_TEST_SEED replays it)")
    dice = random.Random(seed)
    intake.receive.recover()
    intake.close()
    template = intake.folder.with_name("template")
    intake.folder.rename(template)
    stride = 1 if os.environ.get("GATEWAY_TEST_EVERY_CRASH") else 3
    n, ended = dice.randrange(stride) + 1 - stride, False
    while not ended:
        n += stride
        shutil.copytree(template, intake.folder, symlinks=True)
        intake.turn_back()
        intake.restart()
        ended = killed_before(n, intake, receive)
        if not ended:
            intake.restart()
            killed_before(dice.randrange(1, 40), intake, _recover)
        intake.restart()
        _recover(intake)
        receive(intake)
        check(intake, f"killed before operation {n}")
        intake.close()
        shutil.rmtree(intake.folder)
    assert n > most_at_least, "the operations were not counted"


def _recover(intake: Intake) -> None:
    intake.receive.recover()
