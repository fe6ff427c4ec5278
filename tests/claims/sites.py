"""Stand-ins for GitHub, GitLab and servers of the fediverse, as their documentation has them.

They speak TLS on loopback, each under its own host; what a member does in a browser there is
`allow`. Codes hold once, for one client, one address to come back to, and one secret of PKCE.
"""

import base64
import hashlib
import json
import secrets
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

import trustme

from mickle.lib import fetch
from mickle.lib.fetch import Call, Fetched, Told
from tests.lib.street import AGENT, Clock, House, heard, house, page, registry

HOSTS = ("github.com", "api.github.com", "gitlab.com", "git.example", "social.example")
MORE_HOSTS = ("evil.example", "other.example")


class Asked(NamedTuple):
    """One request as a site got it."""

    host: str
    method: str
    path: str
    said: dict[str, str]
    authorization: str


class Site:
    """What is known there: apps and accounts, codes and tokens that hold."""

    old = False

    def __init__(self, host: str) -> None:
        self.host = host
        self.apps: dict[str, tuple[str, str]] = {}
        self.accounts: dict[object, dict[str, object]] = {}
        self.codes: dict[str, tuple[str, str, str, object]] = {}
        self.tokens: dict[str, object] = {}
        self.issued: list[str] = []
        self.scopes: list[str] = []

    def allow(self, away: str, number: object) -> str:
        """A member opens the address, signs in as an account, and says yes; where they go then."""
        there, asked = urlsplit(away), one_each(urlsplit(away).query)
        assert (there.scheme, there.hostname) == ("https", self.host)
        assert there.path == self.authorize
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert self.apps[asked["client_id"]][1] == asked["redirect_uri"]
        self.scopes.append(asked["scope"])
        code = secrets.token_hex(10)
        challenge = asked["code_challenge"]
        self.codes[code] = (asked["client_id"], asked["redirect_uri"], challenge, number)
        back = urlencode({"code": code, "state": asked["state"]})
        return f"{asked['redirect_uri']}?{back}"

    def deny(self, away: str) -> str:
        """They say no."""
        asked = one_each(urlsplit(away).query)
        back = {"error": "access_denied", "state": asked["state"]}
        return f"{asked['redirect_uri']}?{urlencode(back)}"

    def token_for(self, said: dict[str, str]) -> str:
        """The token for a code, once; empty where anything is not as it was."""
        client, back, challenge, number = self.codes.pop(said.get("code", ""), ("", "", "", None))
        digest = hashlib.sha256(said.get("code_verifier", "").encode()).digest()
        good = (
            (said.get("client_id"), said.get("redirect_uri")) == (client, back)
            and said.get("client_secret") == self.apps[client][0]
            and said.get("grant_type") == "authorization_code"
            and base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge
        )
        if not client or not good:
            return ""
        token = f"tok_{secrets.token_hex(12)}"
        self.tokens[token] = number
        self.issued.append(token)
        return token

    def whose(self, asked: Asked) -> dict[str, object] | None:
        return self.accounts.get(self.tokens.get(asked.authorization.removeprefix("Bearer ")))


class GitHub(Site):
    """docs.github.com: authorizing OAuth apps; users; OAuth applications."""

    authorize = "/login/oauth/authorize"

    def add(self, number: object, login: object, since: str = "2020-01-01T00:00:00Z") -> None:
        self.accounts[number] = {"id": number, "login": login, "created_at": since, "type": "User"}

    def answer(self, asked: Asked) -> bytes:
        client = next(iter(self.apps))
        match (asked.host, asked.method, asked.path):
            case ("github.com", "POST", "/login/oauth/access_token"):
                token = self.token_for(asked.said)
                # A wrong code is told with status 200.
                bad = {"error": "bad_verification_code"}
                good = {"access_token": token, "token_type": "bearer", "scope": ""}
                return told(good if token else bad)
            case ("api.github.com", "GET", "/user"):
                found = self.whose(asked)
                return told(found) if found else told({"message": "Bad credentials"}, "401 No")
            case ("api.github.com", "DELETE", path) if path == f"/applications/{client}/token":
                basic = base64.b64encode(f"{client}:{self.apps[client][0]}".encode()).decode()
                if asked.authorization != f"Basic {basic}":
                    return told({}, "401 No")
                self.tokens.pop(asked.said["access_token"])
                return page(b"", status="204 No Content", kind="")
            case ("api.github.com", "GET", path) if path.startswith("/user/"):
                return known(self.accounts, path.removeprefix("/user/"))
        return told({"message": "Not Found"}, "404 Not Found")


