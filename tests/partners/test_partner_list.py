"""`gateway partner list` and `show` with partners of every kind, one of whose files is not ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from gateway.cli import app

LOGIN = """
[login]
keys = "../operator.keys"
"""
SERVER = """
[sftp]
host = "sftp.erp.example"
user = "chorus"
host_keys = ["SHA256:uNiVztksCsDhcc0u9e8BrWXi1Jc5nUyGGTKwqJoEuNg"]
agent = true
fetch_from = "/out"
deliver_to = "/acks"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration of four partners."""
    (tmp_path / "gateway.toml").write_text('[gateway]\nstate_dir = "state"\n')
    (tmp_path / "partners.d").mkdir()
    (tmp_path / "keys.d").mkdir()
    (tmp_path / "operator.keys").write_text("")
    for name, table in {"plain": "", "operator": LOGIN, "erp": SERVER, "odd": ""}.items():
        text = f'name = "{name}"\nroot = "{tmp_path}/drop/{name}"\n{table}'
        (tmp_path / "partners.d" / f"{name}.toml").write_text(text)
    (tmp_path / "keys.d" / "odd").write_text("ssh-ed25519 AAAA written by hand\n")
    return tmp_path


def said(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["partner", *arguments, "--config", str(folder)])


def test_a_key_file_that_is_not_ours_is_told_and_all_others_are_listed(folder: Path) -> None:
    result = said(folder, "list")

    assert result.stdout.splitlines() == [
        f"erp  {folder}/drop/erp  chorus@sftp.erp.example:22, files from /out, acks to /acks",
        f"odd  {folder}/drop/odd  -",
        f"operator  {folder}/drop/operator  login here operator (keys in {folder}/operator.keys)",
        f"plain  {folder}/drop/plain  -",
    ]
    assert result.exit_code == 2
    assert "keys.d/odd: not written by `gateway partner add`" in result.stderr


def test_programs_are_told_the_fault_beside_the_partner(folder: Path) -> None:
    told = {one["name"]: one for one in json.loads(said(folder, "list", "--json").stdout)}

    assert "not written by" in told["odd"]["fault"]
    assert [one["fault"] for name, one in told.items() if name != "odd"] == ["", "", ""]
    assert told["operator"]["login_here"].startswith("operator (")


def test_show_tells_of_every_way_in(folder: Path) -> None:
    assert f"login here     operator (keys in {folder}/operator.keys)" in said(folder, "show", "operator").stdout
    assert "its own server chorus@sftp.erp.example:22" in said(folder, "show", "erp").stdout
    odd = said(folder, "show", "odd")
    assert (odd.exit_code, "drops into" in odd.stdout) == (2, True)


def test_without_a_fault_the_exit_code_is_0(folder: Path) -> None:
    (folder / "keys.d" / "odd").unlink()

    assert said(folder, "list").exit_code == 0
