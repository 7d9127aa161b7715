"""The one way in which everything here says no: what was wrong, where, and the remedy, in one sentence."""

from __future__ import annotations


class Refused(Exception):
    """Nothing was done; the text is for the operator."""
