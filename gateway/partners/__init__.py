"""Connecting a partner behind OpenSSH: its file, folders, keys, and what sshd and the system must be told."""
