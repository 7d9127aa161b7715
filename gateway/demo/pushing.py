"""The ERP of the demo pushes its files by SFTP: to the gateway's own server, with the gateway's own client."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gateway.app import Gateway
from gateway.clock import SystemClock
from gateway.demo.drops import DemoFile
from gateway.demo.scene import ERP, Scene
from gateway.transports.sftp_client.circuit import Circuit
from gateway.transports.sftp_client.connections import Connections
from gateway.transports.sftp_client.folder import RemoteFolder
from gateway.transports.sftp_client.peer import HostKeys, KeyFile, Login, Peer
from gateway.transports.sftp_client.pool import Pool
from gateway.transports.sftp_client.results import Failed

_INBOX: Final = b"/in"


class NotPushed(Exception):
    """Our own server refused a file of the demo."""


def make_key(scene: Scene) -> None:
    """The ERP's key pair: the private half among the secrets, the public one where its login looks for it."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    descriptor = os.open(scene.erp_key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(private)
    scene.erp_keys.parent.mkdir()
    scene.erp_keys.write_bytes(key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH) + b" demo\n")


class Pushing:
    """A connection of the ERP to the gateway's server."""

    def __init__(self, folder: RemoteFolder) -> None:
        self._folder = folder

    def push(self, file: DemoFile) -> None:
        """Put one file into `in/`. Raises `NotPushed`."""
        for result in self._folder.put_many([(file.name.encode(), file.content)]):
            if isinstance(result, Failed):
                raise NotPushed(f"{file.name}: {result.reason}")


@contextmanager
def pushing(gateway: Gateway, scene: Scene) -> Iterator[Pushing]:
    """The server runs, and the ERP is ready to push."""
    front = gateway.front(lambda: None)
    assert front is not None, "the demo's configuration has a server"
    front.server.start()
    peer = Peer(
        host="127.0.0.1",
        port=front.server.port,
        login=Login(ERP, (KeyFile(scene.erp_key),)),
        host_keys=HostKeys(tuple(key.fingerprint for key in front.server.host_keys)),
    )
    pool = Pool(Connections(peer, Circuit(SystemClock().now)))
    try:
        yield Pushing(RemoteFolder(pool, _INBOX))
    finally:
        pool.close()
        front.server.stop()
