"""A partner that is added while the gateway runs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from gateway.front import make_folders
from gateway.schedule import Service
from gateway.simulator import running_simulator
from tests.loop import loop_in
from tests.transports.sftp_server.conftest import Needs
from tests.transports.sshd import make_key


def test_a_partner_added_while_running_finds_its_folders(tmp_path: Path, needs: Needs) -> None:
    needs("ssh-keygen")
    public = make_key(tmp_path / "key").with_suffix(".pub")
    with running_simulator() as chorus, loop_in(tmp_path / "gateway", chorus, here=True) as loop:
        main = loop.folder / "gateway.toml"
        main.write_text(main.read_text("utf-8") + '\n[sftp_server]\nlisten = "127.0.0.1:0"\n', "utf-8")
        loop.restart()
        service = Service(loop.gateway)
        service.start()
        try:
            erp = (loop.folder / "partners.d" / "erp.toml").read_text("utf-8")
            added = erp.replace("erp", "added") + f'\n[login]\nkeys = "{public}"\n'
            (loop.folder / "partners.d" / "added.toml").write_text(added, "utf-8")
            service.run("configuration")
            root = loop.gateway.configuration.settings.partners["added"].root
            assert sorted(os.listdir(root)) == ["book", "in", "out"]
        finally:
            service.stop()


def test_a_folder_that_cannot_be_made_keeps_no_other_from_being_made(tmp_path: Path) -> None:
    with running_simulator() as chorus, loop_in(tmp_path / "gateway", chorus, here=True) as loop:
        settings = loop.gateway.configuration.settings
        first, second = (loop.folder / name for name in settings.partners)
        for folder in (first, second):
            shutil.rmtree(folder, ignore_errors=True)
        first.write_bytes(b"a file where a folder should be")

        make_folders(settings)

        assert sorted(os.listdir(second)) == ["book", "in", "out"]
