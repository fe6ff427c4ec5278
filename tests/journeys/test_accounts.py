"""A maker signs in at a site over HTTP, and what waited for all it made is theirs to the micro."""

from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from urllib.parse import urlsplit

import pytest

from mickle.claims import proofs
from mickle.claims.models import Proof
from mickle.instance import instance, street
from mickle.ledger import ledger
from mickle.lib import months
from mickle.members import members
from mickle.nods import nods
from mickle.ops import deeds, looking
from mickle.settlement import settlement
from mickle.things import things
from mickle.things.models import Thing
from tests.claims.sites import Sites, sites_at
from tests.people import EUR, NOVEMBER, creator, instance_at, member
from tests.web.browsing import Person, signed_in

pytestmark = pytest.mark.django_db
TOOL = "https://github.com/Bob/tool"


@pytest.fixture
def sites(tmp_path, monkeypatch, settings) -> Iterator[Sites]:
    settings.FETCH, settings.BASE_URL = True, "https://here.example"
    settings.GITHUB_APPS = {"github.com": ("hub-id", "hub-secret")}
    settings.GITLAB_APPS = {"git.example": ("own-id", "own-secret")}
    with sites_at(tmp_path) as found:
        monkeypatch.setattr(street, "fetcher", lambda: found)
        monkeypatch.setattr(looking, "eyes", lambda: found)
        yield found


@pytest.fixture
def pages() -> list[Thing]:
    """Settled in November with 5.00 over a repository and a site of pages: 2.50 waits for each."""
    instance_at("2026-11", kind="TEST")
    alice = member("alice", funds="5.00")
    mid = months.start(NOVEMBER) + timedelta(days=14)
    found = [things.find_or_add(url=url, at=mid) for url in (TOOL, "https://bob.github.io/")]
    for one in found:
        nods.give(member=alice, thing=one, at=mid)
    at = max(months.end(NOVEMBER) + timedelta(days=4), instance.now())
    instance.move_clock(to=at)
    settlement.settle(month=NOVEMBER, at=at)
    assert ledger.balance(ledger.waiting(alice.id)) == EUR("5.00")
    return found


def work() -> None:
    """What a worker does when it comes to it."""
    at = instance.now()
    for deed in deeds.DEEDS:
        if deed.name in ("look-at-proofs", "release") and deed.due(at):
            deed.do(at)


def away(person: Person) -> str:
    """Where the link leads that a press brought."""
    return unescape(person.html.partition('<a class="act" href="')[2].partition('"')[0])


def come_back(person: Person, address: str) -> Person:
    """The browser follows where the site sends it."""
    there = urlsplit(address)
    assert f"{there.scheme}://{there.netloc}" == "https://here.example"
    return person.open(f"{there.path}?{there.query}")


def test_what_waits_is_released_to_the_micro_by_one_sign_in(sites, pages):
    bob = signed_in(creator("bob"))
    sites.github.add(583231, "Bob")
    bob.open(f"/thing/{pages[0].id}")
    assert "If the account that made it is yours" in bob.text

    bob.send("/mine/accounts", site="github", host="github.com")
    assert "You sign in at github.com itself" in bob.text
    come_back(bob, sites.github.allow(away(bob), 583231))
    assert "One press more" in bob.text
    # Opening a page changes nothing.
    assert not Proof.objects.exists()
    assert sites.asked == []
    bob.send("", deed="finish")

    assert "is yours here since" in bob.text
    assert "as the account github:583231" in bob.text
    work()
    proof = Proof.objects.get()
    assert ledger.balance(ledger.revenue(proof.member_id)) == EUR("4.50")
    assert ledger.total("FEE") == EUR("0.50")
    assert ledger.total("WAITING") == 0
    assert {row.owner_id for row in Thing.objects.all()} == {proof.member_id}
    assert "A sign-in at the site" in bob.open("/mine").text
    # The public sees how it came, and until when to object.
    anybody = Person.new().open(f"/thing/{pages[1].id}")
    assert "that github.com/bob is theirs" in anybody.text
    # It is looked at and given up by buttons, as every place.
    deed = f"/mine/show/{proof.id}/deed"
    bob.open(f"/mine/show/{proof.id}").send(deed, deed="look")
    assert "was asked within the last ten minutes. Wait a little" in bob.text
    instance.move_clock(to=instance.now() + proofs.ACCOUNT_RESTS)
    bob.send(deed, deed="look")
    work()
    assert "github:583231 is called Bob at github.com" in bob.open(f"/mine/show/{proof.id}").text
    bob.send(deed, deed="end")
    assert not Thing.objects.exclude(owner=None).exists()


def test_a_server_of_the_fediverse_is_typed(sites, pages):
    bob = signed_in(creator("bob"))
    sites.social.add("109", "Bob")
    post = things.find_or_add(
        url="https://social.example/@bob/109000000000000001", at=instance.now()
    )
    bob.open("/mine/show").send("/mine/accounts", site="mastodon", host="@Bob@Social.Example")
    come_back(bob, sites.social.allow(away(bob), "109")).send("", deed="finish")
    # Since when its domain is somebody's is looked up first.
    assert "We are looking. This takes a moment" in bob.text
    assert Thing.objects.get(id=post.id).owner is None
    work()
    assert "is yours here since" in bob.open(f"/mine/show/{Proof.objects.get().id}").text
    assert Thing.objects.get(id=post.id).owner.username == "bob"


