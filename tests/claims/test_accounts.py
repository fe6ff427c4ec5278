"""Showing an account by signing in: whose it is by its number, and nobody's by a trick."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from mickle.claims import accounts, proofs
from mickle.claims.accounts import Account, Denied, Expired, Strange, TooOften
from mickle.claims.models import App, Proof, SignIn
from mickle.lib import fetch
from mickle.things.models import Scope
from tests.claims.seeing import AT, owner, page
from tests.claims.signing import (
    EVIL,
    HUB,
    KNOWN,
    LAB,
    OURS,
    SOCIAL,
    Site,
    come,
    leave,
    look,
    sign_in,
)
from tests.claims.sites import Sites, sites_at, told
from tests.lib.street import page as answer
from tests.lib.street import to
from tests.people import creator, instance_at

pytestmark = pytest.mark.django_db
POST_OF = "https://{}/@bob/109000000000000001"


@pytest.fixture(autouse=True)
def _instance(settings):
    instance_at("2026-11")
    for name, value in KNOWN.items():
        setattr(settings, name, value)


@pytest.fixture
def sites(tmp_path) -> Iterator[Sites]:
    with sites_at(tmp_path) as found:
        yield found


# Where, the number there, what is stored of it, what is given, and what is not.
SITES: dict[str, tuple[Site, object, str, list[str], list[str]]] = {
    "GitHub": (
        HUB,
        583231,
        "github:583231",
        [
            "https://github.com/BOB",
            "https://github.com/bob/tool/blob/main/a.py",
            "https://raw.githubusercontent.com/bob/tool/main/a",
            "https://bob.github.io/tool/",
        ],
        [
            "https://github.com/bob/tool/issues/1",
            "https://github.com/bobby",
            "https://gitlab.com/bob",
            "https://gist.github.com/bob/0123456789abcdef0123456789abcdef",
            "https://bob.example/",
        ],
    ),
    "GitLab": (
        LAB,
        7,
        "gitlab:7",
        ["https://gitlab.com/Bob/deep/er/tool"],
        ["https://gitlab.com/bob/tool/-/issues/1", "https://git.example/bob/tool"],
    ),
    "a GitLab of one's own": (
        OURS,
        7,
        "gitlab:git.example:7",
        ["https://git.example/Bob/Tool", "https://git.example/bob"],
        ["https://gitlab.com/bob", "https://git.example/bob/tool/-/issues/1"],
    ),
    "Mastodon": (
        SOCIAL,
        "109",
        "mastodon:social.example:109",
        [POST_OF.format("social.example"), "https://social.example/@bob"],
        [POST_OF.format("evil.example"), "https://social.example/@bobby/109000000000000001"],
    ),
}


@pytest.mark.parametrize("case", SITES.values(), ids=SITES)
def test_an_account_brings_what_it_made_and_nothing_else(sites, settings, case):
    site, number, handle, theirs, others = case
    bob = creator("bob")
    # Added before the host was known to run GitLab.
    settings.GITLAB_APPS = {}
    before = [page(url) for url in theirs]
    settings.GITLAB_APPS = KNOWN["GITLAB_APPS"]
    beside = [page(url) for url in others]
    there = sites.by_host[site.host]
    there.add(number, "Bob")

    proof = sign_in(sites, bob, site, number)

    assert (proof.state, proof.account, proof.looked_at) == ("SHOWN", handle, AT)
    assert {owner(one) for one in before} == {bob}
    assert {owner(one) for one in beside} == {None}
    # The token was used once, let go, and stands nowhere.
    assert (len(there.issued), there.tokens) == (1, {})
    assert there.scopes == [{"github": "", "gitlab": "read_user"}.get(site.kind, "profile")]
    assert not stands_somewhere(there.issued[0])
    assert sign_in(sites, bob, site, number) == proof


def stands_somewhere(word: str) -> bool:
    """Whether any row of any table holds a word."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            if any(word in str(row) for row in cursor.fetchall()):
                return True
    return False


