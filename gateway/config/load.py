"""Loads the configuration: every file read and checked, everything wrong told at once, or one frozen `Settings`.

`load` is the only way to `Settings`. `check` says the same for people, and starts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from gateway.config.cross import cross_faults
from gateway.config.faults import ConfigurationFaults, Fault
from gateway.config.model import GatewayFile
from gateway.config.read import fingerprint, main_file, read_all
from gateway.config.senders import AcksTable, IssuerFile, PartnerFile
from gateway.config.settings import Settings
from gateway.domain.issuer import Issuer
from gateway.domain.partner import AckWishes, Completeness, Dialect, Partner

_NEWLINES: Final = {"lf": "\n", "crlf": "\r\n"}


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """The settings of the configuration at `path` (`gateway.toml` or its folder). Raises `ConfigurationFaults`."""
    # Taken first: what is changed while we read is noticed at the next look.
    mark = fingerprint(path)
    files = read_all(path, environ)
    faults = sorted({*files.faults, *cross_faults(files)}, key=_order)
    main = files.main.model
    if main is None or any(fault.fatal for fault in faults):
        raise ConfigurationFaults(faults)
    partners = [partner(read.model, main) for read in files.partners if read.model]
    issuers = [issuer(read.model) for read in files.issuers if read.model]
    return Settings(
        source=main_file(path),
        fingerprint=mark,
        gateway=main.gateway,
        ledger=main.ledger,
        intake=main.intake,
        unpacking=main.unpacking,
        workers=main.workers,
        sending=main.sending,
        follow=main.follow,
        directory=main.directory,
        rules=main.rules,
        chorus=main.chorus,
        sftp_server=main.sftp_server,
        partners=MappingProxyType({one.name: one for one in partners}),
        remotes=MappingProxyType({r.model.name: r.model.sftp for r in files.partners if r.model and r.model.sftp}),
        logins=MappingProxyType({r.model.name: r.model.login for r in files.partners if r.model and r.model.login}),
        issuers=MappingProxyType({one.siret: one for one in issuers}),
        warnings=tuple(faults),
    )


class Checked(NamedTuple):
    """What `gateway config check` prints, and whether the gateway would start."""

    ok: bool
    lines: list[str]


def check(path: Path, environ: Mapping[str, str]) -> Checked:
    """Every fault and warning as a line; one line of summary when all is well."""
    try:
        settings = load(path, environ)
    except ConfigurationFaults as wrong:
        lines = [str(fault) for fault in wrong.faults]
        fatal = sum(fault.fatal for fault in wrong.faults)
        return Checked(False, [*lines, f"{fatal} {'fault' if fatal == 1 else 'faults'}; nothing is started."])
    summary = (
        f"{settings.source}: valid. Environment {settings.environment}, Chorus Pro {settings.chorus.platform}, "
        f"partners {len(settings.partners)}, issuers {len(settings.issuers)}, "
        f"accounts {len(settings.chorus.accounts)}, warnings {len(settings.warnings)}."
    )
    return Checked(True, [*(str(warning) for warning in settings.warnings), summary])


def partner(file: PartnerFile, main: GatewayFile) -> Partner:
    """The domain's partner, with what its file leaves out taken from `gateway.toml`."""
    own, common = file.completeness, main.intake
    return Partner(
        name=file.name,
        root=file.root,
        acks=_wishes(file.acks, main.gateway.language),
        completeness=Completeness(
            quiet_s=(common.quiet if own.quiet is None else own.quiet).total_seconds(),
            give_up_s=(common.give_up if own.give_up is None else own.give_up).total_seconds(),
            limit_bytes=common.limit_bytes if own.limit_bytes is None else own.limit_bytes,
            ladder=own.ladder,
            minimum_age_s=own.minimum_age.total_seconds(),
            done_name=own.done_name,
            control_names=own.control_names,
        ),
        in_flight=file.in_flight,
        reference_pattern=file.reference.pattern,
        reference_term=file.reference.term,
        contacts=file.contacts,
    )


def issuer(file: IssuerFile) -> Issuer:
    """The domain's issuer."""
    return Issuer(
        siret=file.siret,
        name=file.name,
        route=file.route,
        partners=file.partners,
        account=file.account,
        environment=file.environment,
        public=file.public,
        mandate_signed=file.mandate_signed,
    )


def _wishes(acks: AcksTable, language: str) -> AckWishes:
    dialect = acks.dialect
    return AckWishes(
        format=acks.format,
        grouping=acks.grouping,
        dialect=Dialect(
            separator=dialect.separator,
            bom=dialect.bom,
            decimal=dialect.decimal,
            newline=_NEWLINES[dialect.newline],
            language=dialect.language or language,
        ),
        name_template=acks.name_template,
        receipts=acks.receipts,
        decisions=acks.decisions,
        lifecycle=acks.lifecycle,
        statuses=acks.statuses,
    )


def _order(fault: Fault) -> tuple[bool, str, int, str, str]:
    in_folder = fault.file.parent.name.endswith(".d")
    return in_folder, str(fault.file), fault.line or 0, fault.key, fault.found
