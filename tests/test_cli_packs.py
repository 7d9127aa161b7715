"""`gateway packs`, and `gateway validate` with the reference engine and with packs of one's own."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from gateway.cli import app
from gateway.domain.document import Kind
from gateway.rules.spec import digest_of, packs_file, read_specs

ROOT = Path(__file__).parents[1]
SPECS = {spec.name: spec for spec in read_specs(packs_file())}
SHEET = SPECS["br-fr-ubl"].folder / SPECS["br-fr-ubl"].roots[Kind.UBL_INVOICE]
INVOICE = ROOT / "config" / "quickstart" / "invoices" / "FA-2026-0001.xml"
NEEDS_REFERENCE = pytest.mark.skipif(importlib.util.find_spec("saxonche") is None, reason="saxonche is not installed")

ENTRY = """
[[pack]]
name = "{name}"
layer = "br-fr"
engine = "rulebook"
version = "9"
source = "test"
licence = "test"
folder = "."
files = ["*.xslt"]
roots = {{ ubl-invoice = "{sheet}" }}
covers = [{{ kinds = ["ubl-invoice"] }}]
sha256 = "{sha256}"
valid_from = 2026-01-01
"""


def gateway(*arguments: str) -> Result:
    environ = {name: value for name, value in os.environ.items() if name != "GATEWAY_CONFIG"}
    return CliRunner().invoke(app, arguments, env=environ)


def own_pack(folder: Path, name: str = "ours", sha256: str = "", edit: tuple[str, str] = ("", "")) -> Path:
    """A folder with a packs.toml and one sheet."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sheet.xslt").write_text(SHEET.read_text("utf-8").replace(*edit), "utf-8")
    digest = sha256 or digest_of(folder, ("*.xslt",))
    (folder / "packs.toml").write_text(ENTRY.format(name=name, sheet="sheet.xslt", sha256=digest))
    return folder


def listed(*arguments: str) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads(gateway("packs", "list", "--json", *arguments).stdout)
    return told


# --- list ---------------------------------------------------------------------------------------------------------


def test_every_pack_is_listed_with_its_rules_and_untouched_files() -> None:
    told = {(pack["name"], pack["version"]): pack for pack in listed("--date", "2026-11-23")}

    assert told["en16931-ubl", "1.3.16"]["rules"] == 979
    assert told["facturx-extended-rules", "1.09.2"]["rules"] == 1464
    assert told["xsd", "UBL 2.1"]["rules"] is None
    assert {pack["files"] for pack in told.values()} == {"untouched"}
    assert all(pack["valid"] and pack["licence"] and pack["source"] for pack in told.values())


@pytest.mark.parametrize(
    ("day", "mode"), [("2026-09-30", "at most warning"), ("2026-10-01", "as flagged"), ("2026-11-23", "as flagged")]
)
def test_the_mode_is_that_of_the_day(day: str, mode: str) -> None:
    modes = {pack["name"]: pack["mode"] for pack in listed("--date", day)}

    assert {modes[name] for name in ("br-fr-ubl", "br-fr-cii", "extended-ctc-fr-ubl", "extended-ctc-fr-cii")} == {mode}
    assert modes["en16931-ubl"] == "as flagged"


def test_a_pack_is_not_valid_before_its_first_day() -> None:
    assert not next(pack for pack in listed("--date", "2026-08-31") if pack["name"] == "facturx-basic-rules")["valid"]


def test_the_list_for_people_names_every_pack_and_ends_with_0() -> None:
    ran = gateway("packs", "list")

    assert ran.exit_code == 0
    assert all(name in ran.stdout for name in SPECS)


def configured(folder: Path, packs: Path) -> str:
    """A configuration with a folder of packs."""
    shutil.copytree(ROOT / "config" / "quickstart", folder / "my")
    main = folder / "my" / "gateway.toml"
    main.write_text(f"{main.read_text()}\n[rules]\npacks = [{json.dumps(str(packs))}]\n")
    return str(main)


def with_secrets(*arguments: str) -> Result:
    secrets = {"PISTE_CLIENT_ID": "a", "PISTE_CLIENT_SECRET": "b", "CHORUS_PASSWORD": "c"}
    return CliRunner().invoke(app, arguments, env=secrets)


def test_an_altered_pack_of_ones_own_is_listed_as_such_and_ends_with_1(tmp_path: Path) -> None:
    config = configured(tmp_path, own_pack(tmp_path / "packs", sha256="0" * 64))

    ran = with_secrets("packs", "list", "--json", "--config", config)

    assert ran.exit_code == 1, ran.stderr
    assert {pack["name"]: pack["files"] for pack in json.loads(ran.stdout)}["ours"] == "altered"


