"""The commands as people and schedulers call them: real processes, their exit codes, and what they print where."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from gateway.cli import app
from gateway.config import Configuration
from gateway.refresh import refresh_buyers
from gateway.simulator import Simulator, running_simulator
from tests.loop import BUYERS, ENVIRON, SUPPLIER, drop, write_configuration
from tests.simulator.paper import DEMANDS_EJ, DEMANDS_NOTHING, Paper, zipped

ROOT = Path(__file__).parents[1]
GOOD, REFUSED = Paper(number="F-1"), Paper(number="R-1", buyer=DEMANDS_EJ)


def environment() -> dict[str, str]:
    return {**os.environ, **ENVIRON, "PYTHONPATH": str(ROOT)}


def gateway(folder: Path, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run one command in the folder of its configuration."""
    command = [sys.executable, "-m", "gateway", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=timeout, check=False
    )


def command(folder: Path, *arguments: str) -> Result:
    """The same within this process, for the commands that need none of their own."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        return CliRunner().invoke(app, arguments, env=ENVIRON)
    finally:
        os.chdir(before)


def until(condition: Callable[[], object], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with running_simulator(clock="real", flow_delay_s=0.3, status_delay_s=0.1) as chorus:
        yield chorus


@pytest.fixture(scope="module")
def configured(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    def make() -> Path:
        folder = tmp_path_factory.mktemp("gateway")
        config = write_configuration(folder, simulator, sending='wait = "0s"')
        refresh_buyers(Configuration(config, ENVIRON), BUYERS)
        return folder

    return make


@pytest.fixture(scope="module")
def night(configured: Callable[[], Path]) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A folder after one nightly run."""
    folder = configured()
    drop(folder / "erp" / "in", "good.xml", GOOD.ubl())
    drop(folder / "erp" / "in", "bad.xml", REFUSED.ubl())
    return folder, gateway(folder, "run", "--once", "--until", "integrated", "--max-wait", "30s")


# --- run --once ---------------------------------------------------------------------------------------------------


def test_a_night_ends_with_0_refused_documents_or_not_and_prints_nothing_on_stdout(
    night: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, ran = night
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == ""
    assert "2 files received" in ran.stderr
    assert list((folder / "erp" / "out").glob("erp_decision_*.csv"))


def test_fail_on_refused_ends_with_1(configured: Callable[[], Path]) -> None:
    folder = configured()
    drop(folder / "erp" / "in", "bad.xml", REFUSED.ubl())
    ran = gateway(folder, "run", "--once", "--until", "acked", "--fail-on", "refused")
    assert ran.returncode == 1, ran.stderr


def test_a_wrong_configuration_or_use_ends_with_2_and_says_every_fault(configured: Callable[[], Path]) -> None:
    folder = configured()
    (folder / "gateway.toml").write_text((folder / "gateway.toml").read_text().replace('quiet = "100ms"', "quiet = 5"))
    (folder / "partners.d" / "erp.toml").write_text('name = "ERP!"\n')
    ran = gateway(folder, "run", "--once")
    assert ran.returncode == 2
    assert "quiet" in ran.stderr and "erp.toml" in ran.stderr
    assert ran.stdout == ""
    for wrong in (("--once", "--max-wait", "soon"), ("--nonsense",), ("--config", "none.toml")):
        assert command(folder, "run", *wrong).exit_code == 2


def test_a_platform_out_of_reach_ends_with_4_and_says_why(configured: Callable[[], Path]) -> None:
    folder = configured()
    config = folder / "gateway.toml"
    lines = [
        line.replace(line.split('"')[1], "http://127.0.0.1:9") if line.startswith(("token_url", "api_url")) else line
        for line in config.read_text().splitlines()
    ]
    config.write_text("\n".join(lines))
    drop(folder / "erp" / "in", "good.xml", GOOD.ubl())
    ran = gateway(folder, "run", "--once", "--until", "deposited", "--max-wait", "2s")
    assert ran.returncode == 4, ran.stderr
    assert "is out of reach: the connection was refused" in ran.stderr
    assert "0 flows deposited" in ran.stderr
    assert "Traceback" not in ran.stderr


# --- run ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def service(configured: Callable[[], Path]) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    folder = configured()
    config = folder / "gateway.toml"
    config.write_text(config.read_text().replace('log_level = "error"', 'log_level = "info"'))
    log = (folder / "log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", "run"], cwd=folder, env=environment(), stdout=log, stderr=log, text=True
    )
    try:
        assert until(lambda: "started" in (folder / "log").read_text()), (folder / "log").read_text()
        yield folder, process
    finally:
        process.kill()
        process.wait()
        log.close()


def told(folder: Path, partner: str, text: str) -> bool:
    return any(text in path.read_text("utf-8") for path in (folder / partner / "out").glob("[!.]*"))