def test_what_comes_later_is_theirs_too(sites):
    bob = creator("bob")
    sites.github.add(1, "bob")
    sign_in(sites, bob, HUB, 1)

    for url in ("https://github.com/bob/new", "https://bob.github.io/new"):
        assert owner(page(url)) == bob
    for url in ("https://github.com/bob/new/issues/2", "https://github.com/bobby/new"):
        assert owner(page(url)) is None


def refused(sites: Sites, who, site, address, kind=Expired, **more) -> None:
    """It is refused, and nothing is asked of any site."""
    before = len(sites.asked)
    with pytest.raises(kind):
        come(sites, who, site, address, **more)
    assert len(sites.asked) == before
    assert not Proof.objects.exists()


def test_a_way_back_holds_once_for_its_member_browser_and_site_within_minutes(sites):
    bob, eve = creator("bob"), creator("eve")
    sites.github.add(1, "bob")
    sites.evil.add("1", "bob")
    address = sites.github.allow(leave(sites, bob, HUB), 1)

    refused(sites, eve, HUB, address)
    refused(sites, bob, HUB, address, session="another browser")
    refused(sites, bob, LAB, address)
    refused(sites, bob, HUB, address.replace("state=", "state=x"))
    refused(sites, bob, HUB, address + "&iss=https%3A%2F%2Fevil.example")
    refused(sites, bob, HUB, address, at=AT + accounts.AWAY_FOR)
    # None of these has used it up.
    assert come(sites, bob, HUB, address + "&iss=https%3A%2F%2Fgithub.com").state == "SHOWN"
    Proof.objects.all().delete()
    refused(sites, bob, HUB, address)


def test_a_code_of_another_site_is_never_told_to_the_one_it_was_begun_with(sites):
    """Mix-up: a server of the fediverse sends the member on to GitHub with its own state."""
    bob = creator("bob")
    sites.github.add(1, "bob")
    sites.evil.add("1", "bob")
    begun = leave(sites, bob, EVIL)
    state = begun.partition("state=")[2].partition("&")[0]
    honest = sites.github.allow(leave(sites, bob, HUB), 1)
    code = honest.partition("code=")[2].partition("&")[0]
    sites.asked.clear()

    # GitHub sends members back to its own address alone.
    refused(sites, bob, HUB, f"https://here.example/?code={code}&state={state}")
    assert not any(asked.host == "evil.example" for asked in sites.asked)


def test_a_stolen_code_is_worth_nothing_without_the_browser_that_began(sites):
    """Bob's code in Eve's flow: the secret of PKCE is another."""
    bob, eve = creator("bob"), creator("eve")
    sites.github.add(1, "bob")
    bobs = sites.github.allow(leave(sites, bob, HUB), 1)
    hers = leave(sites, eve, HUB).partition("state=")[2].partition("&")[0]
    code = bobs.partition("code=")[2].partition("&")[0]

    with pytest.raises(Strange):
        come(sites, eve, HUB, f"https://here.example/?code={code}&state={hers}")
    assert not Proof.objects.exists()


def test_a_no_is_a_no(sites):
    bob = creator("bob")
    away = leave(sites, bob, HUB)
    with pytest.raises(Denied, match=r"github\.com did not let you in"):
        come(sites, bob, HUB, sites.github.deny(away))
    # And it is over.
    sites.github.add(1, "bob")
    refused(sites, bob, HUB, sites.github.allow(away, 1))


TOKEN, WHO = ("github.com", "/login/oauth/access_token"), ("api.github.com", "/user")