def test_a_pack_of_ones_own_judges_when_the_configuration_names_its_folder(tmp_path: Path) -> None:
    config = configured(tmp_path, own_pack(tmp_path / "packs"))

    ran = with_secrets("validate", str(INVOICE), "--json", "--processes", "1", "--config", config, "--pack", "ours")

    assert [(pack["name"], pack["verdict"]) for pack in json.loads(ran.stdout)["packs"]] == [("ours", "invalid")]


@pytest.mark.parametrize(("folder", "why"), [("nowhere", "none"), ("empty", "pack"), ("chorus", "pack chorus")])
def test_a_configured_folder_that_cannot_be_used_is_a_fault(tmp_path: Path, folder: str, why: str) -> None:
    own_pack(tmp_path / "chorus", name="chorus")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "packs.toml").write_text("")
    config = configured(tmp_path, tmp_path / folder)

    ran = with_secrets("config", "check", "--config", config)

    assert ran.exit_code == 2
    assert "rules.packs" in ran.stdout
    assert why in ran.stdout


def test_a_folder_of_packs_within_a_senders_folder_is_a_fault(tmp_path: Path) -> None:
    sender = tmp_path / "my" / "drop" / "my-erp"
    config = configured(tmp_path, sender / "in" / "packs")
    own_pack(sender / "in" / "packs")

    ran = with_secrets("config", "check", "--config", config)

    assert ran.exit_code == 2
    assert "a folder of rules.packs" in ran.stdout


def test_two_folders_that_would_judge_the_same_documents_from_one_day_on_are_told(tmp_path: Path) -> None:
    config = configured(tmp_path, own_pack(tmp_path / "one"))
    main = Path(config)
    own_pack(tmp_path / "two")
    main.write_text(main.read_text().replace('/one"]', f'/one", {json.dumps(str(tmp_path / "two"))}]'))

    ran = with_secrets("packs", "list", "--config", config)

    assert (ran.exit_code, ran.stdout) == (2, "")
    assert "ours stands twice with valid_from 2026-01-01" in ran.stderr
    assert str(tmp_path / "one" / "packs.toml") in ran.stderr
    assert str(tmp_path / "two" / "packs.toml") in ran.stderr


@pytest.mark.parametrize("wrong", [("--date", "soon"), ("--config", "nowhere.toml")])
def test_wrong_use_of_list_ends_with_2(wrong: tuple[str, str]) -> None:
    ran = gateway("packs", "list", *wrong)

    assert (ran.exit_code, ran.stdout) == (2, "")


# --- add ----------------------------------------------------------------------------------------------------------


def test_a_folder_whose_packs_load_is_told_with_the_line_for_the_configuration(tmp_path: Path) -> None:
    folder = own_pack(tmp_path / "my packs")

    ran = gateway("packs", "add", str(folder))

    assert ran.exit_code == 0, ran.stderr
    assert "ours 9: loads, 175 rules" in ran.stdout
    assert f'[rules]\npacks = ["{folder}"]' in ran.stdout
    told = json.loads(gateway("packs", "add", str(folder), "--json").stdout)
    assert told["configuration"] == {"rules": {"packs": [str(folder)]}}
    assert [(pack["name"], pack["fault"]) for pack in told["packs"]] == [("ours", "")]


def test_a_folder_whose_pack_is_altered_is_told_with_the_digest_that_it_has(tmp_path: Path) -> None:
    folder = own_pack(tmp_path / "packs", sha256="0" * 64)

    ran = gateway("packs", "add", str(folder))

    assert ran.exit_code == 1
    assert "digest" in ran.stdout
    assert digest_of(folder, ("*.xslt",)) in ran.stdout
    assert "gateway.toml" not in ran.stdout


def test_a_folder_whose_sheet_cannot_be_compiled_is_told_with_the_reason(tmp_path: Path) -> None:
    folder = own_pack(tmp_path / "packs", edit=("custom:is-valid-date-format(.)", "current-group()"))

    ran = gateway("packs", "add", str(folder))

    assert ran.exit_code == 1
    assert "current-group" in ran.stdout


def test_a_folder_whose_pack_would_never_judge_beside_a_shipped_one_is_told_what_to_do(tmp_path: Path) -> None:
    folder = own_pack(tmp_path / "packs", name="br-fr-ubl")
    file = folder / "packs.toml"
    file.write_text(file.read_text().replace("2026-01-01", "2026-06-30"))

    ran = gateway("packs", "add", str(folder))

    assert (ran.exit_code, ran.stdout) == (2, "")
    assert "br-fr-ubl stands twice with valid_from 2026-06-30" in ran.stderr
    assert "give it a later valid_from" in ran.stderr


