"""Where Chorus Pro is, who we are there, and how much we send, read and wait.

Hosts are settings and never constants: they moved before (domain facts 1.1, dead hosts) and differ between
qualification and production. Secrets stay out of every repr.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

_MIB: Final = 1024 * 1024
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
MOST_DOCUMENTS_PER_FLOW: Final = 500  # domain facts 8, S2
MOST_PER_PAGE: Final = 100


def _between(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise ValueError(f"{name} must lie between {least} and {most}, not {value}")


@dataclass(frozen=True, slots=True)
class Account:
    """A technical account (`TECH_n_xxxxxx@cpro.fr`): who acts for a structure, beside the OAuth application."""

    login: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds. `read_s` is silence between two bytes; the totals bound a whole exchange, however it trickles."""

    connect_s: float = 10.0
    read_s: float = 60.0
    total_s: float = 120.0
    upload_s: float = 300.0  #: a deposit, answer included: 40 MB over a slow line


@dataclass(frozen=True, slots=True)
class Limits:
    """What one flow may hold (domain facts 1.6) and what one answer may weigh."""

    documents_per_flow: int = 100
    file_bytes: int = 10 * _MIB
    flow_bytes: int = 30 * _MIB
    page_size: int = 100
    pages: int = 1000
    answer_bytes: int = 4 * _MIB

    def __post_init__(self) -> None:
        _between("documents_per_flow", self.documents_per_flow, 1, MOST_DOCUMENTS_PER_FLOW)
        _between("page_size", self.page_size, 1, MOST_PER_PAGE)
        _between("pages", self.pages, 1, 100_000)
        _between("file_bytes", self.file_bytes, 1, self.flow_bytes)
        _between("answer_bytes", self.answer_bytes, 1024, 256 * _MIB)


@dataclass(frozen=True, slots=True)
class ChorusSettings:
    """One Chorus Pro (qualification or production) and the OAuth application that calls it."""

    token_url: str
    api_url: str  #: without /cpro: https://api.piste.gouv.fr
    client_id: str
    client_secret: str = field(repr=False)
    accounts: Mapping[str, Account] = field(default_factory=dict)  #: by `Issuer.account`
    scope: str = "openid"
    timeouts: Timeouts = Timeouts()
    limits: Limits = Limits()
    mixed_syntax: bool = True  #: a CII with its PDF inside goes as E2 "mixed" instead of E1
    ca_bundle: Path | None = None  #: None: the certificates shipped with requests
    proxy: str = ""  #: never taken from the environment

    def __post_init__(self) -> None:
        for name in ("token_url", "api_url"):
            _check_url(name, getattr(self, name))


def _check_url(name: str, url: str) -> None:
    """Secrets travel in each call: plain HTTP is for a simulator on this machine only."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname in _LOOPBACK:
        return
    raise ValueError(f"{name} must be an https address (http only on this machine): {url!r}")