def test_the_service_takes_sends_tells_learns_of_new_partners_is_alone_and_stops(
    service: tuple[Path, subprocess.Popen[str]], simulator: Simulator
) -> None:
    folder, process = service
    drop(folder / "erp" / "in", "a.xml", Paper(number="SVC-1").ubl())
    assert until(lambda: told(folder, "erp", "SVC-1")), (folder / "log").read_text()
    assert until(lambda: any(i["number"] == "SVC-1" for i in simulator.invoices()))

    second = gateway(folder, "run")
    assert second.returncode == 2
    assert f"process {process.pid}" in second.stderr

    partners = folder / "partners.d"
    (partners / "new.toml").write_text((partners / "erp.toml").read_text().replace("erp", "new"))
    issuer = folder / "issuers.d" / f"{SUPPLIER}.toml"
    issuer.write_text(issuer.read_text().replace('"erp", "edi"', '"erp", "edi", "new"'))
    assert until((folder / "new" / "in").is_dir)
    drop(folder / "new" / "in", "b.xml", Paper(number="SVC-2").ubl())
    assert until(lambda: told(folder, "new", "SVC-2")), (folder / "log").read_text()
    (partners / "broken.toml").write_text("name = ")
    assert until(lambda: "configuration_not_reloaded" in (folder / "log").read_text())

    drop(folder / "erp" / "in", "c.xml", Paper(number="SVC-3").ubl())
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
    log = (folder / "log").read_text()
    assert "Traceback" not in log and "stopped" in log
    (partners / "broken.toml").unlink()
    stands = json.loads(command(folder, "status", "--json").stdout)
    assert "intended" not in stands["flows"]


# --- status, show -------------------------------------------------------------------------------------------------


