"""docs/sftp.md from top to bottom: every command shown is typed, in its order, on a machine with the real sshd."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.partners.conftest import MakeKey, missing
from tests.partners.connected import left_to_do
from tests.partners.machine import ROOT, Machine, Sshd

PAGE = ROOT / "docs" / "sftp.md"
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def lines() -> list[str]:
    text = "\n".join(_BLOCK.findall(PAGE.read_text()))
    return [line.partition("  #")[0].strip() for line in text.splitlines() if line.strip()]


@pytest.fixture
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine on which no partner is connected yet."""
    if why := missing():
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    with Machine(tmp_path_factory.mktemp("fresh")) as machine:
        yield machine


def test_every_command_of_the_page_runs_as_it_is_shown(fresh: Machine, make_key: MakeKey) -> None:
    old, new = make_key("acme"), make_key("acme-2027")
    for file in (old, new, old.with_suffix("")):
        shutil.copy(file, fresh.path("/srv") / file.name)
    fresh.path("/srv/invoice.xml").write_text("<a/>")
    printed = {}
    with Sshd(fresh) as sshd:
        for line in lines():
            if line.startswith("gateway "):
                printed[line] = typed_gateway(fresh, line, printed)
            elif line.startswith("systemctl reload"):
                sshd.reload()
            elif line.startswith("pgrep "):
                in_srv(fresh, f"{line} || test $? = 1")  # nobody is logged in
            elif line.startswith("sftp "):
                here = line.replace("@gateway.example", "@127.0.0.1").replace(
                    "sftp ", f"sftp -P {sshd.port} {QUIETLY} "
                )
                # The page's 192.0.2.0/24 is nobody's; what comes from the loopback is turned away by it.
                with pytest.raises(AssertionError, match="Permission denied"):
                    in_srv(fresh, here)
                keys = fresh.path("/etc/chorus-gateway/keys.d/acme-erp")
                keys.write_text(keys.read_text().replace("192.0.2.0/24", "127.0.0.0/8"))
                in_srv(fresh, here)
            else:
                printed[line] = in_srv(fresh, line)

    assert fresh.path("/srv/drop/acme-erp/in/invoice.xml").read_text() == "<a/>"
    added, shown_on_page = lines()[0], [line for line in lines()[1:] if not line.startswith("gateway")]
    uid = fresh.run("id", "-u", "chorus").strip()
    for command in left_to_do(printed[added]):
        if not command.startswith("#"):
            command = command.partition("  #")[0]
            assert command in [line.replace("$(id -u chorus)", uid) for line in shown_on_page]
    assert len(printed["gateway partner key list acme-erp"].splitlines()) == 2
    left = fresh.gateway("partner", "key", "list", "acme-erp").stdout
    assert new.read_text().split()[1][:20] in fresh.path("/etc/chorus-gateway/keys.d/acme-erp").read_text()
    assert len(left.splitlines()) == 1
    assert "left to do" not in printed["gateway partner show acme-erp"]


QUIETLY = "-F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes"


def typed_gateway(machine: Machine, line: str, printed: dict[str, str]) -> str:
    if "SHA256:OLD" in line:
        line = line.replace("SHA256:OLD", printed["gateway partner key list acme-erp"].split()[0])
    words = [f"/srv/{word}" if word.endswith(".pub") else word for word in shlex.split(line)[1:]]
    ran = machine.gateway(*words)
    assert ran.exit_code == 0, f"{line}\n{ran.stderr}"
    return ran.stdout


def in_srv(machine: Machine, line: str) -> str:
    return machine.run("bash", "-ec", f"cd /srv; {line}")


def test_the_page_does_not_lie_about_where_it_is_tested() -> None:
    assert Path(__file__).name in (ROOT / "tests" / "test_documents.py").read_text()
