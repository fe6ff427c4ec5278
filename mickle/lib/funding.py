"""What a site's own files say about how to fund it: funding.json and FUNDING.yml."""

import json
from typing import Any

import yaml

_READ_AT_MOST = 100
# GitHub reads four addresses of its own file; a longer one takes seconds.
_CHARACTERS_AT_MOST = 50_000


def channels(text: str) -> list[str]:
    """The addresses of the channels of a funding.json; empty for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    funding = _entry(found, "funding")
    listed = _entry(funding, "channels")
    named = [_entry(one, "address") for one in _items(listed)]
    return [address for address in named if isinstance(address, str)]


def mails(text: str) -> list[str]:
    """The mail addresses a funding.json gives for its channels, then that of who wrote it."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    of_channels = [one.removeprefix("mailto:") for one in channels(text)]
    owner = _entry(_entry(found, "entity"), "email")
    named = [*of_channels, *([owner] if isinstance(owner, str) else [])]
    return [one.strip() for one in named if "@" in one and "/" not in one]


def custom(text: str) -> list[str]:
    """The addresses under `custom` of a FUNDING.yml; empty for anything else."""
    if len(text) > _CHARACTERS_AT_MOST:
        return []
    try:
        # Texts alone: what makes numbers and dates of them stumbles over odd ones (`!!int ""`).
        found = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - makes nothing but texts
    except (yaml.YAMLError, RecursionError, ValueError):
        return []
    named = _entry(found, "custom")
    listed = [named] if isinstance(named, str) else _items(named)
    return [address for address in listed if isinstance(address, str)]


def _entry(found: Any, name: str) -> Any:
    return found.get(name) if isinstance(found, dict) else None


def _items(found: Any) -> list[Any]:
    return found[:_READ_AT_MOST] if isinstance(found, list) else []