def endless(sock: socket.socket) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{")
    with suppress(OSError):
        while True:
            sock.sendall(b" " * 65536)


ODD: dict[str, object] = {
    "sent on": to("https://evil.example/steal"),
    "sent on with all of it": to("https://evil.example/steal", "307 Temporary Redirect"),
    "sent on for ever": to("https://evil.example/steal", "308 Permanent Redirect"),
    "endless": endless,
    "two megabytes": answer(b'{"a": "' + b"x" * (2 << 20) + b'"}', kind="application/json"),
    "a page": answer(b"<html>Hello</html>"),
    "nothing": answer(b""),
    "a list": told([{"access_token": "x"}]),
    "a number": told(7),
    "deep": answer(b"[" * 100_000, kind="application/json"),
    "its own trouble": answer(b"", status="503 Sorry"),
    "too often": answer(b"", status="429 Too Many Requests"),
    "an error": told({"error": "bad_verification_code"}),
}


@pytest.mark.parametrize("place", [TOKEN, WHO], ids=["token", "who"])
@pytest.mark.parametrize("said", ODD.values(), ids=ODD)
def test_what_no_site_answers_shows_nothing(sites, place, said):
    bob = creator("bob")
    tool = page("https://github.com/bob/tool")
    sites.github.add(1, "bob")
    address = sites.github.allow(leave(sites, bob, HUB), 1)
    sites.instead[place] = said

    with pytest.raises((Strange, fetch.Failed)) as why:
        come(sites, bob, HUB, address)

    assert not Proof.objects.exists()
    assert owner(tool) is None
    assert not any(asked.host == "evil.example" for asked in sites.asked)
    # Whatever came of it, what was issued is let go, and no sentence holds a secret.
    assert sites.github.tokens == {}
    secrets = ("hub-secret", *sites.github.issued, address.partition("code=")[2][:20])
    assert not any(secret in str(why.value) for secret in secrets)


def test_a_server_speaks_for_its_own_host_alone(sites):
    bob, eve = creator("bob"), creator("eve")
    theirs = page(POST_OF.format("social.example"))
    sites.social.add("1", "bob")
    sign_in(sites, bob, SOCIAL, "1")
    lies = [
        {"acct": "bob@social.example"},
        {"url": "https://social.example/@bob"},
        {"url": "https://social.example.evil.example/@bob"},
        {"url": "http://evil.example/@bob"},
        {"url": "https://evil.example:8443/@bob"},
        {"url": None},
        {"acct": None},
    ]
    for lie in lies:
        sites.evil.add("1", "bob")
        sites.evil.accounts["1"] |= lie
        with pytest.raises(Strange):
            sign_in(sites, eve, EVIL, "1", at=AT + lies.index(lie) * accounts.HOUR)
    # The same number and name at its own host is another account.
    sites.evil.add("1", "bob")
    proof = sign_in(sites, eve, EVIL, "1", at=AT + 9 * accounts.HOUR)
    assert (proof.account, proof.text) == ("mastodon:evil.example:1", "evil.example/@bob")
    assert owner(theirs) == bob


def test_a_server_knows_this_instance_for_half_a_day_and_then_anew(sites):
    bob = creator("bob")
    sites.social.old = True
    sites.social.add("1", "bob")
    sign_in(sites, bob, SOCIAL, "1")
    sign_in(sites, bob, SOCIAL, "1", at=AT + accounts.HOUR)
    assert len(sites.social.apps) == 1
    assert sites.social.scopes == ["read:accounts"] * 2
    sign_in(sites, bob, SOCIAL, "1", at=AT + accounts.APP_FOR)
    assert len(sites.social.apps) == App.objects.count() == 2
    # Who was on the way could still come back; after that the old one is forgotten.
    sign_in(sites, bob, SOCIAL, "1", at=AT + accounts.APP_FOR + accounts.HOUR)
    assert (len(sites.social.apps), App.objects.count(), SignIn.objects.count()) == (2, 1, 1)


@pytest.mark.parametrize("said", [told({}), told({"client_id": 7}), told([]), answer(b"no")])
def test_what_is_no_server_of_the_fediverse_is_said(sites, said):
    sites.instead["evil.example", "/api/v1/apps"] = said
    with pytest.raises(Strange, match="is no server"):
        leave(sites, creator("bob"), EVIL)
    assert not App.objects.exists()


def test_nobody_sends_it_out_for_ever(sites):
    bob = creator("bob")
    for _turn in range(accounts.STARTS_AN_HOUR):
        leave(sites, bob, HUB)
    with pytest.raises(TooOften):
        leave(sites, bob, HUB)
    # Nor to a host that is none, which would be asked each time.
    eve = creator("eve")
    sites.instead["evil.example", "/api/v1/apps"] = answer(b"no")
    for _turn in range(accounts.STARTS_AN_HOUR):
        with pytest.raises(Strange):
            leave(sites, eve, EVIL)
    asked = len(sites.asked)
    with pytest.raises(TooOften):
        leave(sites, eve, EVIL)
    assert len(sites.asked) == asked
    assert leave(sites, creator("ann"), HUB)
    assert leave(sites, bob, HUB, at=AT + accounts.HOUR)


def test_few_talk_to_sites_at_once(sites, monkeypatch):
    bob = creator("bob")
    busy = accounts._TALKS
    held = [busy.acquire(blocking=False) for _turn in range(3)]
    assert all(held)
    try:
        with pytest.raises(TooOften):
            leave(sites, bob, SOCIAL)
    finally:
        for _turn in held:
            busy.release()
    assert leave(sites, bob, SOCIAL)


LATER: dict[str, tuple[bytes, str]] = {
    "not without a token": (answer(b"", status="401 Unauthorized"), "SHOWN"),
    "too many today": (told({"message": "rate limit"}, "403 Forbidden"), "SHOWN"),
    "too often": (told({}, "429 Too Many Requests"), "SHOWN"),
    "trouble": (told({}, "500 Internal Server Error"), "SHOWN"),
    "elsewhere": (to("https://evil.example/api/v1/accounts/109"), "SHOWN"),
    "gone": (told({}, "404 Not Found"), "LOST"),
    "gone for good": (told({}, "410 Gone"), "LOST"),
}


@pytest.mark.parametrize(("said", "state"), LATER.values(), ids=LATER)
def test_what_a_site_says_later_without_a_token(sites, said, state):
    bob = creator("bob")
    sites.social.add("109", "bob")
    sites.evil.add("109", "bob")
    proof = sign_in(sites, bob, SOCIAL, "109")
    # As long as it is as it was, it stays.
    assert look(sites, proof, AT + timedelta(days=30)).looked_at == AT + timedelta(days=30)
    sites.instead["social.example", "/api/v1/accounts/109"] = said
    assert look(sites, proof, AT + timedelta(days=60)).state == state
    assert not any(asked.authorization for asked in sites.asked[-1:])


def test_a_sign_in_is_no_way_to_ask_for():
    with pytest.raises(proofs.BadMethod):
        proofs.begin(
            member=creator("bob"), address="https://github.com/bob", method="ACCOUNT", at=AT
        )


def test_who_leaves_leaves_no_number_and_no_name(sites):
    bob, tool = creator("ann"), page("https://github.com/bobby-tables/tool")
    sites.github.add(1, "bobby-tables")
    proof = sign_in(sites, bob, HUB, 1)
    proofs.forget(member=bob, at=AT)
    accounts.forget(member=bob)
    assert owner(tool) is None
    assert not SignIn.objects.exists()
    assert not stands_somewhere("github:1")
    row = Proof.objects.filter(id=proof.id).values_list()
    assert "bobby" not in str(row.get())


def test_the_database_keeps_what_a_handle_is():
    bob = creator("bob")
    proof = accounts.note(member=bob, account=Account("github", "github.com", "1", "bob"), at=AT)
    rows, scopes = Proof.objects.filter(id=proof.id), Scope.objects.filter(text="github.com/bob")
    for change in (
        {"kind": "PATH"},
        {"account": ""},
        {"signed_in_at": None},
        {"method": "META"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        scopes.update(maker="")
    with pytest.raises(IntegrityError), transaction.atomic():
        Scope.objects.create(
            kind="HANDLE", text="github.com/x", host="github.com", maker="github:bob", since_at=AT
        )
