"""`gateway demo --stay`: when the play is over, platform and gateway go on, for files of one's own.

The gateway is started again on the same folder, as the service that it is in real life; its SFTP server waits for the
ERP, and some invoices that nobody has dropped yet lie ready to be tried.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from gateway.app import Gateway
from gateway.config import Configuration
from gateway.demo.bodies import COUNTY, TOWN
from gateway.demo.drive import PlatformClock
from gateway.demo.drops import Script
from gateway.demo.good import EJ
from gateway.demo.invoices import cii_invoice, facturx_pdf, ubl_invoice
from gateway.demo.scene import ERP, STATIONER, WORKSHOP, Scene, take_directory
from gateway.lock import single_instance
from gateway.schedule import Service
from gateway.simulator import Simulator
from gateway.stopping import StopSignals

_TO_TRY: Final = "to-try"


def stay(scene: Scene, script: Script, simulator: Simulator, speed: float) -> None:
    """Go on until told to stop. The platform's time, played so far, is the present now, and goes `speed` times."""
    stopping = StopSignals()
    simulator.advance(max(timedelta(0), datetime.now(UTC) - simulator.now()))
    simulator.go_on(speed)
    _write_invoices(scene, script)
    configuration = Configuration(scene.config, {})
    take_directory(scene, configuration.settings.snapshot, simulator.now())
    with single_instance(configuration.settings.lock_file):
        gateway = Gateway(configuration, PlatformClock(simulator))
        try:
            service = Service(gateway)
            service.start()
            _tell(scene, service, speed)
            stopping.wait()
            service.stop()
        finally:
            gateway.close()


def _write_invoices(scene: Scene, script: Script) -> None:
    folder = scene.folder / _TO_TRY
    folder.mkdir()
    for name, content in _invoices(script).items():
        (folder / name).write_bytes(content)


def _invoices(script: Script) -> Mapping[str, bytes]:
    return {
        "good.xml": ubl_invoice(script.invoice(STATIONER, TOWN, "VOIRIE")),
        "good-facturx.pdf": facturx_pdf(script.invoice(WORKSHOP, COUNTY, "", EJ)),
        "ej-missing.xml": ubl_invoice(script.invoice(WORKSHOP, COUNTY)),
        "service-unknown.xml": cii_invoice(script.invoice(STATIONER, TOWN, "VOIERIE")),
    }


def _tell(scene: Scene, service: Service, speed: float) -> None:
    assert service.front is not None, "the demo's configuration has a server"
    server = service.front.server
    known = scene.folder / "secrets" / "known_hosts"
    known.write_text("".join(f"[127.0.0.1]:{server.port} {key.public_line}\n" for key in server.host_keys), "ascii")
    command = shlex.join([
        "sftp", "-P", str(server.port), "-i", str(scene.erp_key), "-o", f"UserKnownHostsFile={known}",
        "-o", "IdentitiesOnly=yes", f"{ERP}@127.0.0.1",
    ])  # fmt: skip
    print(
        f"\nChorus Pro and the gateway go on until Ctrl-C; time there goes {speed:g} times as fast. As the ERP, push\n"
        f"files by SFTP:\n  {command}\n  sftp> put {scene.folder / _TO_TRY}/* in/\n  sftp> ls out\n"
        f"or drop them into {scene.inbox(ERP)}; the answers appear in {scene.outbox(ERP)}",
        flush=True,
    )
