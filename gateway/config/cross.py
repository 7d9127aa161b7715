"""What must hold between the files: names, SIRETs, accounts, environments and platforms.

Each check is one function that yields faults. Where a file is itself at fault, what it would have defined is not
missed a second time: one mistake gives one fault.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from stdnum.exceptions import ValidationError as NumberFault
from stdnum.fr import siret as siret_number

from gateway.config.faults import Fault
from gateway.config.folders import folder_faults
from gateway.config.locate import locate
from gateway.config.model import Platform
from gateway.config.read import ISSUERS, PARTNERS, ReadFile, ReadFiles
from gateway.config.senders import IssuerFile
from gateway.domain.finding import printable
from gateway.domain.issuer import Environment, Route
from gateway.rules.packs import PackRegistry
from gateway.rules.spec import BadPackFile

BUILT: Final = frozenset({Route.CHORUS_API})
_PRODUCTION_HOST: Final = "api.piste.gouv.fr"


def cross_faults(files: ReadFiles) -> Iterator[Fault]:
    """Every fault between files, fatal or not."""
    yield from _nobody(files)
    yield from _twice(files)
    yield from _platform(files)
    yield from _packs(files)
    for issuer in files.issuers:
        if issuer.model:
            yield from _issuer(issuer, issuer.model, files)
    yield from _logins(files)
    yield from folder_faults(files)


def _logins(files: ReadFiles) -> Iterator[Fault]:
    """One user is one partner; and a login needs a server."""
    users = [
        (read.file, read.text, read.model.login.user or read.model.name)
        for read in files.partners
        if read.model and read.model.login
    ]
    yield from _repeated("login.user", users)
    if users and files.main.model and not files.main.model.sftp_server.listen:
        found = "nothing, so that no login is served"
        yield Fault(files.main.file, "sftp_server.listen", "an address, for partners have logins", found, fatal=False)


def _nobody(files: ReadFiles) -> Iterator[Fault]:
    for name, reads in ((PARTNERS, files.partners), (ISSUERS, files.issuers)):
        if not reads:
            folder = files.main.file.parent / name
            yield Fault(folder, "", "at least one file *.toml", "none: nothing will be sent", fatal=False)


def _twice(files: ReadFiles) -> Iterator[Fault]:
    yield from _repeated("name", ((read.file, read.text, read.model.name) for read in files.partners if read.model))
    yield from _repeated("siret", ((read.file, read.text, read.model.siret) for read in files.issuers if read.model))


def _packs(files: ReadFiles) -> Iterator[Fault]:
    """Whether the files that its entries name are the right ones and compile is for `gateway packs add` to say."""
    main = files.main
    folders = main.model.rules.packs if main.model else ()
    faults = [found for folder in folders if (found := _unusable([folder]))]
    for found in faults or ([together] if (together := _unusable(folders)) else []):
        line = locate(main.text, ["rules", "packs"])
        yield Fault(main.file, "rules.packs", "folders with a packs.toml that can be used", found, line=line)


def _unusable(folders: Sequence[Path]) -> str:
    """Why no registry can be made of these folders, beside what is shipped; "" when one can."""
    for folder in folders:
        if not (folder / "packs.toml").is_file():
            return f"{folder}, which has none"
    try:
        PackRegistry.standard([folder / "packs.toml" for folder in folders])
    except (BadPackFile, ValueError) as error:
        return printable(str(error))
    return ""


def _repeated(key: str, values: Iterable[tuple[Path, str, str]]) -> Iterator[Fault]:
    first: dict[str, Path] = {}
    for file, text, value in values:
        if value in first:
            expected, found = f"a {key} of its own", f"{value}, which is in {first[value].name} too"
            yield Fault(file, key, expected, found, line=locate(text, key.split(".")))
        first.setdefault(value, file)


def _platform(files: ReadFiles) -> Iterator[Fault]:
    main = files.main.model
    if main is None:
        return
    live, platform = main.gateway.environment is Environment.LIVE, main.chorus.platform
    production = platform is Platform.PRODUCTION or urlsplit(main.chorus.api_url).hostname == _PRODUCTION_HOST
    if live and platform is Platform.SANDBOX:
        yield _main_fault(files, "production, for gateway.environment is live", "sandbox")
    if not live and production:
        # The worst that a test can do: real invoices to real public bodies.
        yield _main_fault(files, "sandbox or custom, for gateway.environment is test", "the production platform")


def _main_fault(files: ReadFiles, expected: str, found: str) -> Fault:
    line = locate(files.main.text, ["chorus", "platform"])
    return Fault(files.main.file, "chorus.platform", expected, found, line=line)


def _issuer(read: ReadFile[IssuerFile], issuer: IssuerFile, files: ReadFiles) -> Iterator[Fault]:
    def fault(key: str, expected: str, found: str, *, suggestion: str = "", fatal: bool = True) -> Fault:
        line = locate(read.text, [key])
        return Fault(read.file, key, expected, found, line=line, suggestion=suggestion, fatal=fatal)

    known = files.partner_names()
    for name in sorted(issuer.partners - known):
        yield fault("partners", "names of partners in partners.d", f'"{name}"', suggestion=_near(name, known))
    accounts = _accounts(files)
    if accounts is not None and issuer.account not in accounts:
        near = _near(issuer.account, accounts)
        yield fault(
            "account", "an account in [chorus.accounts] of gateway.toml", f'"{issuer.account}"', suggestion=near
        )
    if issuer.route not in BUILT:
        yield fault("route", "chorus-api", f"{issuer.route}, a route that is not built yet")
    main = files.main.model
    if main and issuer.environment is not main.gateway.environment:
        wished = f"{main.gateway.environment}, as gateway.environment says (another environment: another gateway)"
        yield fault("environment", wished, str(issuer.environment))
    if issuer.siret.isdigit() and not _checks(issuer.siret):
        # Qualification's SIRETs are fictitious, and some fail their check digits (domain facts 1.7).
        test = issuer.environment is Environment.TEST
        yield fault("siret", "a SIRET whose check digits are right", issuer.siret, fatal=not test)


def _accounts(files: ReadFiles) -> frozenset[str] | None:
    data = files.main.data
    chorus = data.get("chorus") if data else None
    accounts = chorus.get("accounts", {}) if isinstance(chorus, dict) else None
    return frozenset(accounts) if isinstance(accounts, dict) else None


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f" Did you mean {printable(near[0], 60)}?" if near else ""


def _checks(siret: str) -> bool:
    try:
        siret_number.validate(siret)
    except NumberFault:
        return False
    return True
