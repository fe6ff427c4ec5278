"""Sites where members sign in: what is asked where, and what their answers say of an account.

Each as it is documented: docs.github.com (OAuth apps), docs.gitlab.com (OAuth 2.0 identity
provider), docs.joinmastodon.org (OAuth, accounts). Nothing here goes out or touches a table.
"""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from mickle.lib import urls
from mickle.lib.fetch import Call
from mickle.things.models import MAKER_CHARACTERS

log = logging.getLogger(__name__)

GITHUB, GITLAB, MASTODON = "github", "gitlab", "mastodon"
HOMES = {"github.com": GITHUB, "gitlab.com": GITLAB}
_CALLED = {"github.com": "GitHub", "gitlab.com": "GitLab"}
# Servers before Mastodon 4.3, and some that are none, do not know the smaller one.
OLD_SCOPE = "read:accounts"
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,98}[A-Za-z0-9_-])?")
_NUMBER_LIMIT = 1 << 63
# Others are no date of an account, and at the ends no zone can be told of them.
_YEARS = range(1985, 9000)
_WORD = re.compile(r"[A-Za-z0-9]{1,40}")
# Errors of the id, the secret or the address to come back to (RFC 6749, 5.2, and GitHub's own).
_OURS = (
    *("invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope"),
    *("incorrect_client_credentials", "redirect_uri_mismatch", "application_suspended"),
)
_SECRET = re.compile(r"[!-~]{1,500}")


class Odd(Exception):
    """The answer is none that this site could give."""


class Key(NamedTuple):
    """What this instance is known by at a site, and what it may see there."""

    client_id: str
    client_secret: str
    scope: str


class Account(NamedTuple):
    """An account as its site tells of it: the number stays, the name is a label."""

    site: str
    host: str
    number: str
    name: str
    since_at: datetime | None = None

    @property
    def handle(self) -> str:
        """`github:583231`, `gitlab:git.example:7`, `mastodon:social.example:109`."""
        where = "" if self.host in HOMES else f"{self.host}:"
        return f"{self.site}:{where}{self.number}"

    @property
    def text(self) -> str:
        """The place of its own page."""
        mark = "@" if self.site == MASTODON else ""
        return f"{self.host}/{mark}{self.name.lower()}"


def name_of(host: str) -> str:
    """What a site is called in `Thing.maker`."""
    return HOMES.get(host, host)


def maker(text: str) -> str:
    """What things of the account are made by, from the place of its own page."""
    host, _slash, name = text.partition("/")
    return f"{name_of(host)}:{name.removeprefix('@')}"


class Site(NamedTuple):
    """A site by its kind and the one host whose word counts."""

    kind: str
    host: str

    @property
    def called(self) -> str:
        """A site for people."""
        return _CALLED.get(self.host) or urls.display_host(self.host)

    @property
    def _api(self) -> str:
        return {
            GITHUB: "https://api.github.com",
            GITLAB: f"https://{self.host}/api/v4",
            MASTODON: f"https://{self.host}/api/v1",
        }[self.kind]

    @property
    def _oauth(self) -> str:
        return f"https://{self.host}/{'login/oauth' if self.kind == GITHUB else 'oauth'}"

    @property
    def scope(self) -> str:
        """The least that an account can be read with; GitHub needs nothing."""
        return {GITHUB: "", GITLAB: "read_user", MASTODON: "profile"}[self.kind]

    def leave(self, key: Key, *, back: str, state: str, challenge: str) -> str:
        """Where the member goes to sign in."""
        asked = {
            "response_type": "code",
            "client_id": key.client_id,
            "redirect_uri": back,
            "scope": key.scope,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._oauth}/authorize?{urlencode(asked)}"

    def register(self, name: str, *, back: str, scope: str, home: str) -> Call:
        """Make this instance known to a server of the fediverse."""
        form = {"client_name": name, "redirect_uris": back, "scopes": scope, "website": home}
        return Call(f"{self._api}/apps", "POST", form)

    def exchange(self, key: Key, *, back: str, code: str, verifier: str) -> Call:
        """Give the code for a token."""
        form = {
            "grant_type": "authorization_code",
            "client_id": key.client_id,
            "client_secret": key.client_secret,
            "redirect_uri": back,
            "code": code,
            "code_verifier": verifier,
        }
        end = "access_token" if self.kind == GITHUB else "token"
        return Call(f"{self._oauth}/{end}", "POST", form)

    def who(self, token: str) -> Call:
        """Ask whose the token is."""
        end = "accounts/verify_credentials" if self.kind == MASTODON else "user"
        return Call(f"{self._api}/{end}", bearer=token)

    def revoke(self, key: Key, token: str) -> Call:
        """Let the token be worth nothing."""
        if self.kind == GITHUB:
            return Call(
                f"{self._api}/applications/{quote(key.client_id, safe='')}/token",
                "DELETE",
                json={"access_token": token},
                basic=(key.client_id, key.client_secret),
            )
        form = {"client_id": key.client_id, "client_secret": key.client_secret, "token": token}
        return Call(f"{self._oauth}/revoke", "POST", form)

    def public(self, number: str) -> str:
        """Where everybody reads of an account by its number."""
        end = {GITHUB: "user", GITLAB: "users", MASTODON: "accounts"}[self.kind]
        return f"{self._api}/{end}/{number}"

    def read(self, text: str) -> Account:
        """The account an answer tells of; raises Odd."""
        told = _entries(text)
        name = told.get("login" if self.kind == GITHUB else "username")
        # An account that became an organisation is many people's.
        is_persons = self.kind != GITHUB or told.get("type") == "User"
        if not isinstance(name, str) or not _NAME.fullmatch(name) or not is_persons:
            raise Odd
        number = _word(told) if self.kind == MASTODON else _number(told)
        if self.kind == MASTODON and not _is_local(told, name, self.host):
            raise Odd
        account = Account(self.kind, self.host, number, name, _instant(told.get("created_at")))
        if not _is_own_page(account):
            raise Odd
        return account


