"""A place is whose proof stands there, as long as it stands, and nobody's while two show it."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Q

from mickle.claims import proofs
from mickle.claims.models import Proof
from mickle.lib.urls import BadUrl
from mickle.things import things
from mickle.things.models import Scope
from tests.claims.seeing import AT, begin, look, owner, page, put, shown
from tests.people import creator, instance_at

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _instance():
    instance_at("2026-11")


PLACES = {
    "FILE": "https://blog.example/",
    "META": "https://blog.example/",
    "DNS": "https://blog.example/",
    "ME": "https://blog.example/",
    "PAYMENT": "https://blog.example/",
    "FUNDING": "https://blog.example/",
    "REPOSITORY": "https://github.com/bob/tool",
}


@pytest.mark.parametrize(("method", "address"), PLACES.items())
def test_each_way_gives_what_is_there_and_what_comes(web, method, address):
    bob = creator("bob")
    before = page(f"{address.rstrip('/')}/first")

    proof = shown(web, bob, address, method)

    assert (proof.state, proof.shown_at, proof.looked_at) == ("SHOWN", AT, AT)
    assert owner(before) == bob
    assert owner(page(f"{address.rstrip('/')}/second")) == bob
    assert owner(page("https://other.example/")) is None


@pytest.mark.parametrize(("method", "address"), PLACES.items())
def test_what_is_not_there_shows_nothing(web, method, address):
    bob, eve = creator("bob"), creator("eve")
    theirs, hers = begin(bob, address, method), begin(eve, address, method)
    put(web, theirs)

    assert look(web, hers).state == "ASKED"
    assert hers.said
    assert not Scope.objects.exists()


def test_a_token_holds_for_one_way_of_one_member_at_one_place(web):
    bob = creator("bob")
    there = begin(bob, "https://blog.example/", "FILE")
    web.pages["https://shop.example/.well-known/mickle.txt"] = there.token
    web.records["_mickle.blog.example"] = [f"mickle={there.token}"]

    assert look(web, there).state == "ASKED"
    assert look(web, begin(bob, "https://shop.example/", "FILE")).state == "ASKED"
    assert look(web, begin(bob, "https://blog.example/", "DNS")).state == "ASKED"


def test_a_page_that_leads_to_another_site_shows_nothing(web):
    bob = creator("bob")
    proof = begin(bob, method="META")
    web.pages["https://evil.example/"] = f'<meta name="mickle:owner" content="{proof.token}">'
    web.leads["https://blog.example/"] = "https://evil.example/"

    assert look(web, proof).state == "ASKED"
    assert "another site" in proof.said


def test_a_page_may_lead_on_below_its_own_place(web):
    bob = creator("bob")
    proof = begin(bob, method="META")
    web.leads["https://blog.example/"] = "https://www.blog.example/en/"
    web.pages["https://www.blog.example/en/"] = (
        f'<meta name="mickle:owner" content="{proof.token}">'
    )

    assert look(web, proof).state == "SHOWN"


def test_a_path_is_exactly_this_path(web):
    bob = creator("bob")
    deeper, beside = page("https://uni.example/bob/essay"), page("https://uni.example/bobby")

    proof = shown(web, bob, "https://uni.example/bob", "META")

    assert (proof.kind, proof.text) == ("PATH", "uni.example/bob")
    assert owner(deeper) == bob
    assert owner(beside) is None
    assert owner(page("https://uni.example/bob?page=2")) == bob
    assert owner(page("https://uni.example/")) is None


def test_capitals_of_a_path_are_another_path(web):
    bob, other, below = creator("bob"), page("https://uni.example/Bob/essay"), "uni.example/bob"

    shown(web, bob, f"https://{below}", "META")

    assert owner(other) is None
    assert owner(page("https://uni.example/BOB?page=2")) is None
    assert owner(page("https://uni.example/Bob/new")) is None


def test_the_home_of_a_person_is_found_whatever_comes_before(web):
    uni, post = creator("uni"), page("https://uni.example/@Eve/123456789012345678")

    shown(web, uni, "https://uni.example/", "FILE")

    assert owner(post) is None


def test_who_waits_for_an_answer_is_looked_at_first(web):
    old = shown(web, creator("bob"))
    at = AT + 40 * DAY
    new = proofs.begin(member=creator("eve"), address="https://shop.example/", method="FILE", at=at)
    proofs.want_look(proof=new, at=at)
    assert due(40) == [new, old]


def test_a_host_does_not_reach_into_a_path_that_was_shown_apart(web):
    bob, uni = creator("bob"), creator("uni")
    essay = page("https://uni.example/bob/essay")
    theirs = shown(web, bob, "https://uni.example/bob", "META")
    web.pages.clear()
    # Nor after it was lost: nobody has it then.
    assert look(web, theirs, AT + DAY).state == "LOST"

    shown(web, uni, "https://uni.example/", "DNS")

    assert owner(essay) is None
    assert owner(page("https://uni.example/bob/new")) is None
    assert owner(page("https://uni.example/")) == uni
    put(web, theirs)
    assert look(web, theirs, AT + 2 * DAY).state == "SHOWN"
    assert owner(essay) == bob


def test_a_home_below_a_host_is_its_persons(web):
    uni = creator("uni")
    home, front = page("https://uni.example/~bob/cv"), page("https://uni.example/about")

    shown(web, uni, "https://uni.example/", "FILE")

    assert owner(home) is None
    assert owner(front) == uni
    assert owner(page("https://uni.example/~eve")) is None


def test_a_host_says_nothing_about_those_below_it(web):
    below = page("https://shop.blog.example/")

    shown(web, creator("bob"), "https://blog.example/", "DNS")

    assert owner(below) is None


@pytest.mark.parametrize(
    "address",
    [
        "https://github.io/",
        "https://medium.com/",
        "https://wordpress.com/",
        "https://co.uk/",
        "https://github.com/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://blog.example:8443/",
        "https://[2001:db8::1]/",
    ],
)
def test_what_belongs_to_many_or_to_nobody_cannot_be_shown(address):
    with pytest.raises(proofs.NotOnePlace):
        begin(creator("bob"), address, "META")
    assert not Proof.objects.exists()


def test_what_is_no_address_cannot_be_shown():
    with pytest.raises(BadUrl):
        begin(creator("bob"), "mailto:bob@blog.example")


def test_part_of_a_shared_host_is_shown_by_a_page_of_it(web):
    bob = creator("bob")
    with pytest.raises(proofs.BadMethod):
        begin(bob, "https://medium.com/@bob", "DNS")
    assert begin(bob, "https://medium.com/@bob/essay", "META").text == "medium.com/@bob/essay"
    assert begin(bob, "https://bob.github.io/tool", "FILE").text == "bob.github.io"


def test_only_a_repository_has_a_funding_file():
    with pytest.raises(proofs.BadMethod):
        begin(creator("bob"), "https://blog.example/", "REPOSITORY")
    with pytest.raises(proofs.BadMethod):
        begin(creator("eve"), "https://blog.example/", "TELEPATHY")


def test_the_same_is_asked_for_once_and_anew_after_seven_days():
    bob = creator("bob")
    first = begin(bob)

    assert begin(bob) == first
    later = proofs.begin(
        member=bob, address="https://blog.example/x", method="FILE", at=AT + 7 * DAY
    )
    assert later != first
    assert later.token != first.token
    assert Proof.objects.get(id=first.id).state == "ENDED"


def test_after_seven_days_it_is_too_late(web):
    bob = creator("bob")
    proof = begin(bob)
    put(web, proof)

    assert look(web, proof, AT + 7 * DAY).state == "ASKED"
    assert not Scope.objects.exists()
    with pytest.raises(proofs.Ended):
        proofs.want_look(proof=proof, at=AT + 7 * DAY)


def test_nobody_asks_for_more_than_anybody_needs():
    bob = creator("bob")
    for number in range(proofs.LIVE_AT_MOST):
        begin(bob, f"https://uni.example/bob{number}", "META")
    with pytest.raises(proofs.TooMany):
        begin(bob, "https://uni.example/one-more", "META")


def test_a_lost_proof_leaves_its_pages_to_nobody_until_it_is_back(web):
    bob = creator("bob")
    essay = page("https://blog.example/essay")
    proof = shown(web, bob)
    kept = dict(web.pages)

    web.pages.clear()
    assert look(web, proof, AT + DAY).state == "LOST"
    assert owner(essay) is None
    assert owner(page("https://blog.example/new")) is None

    web.pages.update(kept)
    assert look(web, proof, AT + 2 * DAY).state == "SHOWN"
    assert owner(essay) == bob
    assert proof.shown_at == AT


def test_another_way_to_show_the_same_holds_it(web):
    bob = creator("bob")
    essay = page("https://blog.example/essay")
    by_file, by_dns = shown(web, bob), shown(web, bob, method="DNS")

    web.pages.clear()
    assert look(web, by_file, AT + DAY).state == "LOST"
    assert owner(essay) == bob
    web.records.clear()
    assert look(web, by_dns, AT + DAY).state == "LOST"
    assert owner(essay) is None


def test_silence_is_no_loss_until_it_lasts_a_week(web):
    bob = creator("bob")
    essay = page("https://blog.example/essay")
    proof = shown(web, bob)
    web.silent = {"blog.example"}

    for day in range(7):
        assert look(web, proof, AT + (30 + day) * DAY).state == "SHOWN"
    assert owner(essay) == bob
    assert look(web, proof, AT + 37 * DAY).state == "LOST"
    assert owner(essay) is None


def test_a_host_that_is_left_alone_for_a_while_is_not_silent(web):
    """It has asked for that, or others are asking it: nobody asked for this page."""
    bob = creator("bob")
    essay = page("https://blog.example/essay")
    proof, other = shown(web, bob), shown(web, bob, method="META")
    web.resting = {"blog.example"}
    for day in range(30, 60):
        proof = look(web, proof, AT + day * DAY)
        assert (proof.state, proof.silent_since_at, proof.looked_at) == ("SHOWN", None, AT)
    assert "left alone" in proof.said
    # Nobody is paid by it meanwhile, and it is tried again in an hour.
    assert proofs.held({bob.id: AT + DAY})
    assert (due(59), due(60)) == ([other], [proof, other])
    # Asked, and no answer: that begins a week, and others at that host come first from now on.
    web.resting, web.silent = set(), {"blog.example"}
    assert look(web, proof, AT + 60 * DAY).silent_since_at == AT + 60 * DAY
    assert due(91) == [other, proof]
    web.resting = {"blog.example"}
    web.silent = set()
    assert look(web, proof, AT + 68 * DAY).state == "SHOWN"
    web.resting = set()
    assert look(web, proof, AT + 68 * DAY).silent_since_at is None
    assert owner(essay) == bob


def test_an_answer_ends_the_silence(web):
    proof = shown(web, creator("bob"))
    web.silent = {"blog.example"}
    look(web, proof, AT + 30 * DAY)
    web.silent = set()
    assert look(web, proof, AT + 36 * DAY).silent_since_at is None
    web.silent = {"blog.example"}
    assert look(web, proof, AT + 38 * DAY).state == "SHOWN"


def test_who_stops_showing_it_leaves_it_to_nobody(web):
    essay = page("https://blog.example/essay")
    proof = shown(web, creator("bob"))

    proofs.end(proof=proof, at=AT + DAY)

    assert owner(essay) is None
    assert begin(creator("eve")).state == "ASKED"


def test_what_an_operator_gave_stays_whatever_is_shown(web):
    bob, eve = creator("bob"), creator("eve")
    essay = page("https://blog.example/essay")
    things.set_owner(thing=essay, owner=eve, at=AT)

    proof = shown(web, bob)
    assert owner(essay) == eve
    web.pages.clear()
    look(web, proof, AT + DAY)
    assert owner(essay) == eve


def test_who_leaves_shows_nothing_any_more(web):
    bob = creator("bob")
    essay = page("https://blog.example/essay")
    shown(web, bob)

    proofs.forget(member=bob, at=AT + DAY)

    assert owner(essay) is None
    assert not Proof.objects.exclude(state="ENDED").exists()


def due(day: int, *, asked: bool = False) -> list[Proof]:
    waits = Q(id__gt=0) if asked else Q(id__lt=0)
    return list(proofs.to_look_at(AT + day * DAY, unseen=waits, untried=Q(id__lt=0)))


def test_what_is_due_is_wanted_old_or_to_be_paid(web):
    proof = shown(web, creator("bob"))

    assert due(29) == []
    assert due(30) == [proof]
    assert due(2, asked=True) == [proof]
    assert due(0, asked=True) == []
    proofs.want_look(proof=proof, at=AT + DAY)
    assert due(1) == [proof]
    web.silent = {"blog.example"}
    look(web, proof, AT + DAY)
    assert due(1) == []
    assert due(31) == [proof]


def test_the_database_keeps_one_live_proof_of_a_way_and_what_it_says():
    bob = creator("bob")
    row = begin(bob)
    with pytest.raises(IntegrityError), transaction.atomic():
        Proof.objects.filter(id=row.id).update(state="SHOWN")
    with pytest.raises(IntegrityError), transaction.atomic():
        Proof.objects.filter(id=row.id).update(kind="PATH")
    row.id, row.token = None, "another"
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()
