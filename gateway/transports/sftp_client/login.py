"""Telling the server who we are: key files (with their certificates), the agent's keys, a password.

A private key that others may read is not used, as OpenSSH does. Servers that ask for two things (a key, then a
password) get both.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from functools import partial

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm

from gateway.domain.finding import printable
from gateway.transports.sftp_client.errors import LoginRefused, Lost
from gateway.transports.sftp_client.peer import KeyFile, Peer

#: One way to log in: its name for people, and the attempt. It returns what the server wants besides (nothing: done).
_Way = tuple[str, Callable[[], list[str]]]


def log_in(transport: paramiko.Transport, peer: Peer) -> None:
    """Try each way configured until one is taken. Raises LoginRefused with what was tried, or Lost."""
    tried: list[str] = []
    for name, attempt in _ways(transport, peer):
        try:
            attempt()
        except paramiko.BadAuthenticationType as error:
            tried.append(f"{name} (the server takes {printable(', '.join(error.allowed_types), 100)})")
        except paramiko.AuthenticationException as error:
            tried.append(f"{name} ({printable(str(error), 100)})")
        except Exception as error:  # whatever paramiko's reading of hostile bytes ends with
            if transport.is_active():
                tried.append(f"{name} ({printable(str(error), 100)})")
            else:
                raise _gone(peer, [*tried, name], error) from error
        if transport.is_authenticated():
            return
        if not transport.is_active():
            raise _gone(peer, tried or [name], None)
    if not tried:
        raise LoginRefused(f"{peer}: no way to log in is configured, or the agent has no key. → Configure a key file.")
    raise LoginRefused(
        f"{peer}: the server does not let us in; tried {'; '.join(tried)}. → Ask the partner whether the account is "
        "open and our public key is installed."
    )


def _gone(peer: Peer, tried: list[str], error: Exception | None) -> LoginRefused | Lost:
    """Servers hang up after a few attempts, so an end amid the login most often is a refusal."""
    why = f": {printable(str(error), 100)}" if error is not None and str(error) else ""
    if len(tried) > 1:
        return LoginRefused(f"{peer}: the server hung up during login, after {'; '.join(tried)}{why}")
    return Lost(f"{peer}: the connection ended during login{why}")


def _ways(transport: paramiko.Transport, peer: Peer) -> Iterator[_Way]:
    user = peer.login.user
    for file in peer.login.keys:
        key = _load(peer, file)
        yield f"key {file.path.name}", partial(transport.auth_publickey, user, key)
    if peer.login.agent:
        agent = paramiko.Agent()
        try:
            for held in agent.get_keys():
                yield "a key of the agent", partial(transport.auth_publickey, user, held)
        finally:
            agent.close()
    password = peer.login.password
    if password is not None:
        yield "password", partial(transport.auth_password, user, password)


def _load(peer: Peer, file: KeyFile) -> paramiko.PKey:
    try:
        mode = file.path.stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise LoginRefused(f"{peer}: others may read the private key {file.path}. → chmod 600 {file.path}")
        passphrase = file.passphrase.encode() if file.passphrase is not None else None
        key = paramiko.PKey.from_path(file.path, passphrase)  # type: ignore[arg-type]
        if file.certificate is not None:
            key.load_certificate(str(file.certificate))
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm, paramiko.SSHException) as error:
        raise LoginRefused(f"{peer}: the private key {file.path} cannot be used: {printable(str(error))}") from error
    return key