def public(handle: str, host: str) -> str:
    """Where everybody reads of an account that was shown."""
    return _site(handle, host).public(handle.rpartition(":")[2])


def told_of(handle: str, host: str, text: str) -> Account | None:
    """What an answer tells of an account that was shown; None where it is of no or another one."""
    try:
        found = _site(handle, host).read(text)
    except Odd:
        return None
    return found if found.handle == handle else None


def _site(handle: str, host: str) -> Site:
    return Site(handle.partition(":")[0], host)


def is_fediverse(handle: str) -> bool:
    """Whether an account is of a server that anybody may run."""
    return handle.partition(":")[0] == MASTODON


def token(text: str, host: str) -> str:
    """The token of an answer; raises Odd. What only who runs this instance can mend is logged."""
    told = _entries(text)
    if (error := told.get("error")) in _OURS:
        log.error("%s does not let members sign in from here: %s", host, error)
    return _secret(told, "access_token")


def key(text: str, scope: str) -> Key | None:
    """What a server of the fediverse knows this instance by from now on; raises Odd.

    None where it does not say the scope back: some take any, and then let nothing be read by it.
    """
    told = _entries(text)
    said = told.get("scopes")
    if scope != OLD_SCOPE and not (isinstance(said, list) and scope in said):
        return None
    return Key(_secret(told, "client_id"), _secret(told, "client_secret"), scope)


def _entries(text: str) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        raise Odd from None
    if not isinstance(told, dict):
        raise Odd
    return told


def _secret(told: dict[str, Any], name: str) -> str:
    found = told.get(name)
    if not isinstance(found, str) or not _SECRET.fullmatch(found):
        raise Odd
    return found


def _number(told: dict[str, Any]) -> str:
    found = told.get("id")
    # True is a number to Python.
    if type(found) is not int or not 0 < found < _NUMBER_LIMIT:
        raise Odd
    return str(found)


def _word(told: dict[str, Any]) -> str:
    found = told.get("id")
    if not isinstance(found, str) or not _WORD.fullmatch(found):
        raise Odd
    return found


def _is_local(told: dict[str, Any], name: str, host: str) -> bool:
    """Whether a server speaks of an account of its own, and not of one elsewhere."""
    page = told.get("url")
    return (
        told.get("acct") == name
        and isinstance(page, str)
        and urls.origin_of(page) == (f"https://{host}")
    )


def _is_own_page(account: Account) -> bool:
    """Whether the page of this name is an account's there, and not one of the house."""
    if account.site == MASTODON:
        # No thing names a maker that is longer.
        return len(maker(account.text)) <= MAKER_CHARACTERS
    made = urls.maker(f"https://{account.text}", gitlabs=(account.host,))
    return made is not None and f"{made.site}:{made.name}" == maker(account.text)


def _instant(told: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        return None
    if found is None or found.year not in _YEARS:
        return None
    # A zone may be one that no place is in, and PostgreSQL takes none of those.
    return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
