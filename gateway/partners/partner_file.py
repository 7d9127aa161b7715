"""`partners.d/NAME.toml` as it is first written: short, commented, and judged like any other before it stands there."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from gateway.config.cross import cross_faults
from gateway.config.faults import Fault
from gateway.config.read import PARTNERS, ReadFile, ReadFiles, main_file, read_all
from gateway.config.senders import PartnerFile
from gateway.config.values import Context
from gateway.domain.finding import printable
from gateway.partners.refused import Refused


@dataclass(frozen=True, slots=True)
class Configured:
    """The configuration as it is, faulty or not: secrets need not be at hand to connect a partner."""

    folder: Path
    state_dir: Path
    files: ReadFiles
    environ: Mapping[str, str]

    @property
    def partners(self) -> dict[str, ReadFile[PartnerFile]]:
        """The valid ones by name."""
        return {read.model.name: read for read in self.files.partners if read.model}

    def partner(self, name: str) -> PartnerFile:
        """One of them. Raises `Refused`."""
        read = self.partners.get(name)
        if read is None or read.model is None:
            known = ", ".join(sorted(self.partners)) or "none"
            raise Refused(f"no partner {printable(name, 60)!r} in {self.folder / PARTNERS}; known are: {known}")
        return read.model


def read_configured(path: Path, environ: Mapping[str, str]) -> Configured:
    """What stands at `path` (gateway.toml or its folder). Raises `Refused` when it does not say where its state is."""
    files, folder = read_all(path, environ), main_file(path).parent
    section = (files.main.data or {}).get("gateway")
    state = section.get("state_dir") if isinstance(section, dict) else None
    if not isinstance(state, str):
        raise Refused(f"{main_file(path)}: no configuration with gateway.state_dir there; say --config")
    return Configured(folder, folder / state, files, environ)


def partner_text(name: str, root: Path) -> str:
    """The file of a new partner."""
    return f"""\
# A partner behind OpenSSH, written by `gateway partner add`; from now on it is yours to edit. Every key that it may
# hold is explained in docs/configuration.md; `gateway config check` judges it, and it is taken up without a restart.

# Short name, to which issuers refer (`partners` in issuers.d) and which stands in acknowledgements.
name = {json.dumps(name)}
# Its folder: in/ (it writes), out/ (acknowledgements), book/ (order books), .claimed/ (ours). The partner sees it as /.
root = {json.dumps(str(root), ensure_ascii=False)}

[acks]
# "csv" (one flat row an event), "jsonl" or "xml".
format = "csv"
"""


def is_known(configured: Configured, name: str, root: Path) -> bool:
    """The partner is configured with this root already. Raises `Refused` where it is configured otherwise."""
    read = configured.partners.get(name)
    file = configured.folder / PARTNERS / f"{name}.toml"
    if read is None or read.model is None:
        if file.exists():
            raise Refused(f"{file} is there and does not configure {name}; it is never overwritten: mend or move it")
        return False
    if read.model.root != root:
        raise Refused(f"{read.file} gives {name} the folder {read.model.root}; change it there, or say --root so")
    return True


def judge_new(configured: Configured, name: str, root: Path) -> None:
    """Would the configuration have a fault more with this partner? Raises `Refused` with all of them."""
    file, text = configured.folder / PARTNERS / f"{name}.toml", partner_text(name, root)
    data = tomllib.loads(text)
    try:
        model = PartnerFile.model_validate(data, context=Context(file.parent, configured.environ))
    except ValidationError as error:
        raise Refused(f"{file} would be faulty: {error}") from None
    files = replace(configured.files, partners=(*configured.files.partners, ReadFile(file, text, data, model)))
    before = set(cross_faults(configured.files))
    _refuse([fault for fault in cross_faults(files) if fault.fatal and fault not in before])
    # cross_faults knows no state_dir where another key of gateway.toml is at fault, such as a secret not at hand.
    for ours in (configured.folder.resolve(), configured.state_dir.resolve()):
        if root.resolve() in (ours, *ours.parents) or ours in root.resolve().parents:
            raise Refused(f"--root {root}: expected a folder apart from {ours}, which is the gateway's own")


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise Refused("; ".join(str(fault) for fault in faults))
