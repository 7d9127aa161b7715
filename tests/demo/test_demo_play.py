"""The whole demo by the command, two at once: real processes, real folders, and a folder that other commands read."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.demo.scene import ERP, OPERATOR
from gateway.domain.ack import CORE_COLUMNS

GATEWAY = str(Path(sys.executable).parent / "gateway")


@dataclass(frozen=True)
class Played:
    folder: Path
    code: int
    out: str
    err: str

    def acks(self, partner: str) -> list[Path]:
        return sorted((self.folder / "partners" / partner / "out").iterdir())

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        config = self.folder / "config" / "gateway.toml"
        command = [GATEWAY, *arguments, "--config", str(config)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env={})


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[Played]:
    """Two demos at the same time: one in a folder of our choice, one in a temporary folder that it does not keep."""
    chosen, temporary = tmp_path_factory.mktemp("demo") / "a folder", tmp_path_factory.mktemp("tmp")
    folders = [chosen, temporary]
    running = [
        subprocess.Popen(
            [GATEWAY, "demo", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(temporary)},
        )
        for options in (("--folder", str(chosen)), ("--no-keep",))
    ]
    told = [process.communicate(timeout=180) for process in running]
    return [
        Played(folder, process.returncode, out, err)
        for folder, process, (out, err) in zip(folders, running, told, strict=True)
    ]


@pytest.fixture(scope="module")
def played(both: list[Played]) -> Played:
    return both[0]


def test_everything_ends_as_foreseen_even_with_two_at_once(both: list[Played]) -> None:
    for one in both:
        assert one.code == 0, one.out[-3000:] + one.err[-3000:]
        assert "Everything ended as foreseen." in one.out
        assert "NOT AS FORESEEN" not in one.out


def test_a_folder_that_is_not_to_be_kept_is_gone(both: list[Played]) -> None:
    assert list(both[1].folder.iterdir()) == []
    assert "Look further" not in both[1].out


def test_nothing_but_the_result_is_said_in_a_pipe(played: Played) -> None:
    assert played.err == ""
    assert "\x1b" not in played.out
    table = played.out.split("Acknowledgements", maxsplit=1)[0]
    assert max(len(line) for line in table.splitlines()) <= 100


def test_one_refusal_is_told_in_full_french(played: Played) -> None:
    out = " ".join(played.out.split())
    assert "exige un numéro d'engagement juridique (EJ) ; la facture n'en porte pas." in out
    assert "→ Reportez en BT-13 le numéro imprimé sur le bon de commande" in out


def test_the_erp_reads_its_csv(played: Played) -> None:
    rows = 0
    for path in played.acks(ERP):
        content = path.read_text(encoding="utf-8-sig")
        table = list(csv.DictReader(content.splitlines(), delimiter=";"))
        assert table
        if not path.name.endswith(".findings.csv"):
            assert tuple(table[0]) == CORE_COLUMNS
            assert {row["ack_seq"] for row in table} == {str(int(re.findall(r"_(\d{8})_", path.name)[0]))}
            rows += len(table)
    assert rows > 100


def test_the_operator_reads_its_json_lines(played: Played) -> None:
    for path in played.acks(OPERATOR):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert set(CORE_COLUMNS) <= set(json.loads(line))


@pytest.mark.parametrize("partner", [ERP, OPERATOR])
def test_the_sequences_have_no_gap(played: Played, partner: str) -> None:
    seen: dict[str, set[int]] = defaultdict(set)
    for path in played.acks(partner):
        level, seq = re.findall(r"[_.](receipt|decision|lifecycle)[_.](\d{8})[_.]", path.name)[0]
        seen[level].add(int(seq))
    assert set(seen) == {"receipt", "decision", "lifecycle"}
    for numbers in seen.values():
        assert numbers == set(range(1, max(numbers) + 1))


def test_no_thing_is_told_twice(played: Played) -> None:
    ids = [
        row["ack_id"]
        for path in played.acks(ERP)
        if not path.name.endswith(".findings.csv")
        for row in csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines(), delimiter=";")
    ]
    assert len(ids) == len(set(ids))


def test_the_hostile_files_reached_nothing(played: Played) -> None:
    assert not list(played.folder.rglob("pirate.toml"))
    everything = "".join(path.read_text("utf-8") for path in played.acks(OPERATOR))
    assert "root:" not in everything


def test_the_folder_can_be_looked_into_afterwards_without_any_environment(played: Played) -> None:
    shown = played.run("show", "a-corriger.xml", "--json")
    assert shown.returncode == 0, shown.stderr
    assert '"paid"' in shown.stdout
    assert '"CHORUS-EJ-MISSING"' in shown.stdout
    assert played.run("status").returncode == 0
    assert played.run("config", "check").returncode == 0


def test_no_secret_is_printed_or_logged(played: Played) -> None:
    said = played.out + played.err + (played.folder / "gateway.log").read_text("utf-8")
    for path in (played.folder / "secrets").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.read_text("ascii").strip() not in said


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", "utf-8")

    done = subprocess.run([GATEWAY, "demo", "--folder", str(tmp_path)], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_old_locale_is_no_reason_to_fail(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1", "TMPDIR": str(tmp_path)}

    done = subprocess.run([GATEWAY, "demo", "--no-keep"], capture_output=True, check=False, env=environment)

    assert done.returncode == 0, done.stderr
    assert "n'en porte pas" in done.stdout.decode("latin-1")
