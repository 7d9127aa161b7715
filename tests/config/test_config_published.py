"""What is published is what the code says: the example, the JSON Schema, the table of keys."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config import check, json_schema_text, load
from gateway.config.model import GatewayFile
from gateway.config.schema import FILES, Key, keys, with_keys_table
from gateway.config.section import Section
from gateway.config.senders import IssuerFile, PartnerFile

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "config"
ENVIRON = {
    "GATEWAY_PISTE_CLIENT_ID": "hush-1",
    "GATEWAY_PISTE_CLIENT_SECRET": "hush-2",
    "GATEWAY_CHORUS_PASSWORD": "hush-3",
    "GATEWAY_LEDGER_PASSWORD": "hush-4",
}
COMPLETE = [
    (GatewayFile, EXAMPLE / "gateway.toml"),
    (PartnerFile, EXAMPLE / "partners.d/acme-erp.toml"),
    (IssuerFile, EXAMPLE / "issuers.d/12345678200010.toml"),
]
REGENERATE = "run: .venv/bin/python -m gateway.config ."


def test_the_example_is_valid() -> None:
    checked = check(EXAMPLE, ENVIRON)

    assert checked.ok, "\n".join(checked.lines)
    assert load(EXAMPLE, ENVIRON).warnings == ()


@pytest.mark.parametrize(("model", "file"), COMPLETE, ids=lambda value: getattr(value, "name", ""))
def test_every_key_stands_in_the_example_with_a_comment_above_it(model: type[Section], file: Path) -> None:
    commented = dict(written_keys(file.read_text("utf-8")))
    expected = {".".join(key.path).replace("NAME", "main") for key in keys(model)}

    assert expected - set(commented) == set(), "these keys are missing"
    assert set(commented) - expected == set(), "these keys do not exist"
    assert [key for key, comment in commented.items() if not comment] == [], "these keys have no comment above them"


@pytest.mark.parametrize(("model", "file"), COMPLETE, ids=lambda value: getattr(value, "name", ""))
def test_keys_that_the_example_leaves_out_are_written_rightly_too(model: type[Section], file: Path) -> None:
    text = re.sub(r"(?m)^#(?=[a-z_]+ = )", "", file.read_text("utf-8"))

    assert tomllib.loads(text)


@pytest.mark.parametrize("file", FILES)
def test_every_key_has_a_description(file: str) -> None:
    assert [key.path for key in keys(FILES[file]) if not key.description.endswith((".", ")"))] == []


def test_the_defaults_that_are_published_are_accepted_when_written(tmp_path: Path) -> None:
    for file, target in (("gateway.toml", "gateway.toml"), ("partners.d/*.toml", "partners.d/operator.toml")):
        source = (EXAMPLE / target).read_text("utf-8")
        given = tomllib.loads(source)
        lines = [line for key in keys(FILES[file]) for line in as_toml(key, given)]
        (tmp_path / target).parent.mkdir(exist_ok=True)
        (tmp_path / target).write_text("\n".join(lines) + "\n" if file != "gateway.toml" else source, "utf-8")

    checked = check(tmp_path, ENVIRON)

    assert checked.ok, "\n".join(checked.lines)


def test_the_schema_that_is_committed_is_the_codes() -> None:
    assert (ROOT / "schemas/configuration.schema.json").read_text("utf-8") == json_schema_text(), REGENERATE


def test_the_table_of_keys_in_the_documentation_is_the_codes() -> None:
    page = (ROOT / "docs/configuration.md").read_text("utf-8")

    assert page == with_keys_table(page), REGENERATE


def written_keys(text: str) -> Iterator[tuple[str, bool]]:
    """Every key of a TOML text, also one behind a `#` straight before it, and whether a comment stands above it."""
    table, above = "", False
    for line in text.splitlines():
        header, key = re.match(r"\[([a-z_.]+)\]$", line), re.match(r"#?([a-z_]+) = ", line)
        if header:
            table = header[1] + "."
        elif key:
            yield table + key[1], above
        above = line.startswith("# ")


def as_toml(key: Key, given: dict[str, object]) -> Iterator[str]:
    """A line that gives a key its published default, or what the example gives it where there is none."""
    name = ".".join(key.path)
    if key.path[0] in {"sftp", "login"}:  # these tables are left out as a whole
        return
    if key.default not in {"", "—"}:
        yield f"{name} = {key.default}"
    elif name in given:
        yield f'{name} = "{given[name]}"'
