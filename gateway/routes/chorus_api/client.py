"""The route `chorus-api`: `RouteClient` over Chorus Pro's REST services. One object serves all threads."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.clock import Clock, SystemClock
from gateway.domain.flow_states import FlowOutcome
from gateway.domain.issuer import Issuer
from gateway.routes.chorus_api import diagnosis, packing
from gateway.routes.chorus_api.answers import BusinessError, Fields
from gateway.routes.chorus_api.directory import CONSULT, DirectoryEntry, DirectoryReader
from gateway.routes.chorus_api.history import Histories
from gateway.routes.chorus_api.invoices import Invoices
from gateway.routes.chorus_api.reports import SERVICE as REPORT
from gateway.routes.chorus_api.reports import read_report
from gateway.routes.chorus_api.session import Session
from gateway.routes.chorus_api.settings import ChorusSettings
from gateway.routes.chorus_api.structures import Structures
from gateway.routes.protocol import (
    Deposited,
    FlowReport,
    Packet,
    PlatformInvoice,
    Refusal,
    Refused,
    Sendable,
    StatusEvent,
    Uncertain,
    Unreachable,
)

DEPOSIT: Final = "factures/v1/deposer/flux"
ATTACHMENTS: Final = "utilisateurs/v1/monCompte/recuperer/rattachements"
_FLOW_NUMBER: Final = re.compile(r"[A-Za-z0-9_.-]{1,60}")
_FLOW_UNKNOWN: Final = "POQ_MSG_01.003"
_ALREADY: Final = re.compile(r"d[ée]j[àa]\s+(?:été\s+)?(?:d[ée]pos|reç|recu|transmis|int[ée]gr)", re.IGNORECASE)
_THEIR_FAULT: Final = re.compile(r"erreur\s+(?:technique|interne)|indisponible", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AccountCheck:
    """What the start-up self-test of one technical account found."""

    structures: tuple[str, ...]  #: identifiers of the structures it is attached to
    password_expires: datetime | None  #: where Chorus Pro tells it (own structure only)


class ChorusApi:
    """Chorus Pro by REST."""

    def __init__(
        self,
        settings: ChorusSettings,
        clock: Clock | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock or SystemClock()
        self._monotonic = monotonic
        self.take(settings)

    def take(self, settings: ChorusSettings) -> None:
        """Work with these settings from the next call on (an account was added, a password renewed). Calls under way
        end with those that they began with."""
        monotonic = self._monotonic
        self.settings = settings
        self._session = Session(settings, monotonic)
        self._structures = Structures(self._session, monotonic)
        self._invoices = Invoices(self._session, self._structures)
        self._histories = Histories(self._session)
        self._directory = DirectoryReader(self._session, self._structures)

    def close(self) -> None:
        """Drop the kept connections."""
        self._session.close()

    def pack(self, sendables: Iterable[Sendable], flow_id: str) -> Sequence[Packet]:
        """See `RouteClient.pack`."""
        return packing.pack(sendables, flow_id, self.settings.limits, mixed_syntax=self.settings.mixed_syntax)

    def deposit(self, packet: Packet, issuer: Issuer) -> Deposited:
        """See `RouteClient.deposit`."""
        try:
            answer = self._session.send(DEPOSIT, _deposit_body(packet), issuer)
        except BusinessError as error:
            return self._not_taken(error, issuer)
        number = answer.text("numeroFluxDepot", 61)
        if not _FLOW_NUMBER.fullmatch(number):
            raise Uncertain(diagnosis.uncertain(DEPOSIT, "it names no flow"))
        return Deposited(number, answer.moment("dateDepot") or self._clock.now())

    def find(
        self, issuer: Issuer, numbers: Sequence[str], since: datetime, until: datetime
    ) -> Sequence[PlatformInvoice]:
        """See `RouteClient.find`."""
        return self._invoices.with_numbers(issuer, numbers, since, until)

    def report(self, issuer: Issuer, flow_number: str, syntax: str) -> FlowReport:
        """See `RouteClient.report`. A flow that Chorus Pro does not find yet is pending under that code."""
        try:
            answer = self._session.read(REPORT, {"numeroFluxDepot": flow_number, "syntaxeFlux": syntax}, issuer)
        except BusinessError as error:
            if error.prefix == _FLOW_UNKNOWN:
                return FlowReport(FlowOutcome.PENDING, _FLOW_UNKNOWN)
            raise error.as_unreachable() from error
        report = read_report(answer)
        if not report.native_state:
            raise Unreachable(diagnosis.unreachable("consulterCRDetaille", "the report names no state"))
        return report

    def invoices_of(self, issuer: Issuer, flow_number: str) -> Sequence[PlatformInvoice]:
        """See `RouteClient.invoices_of`."""
        return self._invoices.of_flow(issuer, flow_number)

    def changed(self, issuer: Issuer, since: datetime, until: datetime) -> Iterator[PlatformInvoice]:
        """See `RouteClient.changed`."""
        return self._invoices.changed(issuer, since, until)

    def history(self, issuer: Issuer, platform_id: str) -> Sequence[StatusEvent]:
        """See `RouteClient.history`."""
        return self._histories.of(issuer, platform_id)

    def directory(
        self, issuer: Issuer, sirets: Iterable[str], service_codes: Collection[str] | None = None
    ) -> Iterator[DirectoryEntry]:
        """The directory's entries of these SIRETs, for the buyers' snapshot."""
        return self._directory.entries(issuer, sirets, service_codes)

    def check_account(self, issuer: Issuer) -> AccountCheck:
        """The self-test: token, subscription, technical account, structure. Raises what is wrong, by name."""
        own = self._structures.id_of(issuer)
        try:
            attached = self._session.read(
                ATTACHMENTS, {"parametresRecherche": {"pageResultatDemandee": 1, "nbResultatsParPage": 100}}, issuer
            )
            structure = self._session.read(CONSULT, {"idStructureCPP": own, "codeLangue": "fr"}, issuer)
        except BusinessError as error:
            raise error.as_unreachable() from error
        return AccountCheck(
            structures=tuple(filter(None, map(_identifier, attached.items("listeRattachements")))),
            password_expires=structure.part("informationGenerales").moment("dateExpirationMotPasseCompteTech"),
        )

    def _not_taken(self, error: BusinessError, issuer: Issuer) -> Deposited:
        """A business answer to a deposit: had before, their own failure, or refused."""
        if _ALREADY.search(error.libelle):
            return Deposited("", self._clock.now(), already=True)
        if _THEIR_FAULT.search(error.libelle):
            raise Uncertain(diagnosis.uncertain(DEPOSIT, error.libelle)) from error
        raise Refused(Refusal(number="", issuer=issuer.siret, text=error.libelle, code=error.key)) from error


def _deposit_body(packet: Packet) -> bytes:
    """The request, its large part written once: 30 MB through json.dumps would be copied four times."""
    head = json.dumps(
        {"nomFichier": packet.name, "syntaxeFlux": packet.syntax, "avecSignature": False}, separators=(",", ":")
    )
    return b"".join([head[:-1].encode(), b',"fichierFlux":"', base64.b64encode(packet.content), b'"}'])


def _identifier(attachment: Fields) -> str:
    """The fields of an attachment are in no published OpenAPI: the names that the other services use are tried."""
    inner = attachment.part("structure")
    return next(
        (
            text
            for part in (attachment, inner)
            for name in ("identifiantStructure", "identifiant", "codeStructure")
            if (text := part.text(name, 100))
        ),
        "",
    )