@pytest.mark.parametrize("how", ["no folder", "no packs.toml", "not understood", "our name"])
def test_a_folder_that_cannot_be_used_at_all_ends_with_2(tmp_path: Path, how: str) -> None:
    folder = tmp_path / "packs"
    if how == "our name":
        own_pack(folder, name="chorus")
    elif how != "no folder":
        folder.mkdir()
    if how == "not understood":
        (folder / "packs.toml").write_text('[[pack]]\nname = "x"\n')

    ran = gateway("packs", "add", str(folder))

    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.stderr.startswith("gateway: ")


# --- diff ---------------------------------------------------------------------------------------------------------


def test_two_versions_are_compared_for_people_and_as_json(tmp_path: Path) -> None:
    later = tmp_path / "later.xslt"
    text = SHEET.read_text("utf-8")
    later.write_text(text.replace('<xsl:attribute name="flag">fatal', '<xsl:attribute name="flag">warning', 1), "utf-8")

    ran = gateway("packs", "diff", str(SHEET), str(later))

    assert ran.exit_code == 0
    assert "0 came, 0 went, 1 changed" in ran.stdout
    assert "flag was fatal\n    flag is  warning" in ran.stdout
    told = json.loads(gateway("packs", "diff", str(SHEET), str(later), "--json").stdout)
    assert [change["what"] for change in told["later.xslt"]["changed"]] == [["flag"]]


def test_two_folders_are_compared_sheet_by_sheet(tmp_path: Path) -> None:
    for folder, sheets in (("old", ("a", "b")), ("new", ("b", "c"))):
        (tmp_path / folder).mkdir()
        for name in sheets:
            shutil.copy(SHEET, tmp_path / folder / f"{name}.xslt")

    told = json.loads(gateway("packs", "diff", str(tmp_path / "old"), str(tmp_path / "new"), "--json").stdout)

    assert {name: (len(each["came"]), len(each["went"])) for name, each in told.items()} == {
        "a.xslt": (0, 175),
        "b.xslt": (0, 0),
        "c.xslt": (175, 0),
    }


@pytest.mark.parametrize("other", ["nowhere.xslt", "empty", "broken.xslt"])
def test_what_cannot_be_compared_ends_with_2(tmp_path: Path, other: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.xslt").write_text("<html/>")

    ran = gateway("packs", "diff", str(SHEET), str(tmp_path / other))

    assert (ran.exit_code, ran.stdout) == (2, "")


# --- validate -----------------------------------------------------------------------------------------------------


def told_of(*arguments: str) -> dict[str, Any]:
    ran = gateway("validate", str(INVOICE), "--json", "--processes", "1", *arguments)
    assert ran.exit_code in (0, 1), ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


@pytest.mark.parametrize("engine", ["native", pytest.param("reference", marks=NEEDS_REFERENCE)])
def test_an_invoice_that_no_pack_asked_for_judges_is_not_judged_and_ends_with_3(engine: str) -> None:
    ran = gateway("validate", str(INVOICE), "--json", "--processes", "1", "--pack", "br-fr-cii", "--engine", engine)

    assert ran.exit_code == 3, ran.stderr
    told = json.loads(ran.stdout)
    assert told["decision"] == "hold"
    assert [(pack["name"], pack["verdict"]) for pack in told["packs"]] == [("br-fr-cii", "not_judged")]
    assert [finding["rule"] for finding in told["findings"]] == ["PACK-NONE-ASKED"]


@NEEDS_REFERENCE
def test_both_engines_say_the_same_of_an_invoice() -> None:
    native, reference = told_of(), told_of("--engine", "reference")

    def said(told: dict[str, Any]) -> list[Any]:
        return [(f["pack"], f["rule"], f["severity"], f["location"], f["message"]) for f in told["findings"]]

    assert [(p["name"], p["verdict"], p["sha256"]) for p in native["packs"]] == [
        (p["name"], p["verdict"], p["sha256"]) for p in reference["packs"]
    ]
    assert said(native) == said(reference)
    assert any(p["name"] == "en16931-ubl" for p in native["packs"])


def test_without_the_reference_engine_one_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "saxonche" else find_spec(name)
    )

    ran = gateway("validate", str(INVOICE), "--engine", "reference")

    assert (ran.exit_code, ran.stdout) == (2, "")
    assert "not installed" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_an_engine_that_there_is_not_is_wrong_use() -> None:
    assert gateway("validate", str(INVOICE), "--engine", "imaginary").exit_code == 2