@pytest.mark.parametrize(
    ("site", "host", "said"),
    [
        ("gitlab", "gitlab.com", "Nobody can sign in there from here"),
        ("gitlab", "evil.example", "Nobody can sign in there from here"),
        ("github", "evil.example", "Nobody can sign in there from here"),
        ("elsewhere", "evil.example", "Nobody can sign in there from here"),
        ("mastodon", "javascript:alert(1)", "Give the name of your server"),
        ("mastodon", "127.0.0.1", "Give the name of your server"),
        ("mastodon", "github.io", "Give the name of your server"),
        ("mastodon", "medium.com", "Give the name of your server"),
        ("mastodon", "git.example", "is no server where one can sign in as at Mastodon"),
    ],
)
def test_where_nobody_can_sign_in_is_said(sites, pages, site, host, said):
    bob = signed_in(creator("bob")).open("/mine/show")
    bob.send("/mine/accounts", site="mastodon", host="x")
    token = bob.client.cookies["__Host-mickle-csrf"].value
    form = {"site": site, "host": host, "csrfmiddlewaretoken": token}
    bob.page = bob.client.post("/mine/accounts", form, follow=True)
    assert said in bob.text
    assert not Proof.objects.exists()


def test_a_no_and_a_way_back_of_nobody_are_said(sites, pages):
    bob = signed_in(creator("bob"))
    bob.open("/mine/show").send("/mine/accounts", site="github", host="github.com")
    come_back(bob, sites.github.deny(away(bob)))
    assert "GitHub did not let you in, or you said no there" in bob.text
    # A page that another site sends them to, with words of its own.
    bob.open("/mine/accounts/github/github.com/back", code="x", state="y").send("", deed="finish")
    assert "This was begun elsewhere, or more than ten minutes ago" in bob.text
    assert "Nobody can sign in there" in bob.open("/mine/accounts/a/b/back", code="x").text
    assert sites.asked == []


def test_who_presses_twice_is_not_told_that_nothing_was_changed(sites, pages):
    bob = signed_in(creator("bob"))
    sites.github.add(583231, "bob")
    bob.open("/mine/show").send("/mine/accounts", site="github", host="github.com")
    address = sites.github.allow(away(bob), 583231)
    come_back(bob, address).send("", deed="finish")
    assert "is yours here since" in bob.text

    come_back(bob, address).send("", deed="finish")
    assert "You have come back with this before. “My pages” says whether" in bob.text
    assert "Nothing was changed" not in bob.text
    # Nobody else is told so much.
    eve = come_back(signed_in(creator("eve")), address).send("", deed="finish")
    assert "This was begun elsewhere, or more than ten minutes ago" in eve.text


def test_what_cannot_be_asked_is_not_offered(sites, pages, settings):
    bob = signed_in(creator("bob"))
    text = bob.open("/mine/show").text
    assert "Sign in at GitHub" in text
    assert "Sign in at git.example" in text
    assert "This instance is not known at GitLab" in text
    bob.send("/mine/accounts", site="github", host="github.com")
    sites.github.add(583231, "bob")
    come_back(bob, sites.github.allow(away(bob), 583231)).send("", deed="finish")
    shown = bob.address
    assert "Sign in at GitHub" in bob.open(shown).text
    settings.GITHUB_APPS = {}
    assert "Sign in at GitHub" not in signed_in(creator("eve")).open(f"/thing/{pages[0].id}").text
    assert "Sign in at GitHub" not in bob.open(shown).text
    assert "not known at GitHub, so nobody can sign in there from here" in bob.text
    settings.BASE_URL = ""
    assert "Or sign in where your account is" not in bob.open("/mine/show").text


def test_an_operator_decides_between_two_who_show_one_account(sites, pages):
    ines = signed_in(members.join(email="ines@example.org", at=instance.now(), is_operator=True))
    sites.github.add(583231, "bob")
    for name in ("bob", "eve"):
        person = signed_in(creator(name))
        person.open("/mine/show").send("/mine/accounts", site="github", host="github.com")
        come_back(person, sites.github.allow(away(person), 583231)).send("", deed="finish")
    assert "Whether they still do is looked at first" in person.text
    work()
    assert "Until whoever runs this instance has decided" in person.open(person.address).text
    assert Thing.objects.filter(owner=None).count() == 2

    ines.open("/operator/claims")
    assert "github:583231 is called bob at github.com" in ines.text
    assert "The account is from 1 January 2020" in ines.text
    hers = Proof.objects.get(member__username="eve")
    ines.send(f"/operator/proofs/{hers.id}", deed="decide")
    assert {row.owner.username for row in Thing.objects.all()} == {"eve"}
