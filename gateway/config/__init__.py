"""Typed configuration (DESIGN 4.6): `load` gives frozen `Settings` or raises everything that is wrong, at once."""

from gateway.config.faults import ConfigurationFaults, Fault
from gateway.config.load import Checked, check, load
from gateway.config.read import fingerprint
from gateway.config.reload import Configuration, Reload
from gateway.config.schema import json_schema, json_schema_text
from gateway.config.secrets import Secret
from gateway.config.settings import Settings
from gateway.config.values import Hours

__all__ = [
    "Checked",
    "Configuration",
    "ConfigurationFaults",
    "Fault",
    "Hours",
    "Reload",
    "Secret",
    "Settings",
    "check",
    "fingerprint",
    "json_schema",
    "json_schema_text",
    "load",
]