class GitLab(Site):
    """docs.gitlab.com: OAuth 2.0 identity provider API; users API."""

    authorize = "/oauth/authorize"

    def add(self, number: object, username: object, since: str = "2020-01-01T00:00:00Z") -> None:
        self.accounts[number] = {"id": number, "username": username, "created_at": since}

    def answer(self, asked: Asked) -> bytes:
        match (asked.method, asked.path):
            case ("POST", "/oauth/token"):
                token = self.token_for(asked.said)
                return told({"access_token": token}) if token else told({}, "400 Bad Request")
            case ("POST", "/oauth/revoke"):
                self.tokens.pop(asked.said["token"])
                return told({})
            case ("GET", "/api/v4/user"):
                found = self.whose(asked)
                return told(found) if found else told({}, "401 Unauthorized")
            case ("GET", path) if path.startswith("/api/v4/users/"):
                return known(self.accounts, path.removeprefix("/api/v4/users/"))
        return told({}, "404 Not Found")


class Mastodon(Site):
    """docs.joinmastodon.org: apps, oauth, accounts; `old` is one before 4.3.

    `takes_any` is one like Pleroma: it registers whatever scope, says none back, and knows few.
    """

    takes_any = False

    authorize = "/oauth/authorize"

    def add(self, number: str, username: object, since: str = "2020-01-01T00:00:00.000Z") -> None:
        self.accounts[number] = {
            "id": number,
            "username": username,
            "acct": username,
            "url": f"https://{self.host}/@{username}",
            "created_at": since,
        }

    def answer(self, asked: Asked) -> bytes:
        match (asked.method, asked.path):
            case ("POST", "/api/v1/apps"):
                return self._register(asked.said)
            case ("POST", "/oauth/token"):
                token = self.token_for(asked.said)
                return told({"access_token": token}) if token else told({}, "400 Bad Request")
            case ("POST", "/oauth/revoke"):
                self.tokens.pop(asked.said["token"])
                return told({})
            case ("GET", "/api/v1/accounts/verify_credentials"):
                if self.takes_any and self.scopes[-1] != "read:accounts":
                    return told({"error": "Insufficient permissions"}, "403 Forbidden")
                found = self.whose(asked)
                return told(found) if found else told({}, "401 Unauthorized")
        return known(self.accounts, asked.path.removeprefix("/api/v1/accounts/"))

    def _register(self, said: dict[str, str]) -> bytes:
        if self.old and said["scopes"] == "profile":
            return told({"error": "Validation failed"}, "422 Unprocessable Entity")
        client, secret = secrets.token_hex(8), secrets.token_hex(8)
        self.apps[client] = (secret, said["redirect_uris"])
        said = {} if self.old or self.takes_any else {"scopes": said["scopes"].split()}
        return told({"id": "1", "client_id": client, "client_secret": secret} | said)


def told(what: object, status: str = "200 OK") -> bytes:
    """An answer in JSON."""
    return page(json.dumps(what).encode(), status=status, kind="application/json; charset=utf-8")


def known(accounts: dict[object, dict[str, object]], number: str) -> bytes:
    """What everybody is told of an account."""
    found = next((one for key, one in accounts.items() if str(key) == number), None)
    return told(found) if found else told({"message": "Not Found"}, "404 Not Found")


def one_each(query: str) -> dict[str, str]:
    """A query or form with each name once."""
    found = parse_qs(query, keep_blank_values=True, strict_parsing=bool(query))
    assert all(len(values) == 1 for values in found.values())
    return {name: values[0] for name, values in found.items()}


