"""What an operator sees of partners' own servers: `gateway status` and `gateway doctor`, as commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from tests.loop import ENVIRON
from tests.remotes.conftest import Remote


def gateway(there: Remote, *words: str) -> subprocess.CompletedProcess[str]:
    environ: Mapping[str, str] = {**os.environ, **ENVIRON, "GATEWAY_CONFIG": str(there.loop.folder)}
    return subprocess.run(
        [sys.executable, "-m", "gateway", *words], env=environ, text=True, capture_output=True, timeout=120
    )


def found(there: Remote) -> tuple[int, list[dict[str, Any]]]:
    done = gateway(there, "doctor", "--json")
    return done.returncode, json.loads(done.stdout)


def test_a_server_that_answers_is_well(remote):
    there = remote()
    there.look()

    code, examined = found(there)

    assert code == 0, examined
    assert {each["health"] for each in examined} == {"ok"}
    assert sum("can be looked into" in each["what"] for each in examined) == 2
    assert "server of erp: up" in gateway(there, "status").stdout


def test_a_server_that_changed_its_key_is_ill_with_both_fingerprints_and_a_remedy(remote, server):
    there = remote()
    other = "SHA256:" + "A" * 43
    partner = there.loop.folder / "partners.d" / "erp.toml"
    partner.write_text(partner.read_text().replace(server.host_fingerprint, other))
    there.loop.restart()
    there.quick().look()

    code, examined = found(there)

    (ill,) = [each for each in examined if each["health"] == "ill"]
    assert code == 1
    assert other in ill["what"] + ill["remedy"]
    assert server.host_fingerprint in ill["what"] + ill["remedy"]
    assert ill["remedy"]
    status = gateway(there, "status").stdout
    assert "server of erp: down since" in status
    assert json.loads(gateway(there, "status", "--json").stdout)["servers"]["erp"]["state"] == "down"


def test_folders_and_disk_are_looked_at(remote):
    there = remote()
    main = there.loop.folder / "gateway.toml"
    main.write_text(main.read_text().replace('free_bytes = "1 MB"', 'free_bytes = "900000 GB"'))

    code, examined = found(there)

    assert code == 1
    assert [each["what"].partition(" free under")[2] != "" for each in examined if each["health"] == "ill"] == [True]
