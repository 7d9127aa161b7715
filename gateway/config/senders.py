"""The files of senders as typed models: `partners.d/*.toml` and `issuers.d/*.toml`.

Every key has a description: the JSON Schema, the table in the documentation and the messages come from it.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from gateway.config.ladder import check_control_name, check_done_name, check_ladder
from gateway.config.naming import check_name_template, check_reference_pattern
from gateway.config.section import Chosen, Language, Name, Patience, Quiet, Section
from gateway.config.sftp import LoginTable, SftpTable
from gateway.config.values import ConfiguredPath, Schedule, Size, wrong
from gateway.domain.issuer import Environment, Route
from gateway.domain.partner import LADDER, AckFormat, Grouping, Rung
from gateway.domain.terms import REFERENCE_TERMS


class DialectTable(Section):
    """How the partner's programs read a CSV file."""

    separator: Literal[";", ",", "\t", "|"] = Field(default=";", description="Between the columns.")
    bom: bool = Field(default=False, description="UTF-8 byte order mark at the start, as some spreadsheets want it.")
    decimal: Literal[".", ","] = Field(default=".", description="Decimal sign of amounts.")
    newline: Literal["lf", "crlf"] = Field(default="lf", description="End of a line.")
    language: Language | None = Field(
        default=None, description="Language of the texts; as in gateway.toml if left out."
    )

    @model_validator(mode="after")
    def _two_signs(self) -> Self:
        if self.separator == self.decimal:
            raise wrong("another sign than decimal", "the same for both", key="separator")
        return self


class AcksTable(Section):
    """What the partner wants told, how and when."""

    format: Annotated[AckFormat, Chosen] = Field(default=AckFormat.CSV, description="csv, jsonl or xml.")
    grouping: Annotated[Grouping, Chosen] = Field(
        default=Grouping.PER_TICK,
        description="per-tick: one file for all that is owed. per-interchange: one for each file.",
    )
    name_template: Annotated[str, AfterValidator(check_name_template)] = Field(
        default="{partner}_{level}_{seq:08d}_{utc}.{extension}",
        description="Name of an acknowledgement file: {partner}, {level}, {seq}, {utc}, {extension}.",
    )
    receipts: Schedule = Field(default="immediate", description='Receipts: "immediate" or a cron line (Europe/Paris).')
    decisions: Schedule = Field(
        default="immediate", description='Decisions: "immediate" or a cron line (Europe/Paris).'
    )
    lifecycle: Schedule = Field(
        default="immediate", description='Life-cycle: "immediate" or a cron line (Europe/Paris).'
    )
    statuses: Annotated[
        frozenset[Annotated[str, Field(pattern=r"^(\*|[A-Z][A-Z_0-9]{1,59})$")]], Field(strict=False)
    ] = Field(
        default=frozenset(), description='Chorus codes told beside the terminal and your-turn ones; ["*"] for all.'
    )
    dialect: DialectTable = DialectTable()


class CompletenessTable(Section):
    """When this partner's files count as whole; as in [intake] of gateway.toml where left out."""

    quiet: Quiet | None = Field(default=None, description="Size and time unchanged this long.")
    give_up: Patience | None = Field(
        default=None, description="Then a file that is not whole is refused as INCOMPLETE."
    )
    limit_bytes: Size | None = Field(default=None, ge=1, description="A larger file is refused unread.")
    ladder: Annotated[tuple[Annotated[Rung, Chosen], ...], Field(strict=False)] = Field(
        default=LADDER, description=f"How one knows that a file is whole: of {', '.join(Rung)}."
    )
    done_name: Annotated[str, AfterValidator(check_done_name)] = Field(
        default="{name}.done", description="Name of a done-file: {name} of its file, or {stem} (without extension)."
    )
    control_names: Annotated[
        tuple[Annotated[str, AfterValidator(check_control_name)], ...], Field(strict=False, max_length=10)
    ] = Field(default=("*.ctr", "*.ctl"), description="Names of control files, with * and ?; SHA256SUMS is one too.")
    minimum_age: Patience = Field(
        default=timedelta(minutes=1), description="Age of a file, since we saw it first, for minimum-age."
    )

    @model_validator(mode="after")
    def _stands(self) -> Self:
        check_ladder(self.ladder, self.control_names)
        return self


def _known_term(value: str) -> str:
    if value and value not in REFERENCE_TERMS:
        raise wrong(f"one of {', '.join(REFERENCE_TERMS)}")
    return value


class ReferenceTable(Section):
    """Where the partner's own key (`partner_reference`) comes from: the file name, else a term of the invoice."""

    pattern: Annotated[str, AfterValidator(check_reference_pattern)] = Field(
        default="", description="Regular expression on the file name; its group named ref is the key."
    )
    term: Annotated[str, AfterValidator(_known_term)] = Field(
        default="", description=f"One of {', '.join(REFERENCE_TERMS)}."
    )


class PartnerFile(Section):
    """`partners.d/*.toml`: one sender with its folders and wishes."""

    name: Name = Field(description="Short name: small letters, digits, - and _; issuers refer to it.")
    root: ConfiguredPath = Field(description="Its folder, with in/, out/, book/ and our .claimed/.")
    in_flight: int = Field(default=2000, ge=1, le=1_000_000, description="Its files in work at once at most.")
    contacts: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[^@\s]{1,64}@[^@\s]{1,190}$")], ...],
        Field(strict=False, max_length=20),
    ] = Field(default=(), description="Mail addresses of the people to be told.")
    acks: AcksTable = AcksTable()
    completeness: CompletenessTable = CompletenessTable()
    reference: ReferenceTable = ReferenceTable()
    sftp: SftpTable | None = None
    login: LoginTable | None = None


def _supplier(value: str) -> str:
    if re.fullmatch(r"[0-9]{14}|[A-Z]{2}[0-9A-Z][0-9A-Z .&'-]{0,15}", value) is None:
        raise wrong("a SIRET of 14 digits, or a foreign supplier's identifier (country code, then up to 16 signs)")
    return value


class IssuerFile(Section):
    """`issuers.d/*.toml`: one supplier structure in whose name documents are sent."""

    siret: Annotated[str, AfterValidator(_supplier)] = Field(
        description="SIRET in 14 digits, or Chorus Pro's identifier of a foreign supplier."
    )
    name: str = Field(min_length=1, max_length=200, description="Name for people.")
    route: Annotated[Route, Chosen] = Field(description="chorus-api; chorus-edi and pa are not built yet.")
    partners: Annotated[frozenset[Name], Field(strict=False, min_length=1)] = Field(
        description="Names of the partners that may send for it."
    )
    account: Name = Field(description="Name of its technical account in [chorus.accounts].")
    environment: Annotated[Environment, Chosen] = Field(
        description="live or test: repeated here so that no test issuer is ever sent live."
    )
    public: bool = Field(default=False, description="A public body itself.")
    mandate_signed: date | None = Field(
        default=None, description="Day on which its mandate was signed, such as 2026-01-31."
    )
