"""The controls under /_simulator/: what a test or the demo in another process asks of the simulator."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

from starlette.responses import JSONResponse, Response

from gateway.simulator.platform import APIS, Platform
from gateway.simulator.times import iso

#: What may be switched while it runs.
SWITCHES: Final = frozenset(
    {
        "flow_delay_s",
        "status_delay_s",
        "refuse_duplicates",
        "token_ttl_s",
        "missing_bearer_status",
        "empty_search_is_an_error",
    }
)


def control(platform: Platform, method: str, name: str, body: bytes) -> Response:
    """One control. Wrong use is a 400 that says what was wrong."""
    act = CONTROLS.get((method, name))
    if act is None:
        known = sorted(f"{method} {name}" for method, name in CONTROLS)
        return JSONResponse({"error": f"no such control; known: {known}"}, 404)
    try:
        asked = json.loads(body or b"{}")
        if not isinstance(asked, dict):
            raise ValueError("a JSON object is expected")
        return JSONResponse(act(platform, asked))
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)


def switch(platform: Platform, name: str, value: Any) -> None:
    """Change one option of a running simulator; its type must stay."""
    if name not in SWITCHES:
        raise ValueError(f"{name!r} cannot be switched; {sorted(SWITCHES)} can")
    old = getattr(platform.options, name)
    fits = isinstance(value, bool) == isinstance(old, bool) and isinstance(value, int | float)
    if not fits or value < 0:
        raise ValueError(f"{name} = {value!r} is no {type(old).__name__}")
    setattr(platform.options, name, type(old)(value))


def subscribe(platform: Platform, api: str, on: bool) -> None:
    """An API that is not subscribed answers 403 without a body."""
    if api not in APIS:
        raise ValueError(f"unknown API {api!r}; known: {sorted(APIS)}")
    if on:
        platform.subscriptions.add(api)
    else:
        platform.subscriptions.discard(api)


def _state(platform: Platform, _: Mapping[str, Any]) -> Any:
    return platform.state()


def _invoices(platform: Platform, _: Mapping[str, Any]) -> Any:
    return {"invoices": platform.invoices()}


def _advance(platform: Platform, asked: Mapping[str, Any]) -> Any:
    return {"now": iso(platform.advance(timedelta(seconds=asked["seconds"])))}


def _set_status(platform: Platform, asked: Mapping[str, Any]) -> Any:
    platform.set_status(asked["number"], asked["status"], asked.get("comment", ""), asked.get("issuer"))
    return {}


def _set_flow(platform: Platform, asked: Mapping[str, Any]) -> Any:
    platform.set_flow(asked["flow"], asked["state"])
    return {}


def _faults(platform: Platform, _: Mapping[str, Any]) -> Any:
    return {"faults": platform.faults.coming()}


def _add_fault(platform: Platform, asked: Mapping[str, Any]) -> Any:
    platform.faults.add(**asked)
    return _faults(platform, asked)


def _clear_faults(platform: Platform, asked: Mapping[str, Any]) -> Any:
    platform.faults.clear()
    return _faults(platform, asked)


def _options(platform: Platform, asked: Mapping[str, Any]) -> Any:
    for name, value in asked.items():
        switch(platform, name, value)
    return {name: value for name, value in asdict(platform.options).items() if name in SWITCHES}


def _tokens(platform: Platform, asked: Mapping[str, Any]) -> Any:
    if asked.get("expire"):
        platform.expire_tokens()
    if "issue" in asked:
        platform.issues_tokens = bool(asked["issue"])
    return {"issue": platform.issues_tokens}


def _subscriptions(platform: Platform, asked: Mapping[str, Any]) -> Any:
    subscribe(platform, asked["api"], bool(asked["on"]))
    return {"subscriptions": sorted(platform.subscriptions)}


CONTROLS: Final[Mapping[tuple[str, str], Callable[[Platform, Mapping[str, Any]], Any]]] = {
    ("GET", "state"): _state,
    ("GET", "invoices"): _invoices,
    ("POST", "advance"): _advance,
    ("POST", "invoices"): _set_status,
    ("POST", "flows"): _set_flow,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("POST", "options"): _options,
    ("POST", "tokens"): _tokens,
    ("POST", "subscriptions"): _subscriptions,
}
