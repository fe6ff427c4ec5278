"""Numbers, names and servers are what they have to be, whatever is told or typed."""

import json

import pytest
from django.core.exceptions import ImproperlyConfigured

from mickle.claims import _sites, accounts
from mickle.claims._sites import Odd
from mickle.claims.accounts import Account, NotOffered
from mickle.config import _environment
from tests.claims.signing import EVIL, HUB, KNOWN, LAB, OURS, Site


@pytest.fixture(autouse=True)
def _known(settings):
    for name, value in KNOWN.items():
        setattr(settings, name, value)


NUMBERS = [True, False, 1.0, 1.5, 0, -1, "1", "1; DROP", None, [1], {"a": 1}, 1 << 63]


@pytest.mark.parametrize("site", [HUB, LAB, OURS], ids=lambda site: site.host)
def test_a_number_is_a_number(site):
    name = "login" if site is HUB else "username"
    assert site.read(json.dumps({"id": 1, name: "bob", "type": "User"})).number == "1"
    for number in NUMBERS:
        with pytest.raises(Odd):
            site.read(json.dumps({"id": number, name: "bob", "type": "User"}))


@pytest.mark.parametrize("kind", ["Organization", "Bot", None])
def test_an_organisation_is_nobody_who_signs_in(kind):
    with pytest.raises(Odd):
        HUB.read(json.dumps({"id": 1, "login": "bob", "type": kind}))


def test_a_number_of_the_fediverse_is_a_short_word():
    told_of = {"id": "1a", "username": "bob", "acct": "bob", "url": "https://evil.example/@bob"}
    assert EVIL.read(json.dumps(told_of)).number == "1a"
    for number in [True, 1, 1.0, -1, "", "1 2", "1:2", "../1", None, "1" * 41]:
        with pytest.raises(Odd):
            EVIL.read(json.dumps(told_of | {"id": number}))


NAMES = [
    *("", "bob/tool", "../alice", "bob?x", "bob#x", "bob%2Ftool", "@bob", "bob@other.example"),
    *(
        "<b>bob</b>",
        "bob bob",
        "bob\n",
        "b\u00f6b",
        "\u0432ob",
        "bob\u200b",
        "b" * 101,
        None,
        7,
        ["bob"],
    ),
]


@pytest.mark.parametrize("site", [HUB, LAB, OURS, EVIL], ids=lambda site: site.host)
def test_a_name_is_a_name(site):
    number = "1" if site is EVIL else 1

    def read(name: object) -> Account:
        told_of = {"id": number, "login": name, "username": name, "acct": name, "type": "User"}
        return site.read(json.dumps(told_of | {"url": f"https://{site.host}/@{name}"}))

    assert read("Bob-2").text.endswith("bob-2")
    for name in NAMES:
        with pytest.raises(Odd):
            read(name)


@pytest.mark.parametrize(("site", "name"), [(HUB, "Topics"), (LAB, "explore"), (OURS, "help")])
def test_a_page_of_the_house_is_no_accounts(site, name):
    with pytest.raises(Odd):
        site.read(json.dumps({"id": 1, "login": name, "username": name, "type": "User"}))


@pytest.mark.parametrize("site", [LAB, OURS], ids=lambda site: site.host)
def test_a_name_at_gitlab_may_begin_with_a_line(site):
    found = site.read(json.dumps({"id": 1, "username": "_Bob"}))
    assert (found.text, found.name) == (f"{site.host}/_bob", "_Bob")


@pytest.mark.parametrize(
    ("error", "logged"),
    [
        ("incorrect_client_credentials", True),
        ("invalid_client", True),
        ("bad_verification_code", False),
        ("<b>\n", False),
        (["invalid_client"], False),
    ],
)
def test_who_runs_the_instance_is_told_what_only_they_can_mend(caplog, error, logged):
    with pytest.raises(Odd):
        _sites.token(json.dumps({"error": error, "error_description": "sesame"}), "github.com")
    said = f"github.com does not let members sign in from here: {error}"
    assert caplog.messages == ([said] if logged else [])


SERVERS = {
    "mastodon.social": "mastodon.social",
    " https://Social.Example/ ": "social.example",
    "@bob@social.example": "social.example",
    "bob@social.example": "social.example",
    "https://social.example/@bob": "social.example",
}
NO_SERVERS = [
    *("", "social", "localhost", "127.0.0.1", "[::1]", "social.example:8443", "10.0.0.1"),
    *("github.io", "github.com", "gitlab.com", "medium.com", "neocities.org", "co.uk"),
    *("javascript:alert(1)", "a b.example", "x" * 300 + ".example", "ftp://social.example"),
]


@pytest.mark.parametrize(("typed", "host"), SERVERS.items())
def test_a_server_is_typed_as_people_write_it(typed, host):
    assert accounts.site(kind="mastodon", host=typed) == Site("mastodon", host)


@pytest.mark.parametrize("typed", NO_SERVERS)
def test_what_many_share_or_nobody_reaches_is_no_server(typed):
    with pytest.raises(NotOffered):
        accounts.site(kind="mastodon", host=typed)


def test_what_an_instance_is_known_by_is_a_name_and_a_secret_for_each_host():
    given = ["id:se:cr=et", "git.example=id2:secret2"]
    known = {"gitlab.com": ("id", "se:cr=et"), "git.example": ("id2", "secret2")}
    assert _environment.apps("GITLAB", given, "gitlab.com") == known
    for wrong in ("hunter2", ":hunter2", "hunter2:", "id :hunter2", "git.example=hunter2"):
        with pytest.raises(ImproperlyConfigured, match="MICKLE_GITLAB cannot be read") as why:
            _environment.apps("GITLAB", [wrong], "gitlab.com")
        assert "hunter2" not in str(why.value)


@pytest.mark.parametrize(
    ("setting", "given"),
    [
        # Only github.com says whose its accounts are at api.github.com.
        ("GITHUB", ["hub.example=id:hunter2"]),
        ("GITLAB", ["Git.Example=id:hunter2"]),
        ("GITLAB", ["git.example:8443=id:hunter2"]),
        ("GITLAB", ["https://git.example=id:hunter2"]),
        ("GITLAB", ["www.git.example=id:hunter2"]),
        ("GITLAB", ["github.com=id:hunter2"]),
        ("GITLAB", ["id:hunter2", "id2:hunter2"]),
        ("GITLAB", ["git.example=id:hunter2", "git.example=id2:hunter2"]),
    ],
)
def test_what_is_known_of_no_site_is_said_at_the_start(setting, given):
    usual = {"GITHUB": "github.com", "GITLAB": "gitlab.com"}[setting]
    with pytest.raises(ImproperlyConfigured, match=f"MICKLE_{setting} cannot be read") as why:
        _environment.apps(setting, given, usual)
    assert "hunter2" not in str(why.value)


ODD_DATES = (
    *("9999-12-31T23:59:59-23:00", "0001-01-01T00:00:00+23:00", "2020-01-01T00:00:00+99:99"),
    *("20", "", None, 1, {}),
)


@pytest.mark.parametrize("since", ODD_DATES)
def test_a_date_that_no_clock_has_is_none(since):
    told_of = {"id": 1, "login": "bob", "type": "User"}
    assert HUB.read(json.dumps(told_of | {"created_at": since})).since_at is None
    assert HUB.read(json.dumps(told_of | {"created_at": "2020-01-01"})).since_at is not None
