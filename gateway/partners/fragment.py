"""The part of sshd_config for one partner, to be put into `/etc/ssh/sshd_config.d/` by somebody who is root."""

from __future__ import annotations

from gateway.partners.front import Front, sshd_path


def fragment(front: Front) -> str:
    """The text. Values were checked when the `Front` was made: none of them can open a block of its own."""
    return f"""\
# Partner {front.partner}: files only, and only below its own folder. Written by `gateway partner add`.
Match User {front.login}
    ChrootDirectory {sshd_path(front.root)}
    # The gateway is the owner of what is uploaded (same user id), so that nobody else need read it.
    ForceCommand internal-sftp -u 0077 -l INFO -f AUTH
    AuthorizedKeysFile {sshd_path(front.keys)}
    AuthorizedKeysCommand none
    AuthorizedPrincipalsFile none
    TrustedUserCAKeys none
    AuthenticationMethods publickey
    PubkeyAuthentication yes
    PasswordAuthentication no
    KbdInteractiveAuthentication no
    DisableForwarding yes
    AllowTcpForwarding no
    AllowStreamLocalForwarding no
    AllowAgentForwarding no
    X11Forwarding no
    PermitTunnel no
    PermitTTY no
    PermitUserRC no
    # A dead network ends a session after three minutes.
    ClientAliveInterval 60
    ClientAliveCountMax 3
Match all
"""
