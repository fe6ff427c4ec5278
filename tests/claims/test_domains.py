"""A domain that was registered after people nodded there, or anew, waits for an operator."""

import json
from datetime import datetime, timedelta

import pytest

from mickle.claims import proofs
from mickle.claims.accounts import Account
from mickle.claims.models import Proof
from mickle.members.models import Member
from tests.claims.seeing import AT, Web, begin, look, owner, page, put, shown
from tests.claims.test_handles import hub, note
from tests.people import creator, instance_at, member

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
ESSAY = "https://blog.example/essay"


@pytest.fixture(autouse=True)
def _instance():
    instance_at("2026-11")


@pytest.fixture
def olga() -> Member:
    return member("olga")


def show(web: Web, who: Member, at: datetime, method: str = "FILE") -> Proof:
    """Show the blog, and be looked at then."""
    proof = begin(who, method=method)
    put(web, proof)
    return look(web, proof, at)


def test_who_registered_a_domain_after_people_nodded_there_waits_for_an_operator(web, olga):
    essay, bob = page(ESSAY), creator("bob")
    web.domains["blog.example"] = AT + DAY
    proof = show(web, bob, AT + 2 * DAY)
    assert (proof.state, owner(essay)) == ("DISPUTED", None)
    assert proofs.held({bob.id: AT + 2 * DAY})[bob.id].startswith("blog.example is no longer")
    assert look(web, proof, AT + 3 * DAY).state == "DISPUTED"

    proofs.decide(proof=proof, by=olga, at=AT + 3 * DAY)
    assert owner(essay) == bob
    assert look(web, proof, AT + 4 * DAY).state == "SHOWN"
    # Another way to show what is theirs is no new question.
    assert show(web, bob, AT + 4 * DAY, "DNS").state == "SHOWN"
    assert owner(essay) == bob


def test_a_part_of_a_site_is_as_old_as_its_domain(web):
    bob, essay = creator("bob"), page(ESSAY)
    web.domains["blog.example"] = AT + DAY
    proof = begin(bob, "https://www.blog.example/essay", "META")
    put(web, proof)
    assert (look(web, proof, AT + 2 * DAY).state, owner(essay)) == ("DISPUTED", None)


@pytest.mark.parametrize("address", [ESSAY, "https://other.example/"])
def test_who_had_the_domain_before_or_where_nobody_nodded_has_it_at_once(web, address):
    bob = creator("bob")
    page(address, AT + DAY)
    web.domains["blog.example"] = AT + (DAY / 2 if address == ESSAY else 2 * DAY)
    assert show(web, bob, AT + 3 * DAY).state == "SHOWN"
    assert owner(page(ESSAY)) == bob


def test_where_no_registry_answers_a_proof_is_enough(web):
    essay, bob = page(ESSAY), creator("bob")
    assert shown(web, bob).state == "SHOWN"
    assert (owner(essay), Proof.objects.get().since_at) == (bob, None)


def test_a_copy_of_a_site_on_a_domain_that_was_registered_anew_shows_nothing(web, olga):
    essay, bob = page(ESSAY), creator("bob")
    web.domains["blog.example"] = AT - 900 * DAY
    first, second = shown(web, bob), show(web, bob, AT, "DNS")
    web.domains["blog.example"] = AT + 20 * DAY
    assert look(web, first, AT + 30 * DAY).state == "DISPUTED"
    second.refresh_from_db()
    assert (second.state, owner(essay), owner(page(ESSAY + "2"))) == ("DISPUTED", None, None)
    # It is one question, however many ways show it, and asked once of a registration.
    proofs.decide(proof=second, by=olga, at=AT + 31 * DAY)
    assert (owner(essay), look(web, second, AT + 32 * DAY).state) == (bob, "SHOWN")
    assert look(web, first, AT + 32 * DAY).state == "SHOWN"
    web.domains["blog.example"] = AT + 60 * DAY
    assert look(web, second, AT + 62 * DAY).state == "DISPUTED"
    assert owner(essay) is None


