"""Chorus Pro by REST through PISTE: `ChorusApi` fulfils `gateway.routes.protocol.RouteClient`."""

from gateway.routes.chorus_api.client import AccountCheck, ChorusApi
from gateway.routes.chorus_api.directory import DirectoryEntry
from gateway.routes.chorus_api.settings import Account, ChorusSettings, Limits, Timeouts
from gateway.routes.chorus_api.syntax import carries_its_pdf, syntax_of

__all__ = [
    "Account",
    "AccountCheck",
    "ChorusApi",
    "ChorusSettings",
    "DirectoryEntry",
    "Limits",
    "Timeouts",
    "carries_its_pdf",
    "syntax_of",
]
