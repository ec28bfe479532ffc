"""Reads the settings, once, at start, and refuses what it does not understand.

Guarantees that what runs is exactly what an operator wrote: a misspelt name, a malformed value, a
value out of range or two that contradict refuse with 78 and say what to write instead, all at once.
Each class of settings is its own section; the safeguards' are the safeguards themselves.
"""

from arbees.settings.general import (
    Alerting,
    AuditLogSettings,
    ClientSettings,
    Exceptions,
    GatewaySettings,
)
from arbees.settings.loaded import Settings, Shown, address_of, all_sections, load, load_here
from arbees.settings.problems import SettingsRefused

__all__ = [
    "Alerting",
    "AuditLogSettings",
    "ClientSettings",
    "Exceptions",
    "GatewaySettings",
    "Settings",
    "SettingsRefused",
    "Shown",
    "address_of",
    "all_sections",
    "load",
    "load_here",
]
