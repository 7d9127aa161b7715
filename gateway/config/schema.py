"""The JSON Schema of the configuration and the table of its keys for the documentation, both from the models.

`python -m gateway.config ROOT` writes them into the project; tests hold what is committed equal to the code's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core import PydanticUndefined

from gateway.config.model import GatewayFile
from gateway.config.section import Section
from gateway.config.senders import IssuerFile, PartnerFile
from gateway.config.translate import table_of

FILES: Final[dict[str, type[Section]]] = {
    "gateway.toml": GatewayFile,
    "partners.d/*.toml": PartnerFile,
    "issuers.d/*.toml": IssuerFile,
}
BEGIN: Final = "<!-- keys: written by `python -m gateway.config .` -->"
END: Final = "<!-- end of keys -->"


class Key(NamedTuple):
    """One key of a file: where it stands, its default as TOML ("" where it must be given), what it means."""

    path: tuple[str, ...]
    default: str
    description: str


class _WithoutTitles(GenerateJsonSchema):
    """Titles that only repeat the name of a key are left out."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def json_schema() -> dict[str, Any]:
    """One JSON Schema for the three kinds of files, each under `$defs` by the name of its model."""
    _, schema = models_json_schema([(model, "validation") for model in FILES.values()], schema_generator=_WithoutTitles)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of chorus-gateway",
        "description": ", ".join(f"{file}: {model.__name__}" for file, model in FILES.items()),
        "anyOf": [{"$ref": f"#/$defs/{model.__name__}"} for model in FILES.values()],
        "$defs": schema["$defs"],
    }


def json_schema_text() -> str:
    """The schema as it is committed under `schemas/`."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def keys(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[Key]:
    """Every key of a file in the order of the models; an account's stand under `NAME`."""
    for name, info in model.model_fields.items():
        inner, named = table_of(info.annotation)
        if inner is None:
            yield Key((*path, name), _default(info), info.description or "")
        else:
            yield from keys(inner, (*path, name, *(["NAME"] if named else [])))


def keys_table() -> str:
    """The keys of all files as Markdown tables."""
    parts = []
    for file, model in FILES.items():
        rows = [f"| `{'.'.join(k.path)}` | {_cell(k.default)} | {k.description} |" for k in keys(model)]
        parts.append("\n".join([f"### `{file}`", "", "| key | default | meaning |", "|---|---|---|", *rows]))
    return "\n\n".join(parts)


def with_keys_table(page: str) -> str:
    """The documentation page with its table renewed."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{keys_table()}\n\n{END}{after}"


def publish(root: Path) -> None:
    """Write the schema and the table into the project at `root`."""
    (root / "schemas" / "configuration.schema.json").write_text(json_schema_text(), "utf-8")
    page = root / "docs" / "configuration.md"
    page.write_text(with_keys_table(page.read_text("utf-8")), "utf-8")


def _default(info: FieldInfo) -> str:
    if info.default is PydanticUndefined:
        return ""
    if info.default is None:
        return "—"
    return json.dumps(TypeAdapter(_annotated(info)).dump_python(info.default, mode="json"), ensure_ascii=False)


def _annotated(info: FieldInfo) -> Any:
    annotation: Any = info.annotation
    return Annotated[annotation, *info.metadata] if info.metadata else annotation


def _cell(default: str) -> str:
    return {"": "required", "—": "—"}.get(default, f"`{default}`")
