"""Our SFTP client: fetch what partners lay ready on their servers, put acknowledgements there.

`peer` is what is configured of a server, `folder` what the rest of the gateway calls. It is built on paramiko for the
SSH below and on a small request layer of our own (`wire`, `session`, `pipeline`) that keeps many requests in flight:
paramiko's file objects wait for one answer at a time. Everything that a server says is taken for hostile.
"""
