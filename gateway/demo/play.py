"""`gateway demo`: sets the scene, starts the platform and the gateway, drops the files, and tells what became of them.

Everything happens in one folder and on the loopback interface. Exit code 0 only if every file ended as foreseen. With
`--stay` both go on when all is told (`stay.py`).
"""

from __future__ import annotations

import logging
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from rich.console import Console

from gateway.app import Gateway
from gateway.config import Configuration
from gateway.demo.audit import complaints, counts
from gateway.demo.drive import Drive, PlatformClock, complete
from gateway.demo.drops import How, Script
from gateway.demo.files import write_script
from gateway.demo.outcome import Result, results
from gateway.demo.pushing import make_key, pushing
from gateway.demo.scene import Scene, set_scene, take_directory, write_configuration
from gateway.demo.shown import show
from gateway.demo.stay import stay
from gateway.lock import single_instance
from gateway.simulator import Simulator, running_simulator

_AS_FORESEEN, _OTHERWISE, _WRONG_USE = 0, 1, 2
#: The played hours end before the real present, so that no date in the ledger lies in the future.
_BEFORE_NOW: Final = timedelta(days=2)


def play(folder: Path | None, *, keep: bool, stay_speed: float = 0.0) -> int:
    """Play the demo in `folder`, which must be new or empty; in a temporary one where None.

    `stay_speed`: how fast time passes when the play is over, until told to stop; 0: the end is the end.
    """
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="gateway-demo-"))
    else:
        folder = folder.absolute()
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            print(f"gateway: {folder} is not empty; the demo wants a folder of its own", file=sys.stderr)
            return _WRONG_USE
    try:
        return _play(folder, keep, stay_speed)
    finally:
        if not keep:
            shutil.rmtree(folder)


def _play(folder: Path, keep: bool, stay_speed: float) -> int:
    started = time.monotonic()
    start = datetime.now(UTC).replace(microsecond=0) - _BEFORE_NOW
    script = write_script(start.date())
    scene = set_scene(folder, kept=keep)
    with (
        _quiet_logs(scene.log),
        running_simulator(seed=scene.seed(), scenario=script.scenario(), start=start) as simulator,
    ):
        with _progress() as say:
            say("starting")
            write_configuration(scene, simulator.url, simulator.token_url)
            make_key(scene)
            told, lost_answer = _through(scene, script, simulator, say)
        sent = counts(simulator.deposits())
        wrong = list(complaints(told, sent, scene, lost_answer=lost_answer))
        show(told, sent, wrong, scene, time.monotonic() - started, stays=bool(stay_speed))
        if stay_speed:
            stay(scene, script, simulator, stay_speed)
    return _OTHERWISE if wrong else _AS_FORESEEN


def _through(
    scene: Scene, script: Script, simulator: Simulator, say: Callable[[str], None]
) -> tuple[list[Result], bool]:
    """Both drops, driven to their ends; and whether the lost answer was noticed."""
    configuration = Configuration(scene.config, {})
    settings = configuration.settings
    take_directory(scene, settings.snapshot, simulator.now())
    with single_instance(settings.lock_file):
        gateway = Gateway(configuration, PlatformClock(simulator))
        try:
            with pushing(gateway, scene) as erp:
                drive = Drive(gateway, simulator, scene, erp, say)
                simulator.fault("lost", "deposer/flux")
                drive.night(file for file in script.files if not file.second)
                drive.days()
                for file in script.files:
                    if file.how is How.COMPLETED:
                        complete(scene, file)
                drive.night(file for file in script.files if file.second)
                drive.days()
                drive.give_up_on_the_cut_one()
            return results(gateway.ledger, scene, script.files), drive.saw_a_lost_answer
        finally:
            gateway.close()


@contextmanager
def _quiet_logs(path: Path) -> Iterator[None]:
    """Logs into a file of the folder: on the terminal they would bury what the demo has to tell."""
    former = structlog.get_config()
    with path.open("a", encoding="utf-8") as file:
        structlog.configure(
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
            logger_factory=structlog.WriteLoggerFactory(file),
            cache_logger_on_first_use=False,
        )
        others = logging.StreamHandler(file)
        logging.getLogger().addHandler(others)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(others)
            structlog.configure(**former)


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """A line on a terminal that says what is going on; nothing anywhere else."""
    if not sys.stderr.isatty():
        yield lambda text: None
        return
    with Console(stderr=True).status("") as line:
        yield line.update
