"""Bytes in, documents out: each module reads one form of what partners send."""
