"""Checks of addresses: services over TLS (plain HTTP on this machine only), databases without a password."""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult, urlsplit

from gateway.config.values import wrong

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_DATABASES: Final = ("sqlite", "postgresql+psycopg")


def checked_service_url(url: str) -> str:
    """An HTTPS address without credentials, query or trailing slash; HTTP only on this machine (the simulator)."""
    if not url:
        return url
    parts = _split(url)
    if parts is None or parts.scheme not in {"https", "http"} or not parts.hostname:
        raise wrong("an address such as https://host/path", _hidden(url))
    if parts.username is not None or parts.query or parts.fragment:
        raise wrong("an address without credentials, query or fragment", "an address with one (not shown)")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        # The token request and cpro-account carry passwords in clear inside the connection.
        raise wrong("https (http only on this machine, for a simulator)")
    return url.rstrip("/")


def checked_proxy_url(url: str) -> str:
    """An address without credentials; what goes through it is encrypted end to end, so plain HTTP will do."""
    parts = _split(url)
    if url and (parts is None or parts.scheme not in {"http", "https"} or not parts.hostname):
        raise wrong("an address such as http://proxy.example:3128", _hidden(url))
    if parts is not None and parts.username is not None:
        raise wrong("an address without credentials", "an address with some (not shown)")
    return url


def checked_database_url(url: str) -> str:
    """A URL of a database that we support; a password is a secret and stands elsewhere."""
    if not url:
        return url
    parts = _split(url)
    if parts is None or parts.scheme not in _DATABASES:
        raise wrong("sqlite:///path or postgresql+psycopg://user@host/database", _hidden(url))
    if parts.password is not None or "password" in parts.query.lower():
        raise wrong('a URL without password; put it in ledger.password = { env = "NAME" }', "one with (not shown)")
    if parts.scheme == "sqlite" and (parts.netloc or not parts.path.startswith("//") or not parts.path.strip("/")):
        # A relative path would follow the folder in which the service was started; a ledger in memory loses all.
        raise wrong("sqlite:////absolute/path/of/ledger.sqlite3 (four slashes)")
    return url


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  (raises for a port that is no number)
    except ValueError:
        return None
    return parts if url.isprintable() and " " not in url else None


def _hidden(url: str) -> str:
    return "another address (not shown, it may hold a password)" if "@" in url else ""
