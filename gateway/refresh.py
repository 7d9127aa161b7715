"""`gateway buyers refresh`: the directory snapshot brought up to date from the command line."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.app import chorus_settings
from gateway.clock import SystemClock
from gateway.config import Configuration
from gateway.directory import LiveBuyers
from gateway.routes.chorus_api import ChorusApi


def refresh_buyers(configuration: Configuration, sirets: Sequence[str]) -> str:
    """Ask Chorus Pro for these bodies, or for all of the snapshot; a sentence about what was learnt."""
    clock = SystemClock()
    client = ChorusApi(chorus_settings(configuration.settings), clock)
    try:
        done = LiveBuyers(configuration, clock, client).refresh(sirets)
    finally:
        client.close()
    if done is None:
        return "nobody to ask about: name SIRETs, or gateway buyers import a directory file"
    return f"{done.buyers} bodies, {done.services} services"
