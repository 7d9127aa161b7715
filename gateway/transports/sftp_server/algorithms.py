"""What the server negotiates: modern algorithms only, no compression. paramiko offers no ChaCha20.

The client's order decides. AES-CTR stays for clients without GCM (libssh2 before 1.11, older WinSCP), always with an
encrypt-then-MAC where the client has it. Nothing with SHA-1, CBC, 3DES, DSA, or a group below 3072 bits.
"""

from __future__ import annotations

from typing import Final

import paramiko

_POST_QUANTUM: Final = "mlkem768x25519-sha256"
KEX: Final = tuple(
    name
    for name in (
        _POST_QUANTUM,
        "curve25519-sha256@libssh.org",
        "ecdh-sha2-nistp256",
        "ecdh-sha2-nistp384",
        "ecdh-sha2-nistp521",
        "diffie-hellman-group16-sha512",
    )
    if name in paramiko.Transport._kex_info  # type: ignore[attr-defined]  # what the installed cryptography can do
)
CIPHERS: Final = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
)
MACS: Final = (
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
)
HOST_KEYS: Final = ("ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256")
CLIENT_KEYS: Final = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
