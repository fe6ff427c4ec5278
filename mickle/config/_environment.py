"""Reads settings from the environment, also from files (NAME_FILE), and fails loudly."""

import os
import re
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from mickle.lib import money, resolvers
from mickle.lib.errors import Refused


def text(name: str, default: str = "") -> str:
    """The value of MICKLE_<name>, or the content of the file MICKLE_<name>_FILE."""
    if path := os.environ.get(f"MICKLE_{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"MICKLE_{name}_FILE cannot be read: {error}") from error
    return os.environ.get(f"MICKLE_{name}", default)


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """One of the allowed words."""
    value = text(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"MICKLE_{name} is “{value}”; it may be {', '.join(allowed)}.")
    return value


def number(name: str, default: int, *, least: int = 0) -> int:
    """A whole number: nought, or `least` or more."""
    value = text(name, str(default))
    if not value.isdecimal():
        raise ImproperlyConfigured(f"MICKLE_{name} is “{value}”; it must be a whole number.")
    if 0 < int(value) < least:
        raise ImproperlyConfigured(f"MICKLE_{name} is {value}; it may be 0, or {least} or more.")
    return int(value)


def amount(name: str, default: str, decimals: int) -> int:
    """Micros of an amount written as decimal text."""
    try:
        return money.parse(text(name, default), decimals)
    except Refused as error:
        raise ImproperlyConfigured(f"MICKLE_{name}: {error}") from error


def words(name: str) -> list[str]:
    """A list separated by commas."""
    return [word.strip() for word in text(name).split(",") if word.strip()]


def proxy(address: str) -> str:
    """The address of an HTTP proxy; never said back, for it may hold a password."""
    if not address or re.fullmatch(r"http://[^/?#\s]+:\d{1,5}/?", address):
        return address
    raise ImproperlyConfigured("MICKLE_FETCH_PROXY cannot be read; it must be http://HOST:PORT.")


def places(servers: list[str]) -> tuple[str, ...]:
    """Servers of names, each an address with or without a port."""
    for server in servers:
        try:
            resolvers.place(server)
        except ValueError as error:
            raise ImproperlyConfigured(
                f"MICKLE_FETCH_RESOLVERS has “{server}”; it must be an address such as 9.9.9.9 "
                "or 127.0.0.1:5353."
            ) from error
    return tuple(servers)


def app(setting: str, given: str) -> tuple[str, str]:
    """The id and secret this instance has at a site, ID:SECRET; never said back."""
    found = re.fullmatch(r"([!-9;-~]{1,200}):([!-~]{1,500})", given)
    if not found:
        raise ImproperlyConfigured(f"MICKLE_{setting} cannot be read; it must be ID:SECRET.")
    return found[1], found[2]


def apps(setting: str, given: list[str], usual: str) -> dict[str, tuple[str, str]]:
    """By host: each word is HOST=ID:SECRET, or ID:SECRET for the usual host."""
    found: dict[str, tuple[str, str]] = {}
    for word in given:
        host, mark, rest = word.partition("=")
        named = bool(mark) and re.fullmatch(r"[a-z0-9.-]{1,200}\.[a-z0-9-]{2,63}", host)
        found[host if named else usual] = app(setting, rest if named else word)
    return found


def data_dir() -> Path:
    """The folder of this instance's data; made when it is missing, readable by its owner only."""
    fallback = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "mickle"
    path = Path(text("DATA") or fallback).expanduser().absolute()
    if "?" in str(path):
        # DuckDB takes what follows for options, and puts half of its files elsewhere.
        raise ImproperlyConfigured(f"The data folder {path} may have no “?” in its name.")
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ImproperlyConfigured(f"The data folder {path} cannot be made: {error}") from error
    return path


def secret_key(folder: Path) -> str:
    """MICKLE_SECRET_KEY, or a key made once and kept in the data folder."""
    if given := text("SECRET_KEY"):
        return given
    path = folder / "secret-key"
    try:
        with open(path, "x", encoding="ascii", opener=_private) as file:
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return path.read_text(encoding="ascii")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