def test_what_was_decided_of_one_who_had_the_domain_does_not_hold_for_the_next(web, olga):
    essay, bob = page(ESSAY), creator("bob")
    web.domains["blog.example"] = AT + DAY
    proof = show(web, bob, AT + 2 * DAY)
    proofs.decide(proof=proof, by=olga, at=AT + 3 * DAY)
    gone = dict(web.pages)
    web.pages.clear()
    assert look(web, proof, AT + 40 * DAY).state == "LOST"
    web.pages |= gone
    web.domains["blog.example"] = AT + 50 * DAY
    assert look(web, proof, AT + 60 * DAY).state == "DISPUTED"
    assert owner(essay) is None


POST = "https://social.example/@bob/109000000000000001"


def signed_in(web: Web, who: Member, at: datetime = AT, since_at: datetime | None = None) -> Proof:
    """Signed in at a server of the fediverse, which tells strangers nothing, and looked at."""
    web.silent = {"social.example"}
    account = Account("mastodon", "social.example", "7", "Bob", since_at or AT - 900 * DAY)
    return look(web, note(who, account, at), at)


def test_an_account_of_the_fediverse_is_no_older_than_its_servers_domain(web, olga):
    """Or who bought the domain of a server that is gone would have what waits for its people."""
    post, bob = page(POST), creator("bob")
    web.domains["social.example"] = AT + DAY
    proof = signed_in(web, bob, AT + 2 * DAY)
    assert (proof.state, proof.since_at, owner(post)) == ("DISPUTED", AT + DAY, None)

    proofs.decide(proof=proof, by=olga, at=AT + 3 * DAY)
    assert owner(post) == bob
    # To sign in again is no new question, until the domain is registered anew.
    assert signed_in(web, bob, AT + 4 * DAY).state == "SHOWN"
    told = {"id": "7", "username": "Bob", "acct": "Bob", "url": "https://social.example/@Bob"}
    web.silent, url = set(), "https://social.example/api/v1/accounts/7"
    web.pages[url] = json.dumps(told)
    assert look(web, proof, AT + 34 * DAY).state == "SHOWN"
    assert proof.decided_by == olga
    web.domains["social.example"] = AT + 40 * DAY
    assert look(web, proof, AT + 64 * DAY).state == "DISPUTED"
    assert owner(post) is None


@pytest.mark.parametrize("registered_at", [None, AT - 2000 * DAY])
def test_an_account_of_a_server_that_stood_before_is_as_old_as_it_says(web, registered_at):
    post, bob, eve = page(POST), creator("bob"), creator("eve")
    if registered_at is not None:
        web.domains["social.example"] = registered_at
    assert signed_in(web, eve, AT + 2 * DAY, since_at=AT + DAY).state == "DISPUTED"
    Proof.objects.update(state="ENDED", ended_at=AT + 3 * DAY)
    proof = signed_in(web, bob, AT + 4 * DAY)
    assert (proof.state, proof.since_at, owner(post)) == ("SHOWN", AT - 900 * DAY, bob)


def test_whoever_signed_in_has_nothing_before_the_domain_was_looked_up(web):
    post, bob = page(POST), creator("bob")
    proof = note(bob, Account("mastodon", "social.example", "7", "Bob", AT - 900 * DAY))
    assert (proof.state, proof.wanted_at, owner(post)) == ("ASKED", AT, None)


class NoRegistry(Web):
    """Of these places nobody asks a registry."""

    def registered_at(self, domain: str, at: datetime) -> datetime | None:
        raise AssertionError(domain)


def test_a_part_of_what_others_registered_is_asked_after_at_no_registry():
    web, bob = NoRegistry(), creator("bob")
    assert shown(web, bob, "https://bob.wordpress.com/").state == "SHOWN"
    assert shown(web, bob, "https://github.com/bob/tool", "REPOSITORY").state == "SHOWN"
    assert look(web, note(bob, hub(1, "bob")), AT + DAY).state
    # Nor while a place is not shown.
    assert look(web, begin(bob)).state == "ASKED"