class Sites:
    """The sites by host, what they were asked, and the way there for whoever looks or talks."""

    def __init__(self) -> None:
        self.github = GitHub("github.com")
        self.gitlab, self.ours = GitLab("gitlab.com"), GitLab("git.example")
        self.social, self.evil = Mastodon("social.example"), Mastodon("evil.example")
        self.github.apps["hub-id"] = ("hub-secret", "https://here.example" + BACK["github.com"])
        self.gitlab.apps["lab-id"] = ("lab-secret", "https://here.example" + BACK["gitlab.com"])
        self.ours.apps["own-id"] = ("own-secret", "https://here.example" + BACK["git.example"])
        named = (self.github, self.gitlab, self.ours, self.social, self.evil)
        self.by_host: dict[str, Site] = {one.host: one for one in named}
        self.by_host["api.github.com"] = self.github
        self.asked: list[Asked] = []
        self.domains: dict[str, datetime] = {}
        # Instead of what a site would answer, by host and path.
        self.instead: dict[tuple[str, str], bytes | Callable[[socket.socket], None]] = {}
        self.fetcher: fetch.Fetcher | None = None
        self.port = 0

    def call(self, call: Call) -> Told:
        """As the fetcher does, to this machine."""
        return self.fetcher.call(call._replace(url=self._there(call.url)))

    def page(self, url: str, at: datetime) -> Fetched:
        """As whoever looks does."""
        found = self.fetcher.get(self._there(url), at=at, fresh_after=at)
        return found._replace(hops=tuple(hop.replace(f":{self.port}", "") for hop in found.hops))

    def registered_at(self, domain: str, _at: datetime) -> datetime | None:
        """Since when a server of the fediverse has its domain; of other sites nobody asks."""
        assert domain in (self.social.host, self.evil.host)
        return self.domains.get(domain)

    def txt(self, name: str) -> list[str]:
        """There are no records here."""
        raise AssertionError(name)

    def _there(self, url: str) -> str:
        there = urlsplit(url)
        assert there.scheme == "https"
        return there._replace(netloc=f"{there.netloc}:{self.port}").geturl()

    def serve(self, sock: socket.socket) -> None:
        """Answer one request."""
        asked = asked_by(sock)
        if asked is None:
            return
        self.asked.append(asked)
        answer = self.instead.get((asked.host, asked.path))
        if callable(answer):
            answer(sock)
        elif answer is not None:
            sock.sendall(answer)
        elif asked.host in self.by_host:
            sock.sendall(self.by_host[asked.host].answer(asked))
        else:
            sock.sendall(page(b"nothing", status="404 Not Found"))


BACK = {
    "github.com": "/mine/accounts/github/github.com/back",
    "gitlab.com": "/mine/accounts/gitlab/gitlab.com/back",
    "git.example": "/mine/accounts/gitlab/git.example/back",
}


def asked_by(sock: socket.socket) -> Asked | None:
    """One request, whole."""
    head, text = heard(sock)
    if not head:
        return None
    lines = head.split("\r\n")
    headers = {}
    for line in lines[1:]:
        name, _colon, value = line.partition(":")
        headers[name.lower()] = value.strip()
    method, path, _version = lines[0].split(" ")
    is_json = headers.get("content-type") == "application/json"
    said = json.loads(text) if is_json else one_each(text)
    host = headers["host"].partition(":")[0]
    return Asked(host, method, path, said, headers.get("authorization", ""))


@cache
def _authority() -> trustme.CA:
    return trustme.CA()


@cache
def _papers() -> ssl.SSLContext:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _authority().issue_cert(*HOSTS, *MORE_HOSTS).configure_cert(server)
    return server


@contextmanager
def sites_at(folder: Path) -> Iterator[Sites]:
    """The sites, running."""
    found, clock = Sites(), Clock()
    client = ssl.create_default_context()
    _authority().configure_trust(client)
    with (
        house({}) as server,
        registry(lambda _name, kind, _n: [("A", "127.0.0.1")] if kind == "A" else []) as names,
    ):
        _run(server, found)
        found.port = server.port
        found.fetcher = fetch.Fetcher(
            folder=folder,
            agent=AGENT,
            tls=client,
            resolvers=(names.place,),
            allowed=lambda address, port: (address, port) == ("127.0.0.1", server.port),
            clock=clock.read,
            sleep=clock.sleep,
        )
        yield found


def _run(server: House, found: Sites) -> None:
    server.wrap = lambda sock: _papers().wrap_socket(sock, server_side=True)
    server._answer = found.serve
