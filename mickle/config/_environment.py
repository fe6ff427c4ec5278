"""Reads settings from the environment, also from files (NAME_FILE), and fails loudly."""

import difflib
import ipaddress
import os
import re
import secrets
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import AppRegistryNotReady, ImproperlyConfigured

from mickle.lib import money, resolvers
from mickle.lib.errors import Refused

# More have no number a setting may be, and Python reads a few thousand only.
_DIGITS = 20
# As the key that is made has twice: who guesses a key signs in as anybody.
_KEY_SIGNS = 32
# How like a setting a name has to be to be taken for it, from 0 to 1.
_LIKE = 0.85
_GITHUB = "github.com"
_asked: set[str] = set()


def text(name: str, default: str = "") -> str:
    """The value of MICKLE_<name>, or the content of the file MICKLE_<name>_FILE."""
    _asked.add(name)
    if path := os.environ.get(f"MICKLE_{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            why = error.strerror or error
            raise ImproperlyConfigured(
                f"MICKLE_{name}_FILE names {path}, and that cannot be read: {why}."
            ) from error
        except UnicodeDecodeError:
            # What stands there is a secret, so not even a byte of it is said.
            raise ImproperlyConfigured(f"MICKLE_{name}_FILE is not UTF-8 text.") from None
    return os.environ.get(f"MICKLE_{name}", default)


def no_other() -> None:
    """Refuse what is named nearly as a setting, or as the beginning of one: it would not count.

    Other names are left alone; where a service is called “mickle”, Kubernetes sets some.
    """
    known = {f"MICKLE_{name}{end}" for name in _asked for end in ("", "_FILE")}
    for given in sorted(os.environ):
        if not given.startswith("MICKLE_") or given in known:
            continue
        name = given.removeprefix("MICKLE_").upper()
        of_file = re.sub(r"_?FILES?$", "", name)
        if meant := _meant(name) or _meant(of_file, "_FILE"):
            raise ImproperlyConfigured(f"{given} is no setting; MICKLE_{meant} is one.")


def _meant(name: str, end: str = "") -> str:
    """The setting that a name begins, or is like; empty where there is none."""
    begun = [one for one in sorted(_asked) if one.startswith(f"{name}_")]
    found = begun or difflib.get_close_matches(name, _asked, n=1, cutoff=_LIKE)
    return f"{found[0]}{end}" if found else ""


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """One of the allowed words."""
    value = text(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"MICKLE_{name} is “{value}”; it may be {', '.join(allowed)}.")
    return value


def number(name: str, default: int, *, least: int = 0, most: int = 10**9) -> int:
    """A whole number: nought, or `least` or more, up to `most`."""
    value = text(name, str(default))
    if not value.isdecimal() or len(value) > _DIGITS:
        raise ImproperlyConfigured(f"MICKLE_{name} is “{value}”; it must be a whole number.")
    if 0 < int(value) < least:
        raise ImproperlyConfigured(f"MICKLE_{name} is {value}; it may be 0, or {least} or more.")
    if int(value) > most:
        raise ImproperlyConfigured(f"MICKLE_{name} is {value}; it may be at most {most}.")
    return int(value)


def amount(name: str, default: str, decimals: int) -> int:
    """Micros of an amount written as decimal text."""
    value = text(name, default)
    try:
        return money.parse(value, decimals)
    except (Refused, AppRegistryNotReady) as error:
        # A refusal is said in the reader's language, and there is none yet.
        such = money.plain(2_500_000, decimals)
        raise ImproperlyConfigured(
            f"MICKLE_{name} is “{value}”; it must be an amount such as {such}."
        ) from error


def in_order(least: tuple[str, int], usual: tuple[str, int], most: tuple[str, int]) -> None:
    """Refuse limits, each a name and micros, that leave no amount or not the usual one."""
    if not 0 < least[1] <= most[1]:
        raise ImproperlyConfigured(
            f"MICKLE_{least[0]} must be more than nought, and MICKLE_{most[0]} no less than it."
        )
    if not least[1] <= usual[1] <= most[1]:
        raise ImproperlyConfigured(
            f"MICKLE_{usual[0]} must be no less than MICKLE_{least[0]} and no more than "
            f"MICKLE_{most[0]}."
        )


def folder(name: str) -> str:
    """A folder, whoever asks from wherever, or one of an object store; or empty."""
    value = text(name)
    if not value or "://" in value:
        return value.rstrip("/")
    # What is kept of a relative one would be another folder for a process begun elsewhere.
    return str(Path(value).expanduser().absolute()).rstrip("/")


def currency(name: str, default: str) -> str:
    """A code of ISO 4217."""
    value = text(name, default)
    if not re.fullmatch("[A-Z]{3}", value):
        raise ImproperlyConfigured(f"MICKLE_{name} is “{value}”; it must be a code such as EUR.")
    return value


def iban(name: str) -> str:
    """A bank account with check digits that fit, without spaces; or empty."""
    value = "".join(text(name).split()).upper()
    turned = value[4:] + value[:4]
    whole = re.fullmatch("[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", value)
    if value and not (whole and int("".join(str(int(sign, 36)) for sign in turned)) % 97 == 1):
        raise ImproperlyConfigured(
            f"MICKLE_{name} is “{value}”; it must be a whole IBAN, and its check digits must fit."
        )
    return value


def bic(name: str) -> str:
    """The code of a bank, without spaces; or empty."""
    value = "".join(text(name).split()).upper()
    if value and not re.fullmatch("[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?", value):
        raise ImproperlyConfigured(f"MICKLE_{name} is “{value}”; it must have 8 or 11 signs.")
    return value


def hosts(name: str) -> list[str]:
    """Names of hosts as browsers send them, without the port."""
    found = words(name)
    for word in found:
        if not re.fullmatch(r"\*|\.?[\w.-]+|\[[0-9A-Fa-f:.]+\]", word):
            raise ImproperlyConfigured(
                f"MICKLE_{name} has “{word}”; it must be a name such as nod.example.org, without "
                "https:// and without a port."
            )
    return found


def origin(name: str) -> str:
    """Where something is served, http(s)://HOST, or empty."""
    value = text(name).rstrip("/")
    if value and not re.fullmatch(r"https?://[^/?#@\s]+", value):
        raise ImproperlyConfigured(
            f"MICKLE_{name} is “{value}”; it must be https://HOST, with nothing behind it."
        )
    return value


def hosts_of(*origins: str) -> list[str]:
    """The names of the hosts of those that are not empty, without the port."""
    found = (urlsplit(one).netloc for one in origins if one)
    return [re.sub(r":\d*$", "", host) for host in found]


def networks(name: str) -> list[str]:
    """Addresses, or networks as 192.0.2.0/24; “*” is all of them."""
    found = words(name)
    for word in found:
        try:
            if word != "*":
                ipaddress.ip_network(word)
        except ValueError:
            raise ImproperlyConfigured(
                f"MICKLE_{name} has “{word}”; it must be an address such as 127.0.0.1, "
                "or a network such as 192.0.2.0/24."
            ) from None
    return found


def database(default: str) -> dict[str, Any]:
    """What DATABASE_URL names; never said back, for it may hold a password."""
    url = os.environ.get("DATABASE_URL") or default
    try:
        found: dict[str, Any] = dict(dj_database_url.parse(url))
    except ValueError:
        raise ImproperlyConfigured(
            "DATABASE_URL cannot be read; it must be postgres://USER:PASSWORD@HOST/NAME, with each "
            "odd letter of the password as %XX, or sqlite:///PATH."
        ) from None
    if found["ENGINE"].endswith("sqlite3"):
        if "#" in url or "?" in url:
            raise ImproperlyConfigured(
                "DATABASE_URL names a file of SQLite; write %23 for a “#” in it, and %3F for a “?”."
            )
        if found["NAME"] in ("", ":memory:") or found["NAME"].startswith("file:"):
            raise ImproperlyConfigured(
                "DATABASE_URL names no file, so nothing would be kept; write sqlite:///PATH."
            )
    elif not found["NAME"] and "service" not in found.get("OPTIONS", {}):
        raise ImproperlyConfigured(
            "DATABASE_URL names a server and no database there; write "
            "postgres://USER:PASSWORD@HOST/NAME."
        )
    return found


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
    # What stands before ID:SECRET and was not understood as a host is a part of neither.
    found = re.fullmatch(r"(?!.*=.*:)([!-9;-~]{1,200}):([!-~]{1,500})", given)
    if not found:
        raise _no_app(setting)
    return found[1], found[2]


def _no_app(setting: str) -> ImproperlyConfigured:
    form = {
        "GITHUB": "ID:SECRET of an app at github.com",
        "GITLAB": "ID:SECRET for gitlab.com and HOST=ID:SECRET for others, each host once and in "
        "small letters, without www and without a port",
    }[setting]
    return ImproperlyConfigured(f"MICKLE_{setting} cannot be read; it must be {form}.")


def apps(setting: str, given: list[str], usual: str) -> dict[str, tuple[str, str]]:
    """By host: each word is HOST=ID:SECRET, or ID:SECRET for the usual host."""
    found: dict[str, tuple[str, str]] = {}
    for word in given:
        host, mark, rest = word.partition("=")
        named = bool(mark) and re.fullmatch(r"(?!www\.)[a-z0-9.-]{1,200}\.[a-z0-9-]{2,63}", host)
        place = host if named else usual
        # What GitHub is asked and told goes to its own hosts, whatever is written here.
        if place in found or (_GITHUB in (place, usual) and place != usual):
            raise _no_app(setting)
        found[place] = app(setting, rest if named else word)
    return found


def data_dir() -> Path:
    """The folder of this instance's data; made when it is missing, readable by its owner only."""
    fallback = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "mickle"
    path = Path(text("DATA") or fallback).expanduser().absolute()
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise ImproperlyConfigured("The name of the data folder is not UTF-8 text.") from None
    if "?" in str(path):
        # DuckDB takes what follows for options, and puts half of its files elsewhere.
        raise ImproperlyConfigured(f"The data folder {path} may have no “?” in its name.")
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ImproperlyConfigured(
            f"The data folder {path} cannot be made ({error.strerror or error}). Nothing was "
            "changed; name another with --data or MICKLE_DATA."
        ) from error
    return path


def secret_key(folder: Path) -> str:
    """MICKLE_SECRET_KEY, or a key made once and kept in the data folder."""
    if given := text("SECRET_KEY"):
        if len(given) < _KEY_SIGNS:
            raise ImproperlyConfigured(
                f"MICKLE_SECRET_KEY has fewer than {_KEY_SIGNS} signs, so it can be guessed. Make "
                "one with “openssl rand -base64 48”, and name the old one in "
                "MICKLE_OLD_SECRET_KEYS, so that nobody has to sign in again."
            )
        return given
    if os.environ.get("MICKLE_SECRET_KEY_FILE"):
        raise ImproperlyConfigured("MICKLE_SECRET_KEY_FILE is empty.")
    path = folder / "secret-key"
    try:
        if not path.exists():
            _keep_new_key(path)
        kept = path.read_bytes()
    except PermissionError as error:
        raise ImproperlyConfigured(
            f"The key in the data folder {folder} cannot be read or made ({error.strerror}). "
            "Nothing was changed; run mickle as the user the folder belongs to, or name another "
            "with --data or MICKLE_DATA."
        ) from error
    if len(kept.strip()) < _KEY_SIGNS or not kept.isascii():
        raise ImproperlyConfigured(
            f"{path} holds no whole key. Put it back from a backup, or remove the file: a new key "
            "is made then, and everybody signs in again."
        )
    return kept.decode("ascii")


def _keep_new_key(path: Path) -> None:
    """Write a key; whole or not at all, and of two who do so at once the first one's stays."""
    number, new = tempfile.mkstemp(prefix="secret-key-", dir=path.parent)
    try:
        with os.fdopen(number, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(number)
        try:
            os.link(new, path)
        except FileExistsError:
            return
        except OSError:
            # A file system that knows no links.
            Path(new).replace(path)
    finally:
        Path(new).unlink(missing_ok=True)