def test_status_counts_by_partner(night: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, _ = night
    ran = command(folder, "status", "--json")
    stands = json.loads(ran.stdout)
    assert ran.exit_code == 0
    assert set(stands) >= {"partners", "flows", "acks_owed", "jobs"}
    assert stands["partners"]["erp"] == {"interchanges": {"opened": 2}, "documents": {"live": 1, "refused": 1}}
    assert stands["flows"] == {"integrated": 1}
    people = command(folder, "status")
    assert "erp" in people.stdout and "1 live" in people.stdout


def test_show_finds_a_file_by_number_name_hash_and_ids_and_tells_its_whole_story(
    night: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, _ = night
    story = json.loads(command(folder, "show", "F-1", "--json").stdout)
    assert set(story) >= {"file", "documents", "acks", "audit"}
    (document,) = story["documents"]
    assert (document["state"], document["flow"]["state"]) == ("live", "integrated")
    assert {ack["event"] for ack in story["acks"]} == {"received", "deposited"}
    assert all(ack["state"] == "written" and ack["file"] for ack in story["acks"])
    moves = [line["what"] for line in story["audit"] if line["subject"] == document["id"]]
    assert moves[0] == "opened" and moves[-1] == "sent>live"

    for wanted in ("good.xml", story["file"]["sha256"], story["file"]["id"], document["id"], document["flow"]["id"]):
        assert "good.xml" in command(folder, "show", wanted).stdout
    refused = command(folder, "show", "R-1").stdout
    assert "exige un numéro d'engagement juridique" in refused and "→" in refused
    assert "demands a commitment number" in command(folder, "show", "R-1", "--language", "en").stdout
    nothing = command(folder, "show", "NONE")
    assert (nothing.exit_code, nothing.stdout) == (1, "")
    assert "NONE" in nothing.stderr


# --- validate -----------------------------------------------------------------------------------------------------

KEYS = {"path", "document", "kind", "profile", "route", "decision", "packs", "findings"}
FINDING_KEYS = {"layer", "pack", "rule", "severity", "term", "location", "message", "remedy"}
PACK_KEYS = {"name", "version", "sha256", "verdict", "ms"}


def test_validate_gives_an_object_a_line_for_every_path_whatever_it_is(
    tmp_path: Path, night: tuple[Path, subprocess.CompletedProcess[str]]
) -> None:
    config = str(night[0] / "gateway.toml")
    files = {
        "good.xml": GOOD.ubl(),
        "bad.xml": REFUSED.ubl(),
        "two.zip": zipped([("one.xml", GOOD.ubl()), ("two.xml", GOOD.cii())]),
        "empty": b"",
        "noise.bin": bytes(range(256)),
        "cut.xml": GOOD.ubl()[:300],
        "x.pdf": GOOD.facturx(),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    ran = command(tmp_path, "validate", ".", "--json", "--config", config, "--partner", "erp", "--processes", "1")

    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert {Path(line["path"].partition("!")[0]).name for line in lines} == {*files, "dangling", "pipe"}
    for line in lines:
        assert set(line) == KEYS
        assert all(set(finding) >= FINDING_KEYS for finding in line["findings"])
        assert all(set(pack) >= PACK_KEYS for pack in line["packs"])
    by = {line["path"]: line for line in lines}
    assert by["good.xml"]["decision"] == "send"
    assert [f["rule"] for f in by["bad.xml"]["findings"] if f["severity"] == "fatal"] == ["CHORUS-EJ-MISSING"]
    assert [by[f"two.zip!{name}"]["kind"] for name in ("one.xml", "two.xml")] == ["ubl-invoice", "cii"]
    assert "Traceback" not in ran.stderr


def test_validate_tells_by_its_exit_code(tmp_path: Path, night: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    config = str(night[0] / "gateway.toml")
    (tmp_path / "good.xml").write_bytes(GOOD.ubl())
    (tmp_path / "bad.xml").write_bytes(REFUSED.ubl())
    known = ("--config", config, "--partner", "erp", "--processes", "1")
    assert command(tmp_path, "validate", "good.xml", *known).exit_code == 0
    assert command(tmp_path, "validate", "good.xml", "bad.xml", *known).exit_code == 1
    assert command(tmp_path, "validate", "good.xml").exit_code == 0  # without a directory: facts missing
    assert command(tmp_path, "validate", "good.xml", "--strict").exit_code == 3
    for wrong in (("nowhere.xml",), ("good.xml", "--pack", "nonsense"), ("good.xml", "--date", "soon"), ()):
        ran = command(tmp_path, "validate", *wrong)
        assert (ran.exit_code, ran.stdout) == (2, ""), (wrong, ran.stderr)


# --- the smaller commands -----------------------------------------------------------------------------------------


def test_config_check_and_schema(configured: Callable[[], Path]) -> None:
    folder = configured()
    right = command(folder, "config", "check")
    assert right.exit_code == 0, right.stdout
    (folder / "issuers.d" / f"{SUPPLIER}.toml").write_text('siret = "1"\n')
    wrong = command(folder, "config", "check")
    assert wrong.exit_code == 2
    assert f"{SUPPLIER}.toml" in wrong.stdout
    schema = command(folder, "config", "schema")
    assert isinstance(json.loads(schema.stdout), dict)


def test_rules_are_listed_and_shown(tmp_path: Path) -> None:
    listed = command(tmp_path, "rules", "list")
    assert "CHORUS-EJ-MISSING" in listed.stdout
    assert "BT-13" in command(tmp_path, "rules", "show", "CHORUS-EJ-MISSING").stdout
    unknown = command(tmp_path, "rules", "show", "NONE")
    assert (unknown.exit_code, unknown.stdout) == (1, "")


def test_buyers_are_imported_shown_and_refreshed(configured: Callable[[], Path], simulator: Simulator) -> None:
    folder = configured()
    shown = command(folder, "buyers", "show", DEMANDS_EJ)
    assert json.loads(shown.stdout)["ej_mandatory"] is True
    assert command(folder, "buyers", "show", "99999999999999").exit_code == 1
    refreshed = command(folder, "buyers", "refresh", DEMANDS_NOTHING)
    assert (refreshed.exit_code, refreshed.stdout) == (0, "7 bodies, 10 services\n")
    assert command(folder, "buyers", "import", "nowhere.jsonl").exit_code == 2
    simulator.issue_tokens(False)
    simulator.expire_tokens()
    try:
        unreachable = command(folder, "buyers", "refresh", DEMANDS_NOTHING)
    finally:
        simulator.issue_tokens(True)
    assert unreachable.exit_code == 4
    assert "Traceback" not in unreachable.stderr


def test_an_import_that_fails_changes_nothing_and_says_what_to_do(configured: Callable[[], Path]) -> None:
    folder = configured()
    (folder / "none.jsonl").write_text("")
    (folder / "wrong.jsonl").write_text('{"siret": "1"}\n')
    for name, code, says in (
        ("none.jsonl", 2, "nothing was changed. If the file is complete: --force"),
        ("wrong.jsonl", 2, "wrong.jsonl: line 1: siret: 14 digits were expected, not '1'; nothing was changed"),
        ("nowhere.jsonl", 2, "nowhere.jsonl: No such file or directory"),
        (".", 2, "Is a directory"),
    ):
        failed = command(folder, "buyers", "import", name)
        assert (failed.exit_code, says in failed.stderr) == (code, True), failed.stderr
    assert json.loads(command(folder, "buyers", "show", DEMANDS_EJ).stdout)["ej_mandatory"] is True


def test_issuers_check_names_what_is_wrong(configured: Callable[[], Path]) -> None:
    folder = configured()
    works = command(folder, "issuers", "check")
    assert works.exit_code == 0
    assert works.stdout.count("works") == 3
    assert command(folder, "issuers", "check", "12345678200028").exit_code == 2
    config = folder / "gateway.toml"
    config.write_text(config.read_text().replace("ACCOUNT_2", "CLIENT_SECRET"))
    wrong = command(folder, "issuers", "check")
    assert wrong.exit_code == 4
    assert wrong.stdout.count("works") == 2
    assert "technical account" in wrong.stdout
    assert "simulator-secret" not in wrong.stdout + wrong.stderr
