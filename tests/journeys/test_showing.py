"""A maker shows a place over HTTP, a worker looks, and what waited is paid out to the micro."""

from datetime import timedelta

import pytest
from django.conf import settings as known

from mickle.claims import proofs
from mickle.claims.models import Proof
from mickle.instance import instance
from mickle.ledger import ledger
from mickle.lib import months
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.ops import deeds, looking
from mickle.payouts import payouts
from mickle.settlement import settlement
from mickle.things import things
from mickle.things.models import Thing
from tests.claims.seeing import Web, put
from tests.people import EUR, NOVEMBER, creator, instance_at, member
from tests.web.browsing import Person, signed_in

pytestmark = pytest.mark.django_db
ESSAY = "https://blog.example/essay"


@pytest.fixture
def web(monkeypatch, settings) -> Web:
    web = Web()
    settings.FETCH, settings.BASE_URL = True, "https://here.example"
    monkeypatch.setattr(looking, "eyes", lambda: web)
    monkeypatch.setattr(looking, "profile_of", lambda who: f"https://here.example/{who.username}")
    return web


@pytest.fixture
def essay() -> Thing:
    """Settled in November with 5.00 over two pages: 2.50 waits for this one."""
    instance_at("2026-11", kind="TEST")
    alice = member("alice", funds="5.00")
    mid = months.start(NOVEMBER) + timedelta(days=14)
    row = things.find_or_add(url=ESSAY, at=mid)
    for one in (row, things.find_or_add(url="https://other.example/", at=mid)):
        nods.give(member=alice, thing=one, at=mid)
    at = max(months.end(NOVEMBER) + timedelta(days=4), instance.now())
    instance.move_clock(to=at)
    settlement.settle(month=NOVEMBER, at=at)
    assert ledger.balance(ledger.waiting(alice.id)) == EUR("5.00")
    return row


@pytest.fixture
def bob(essay) -> Person:
    return signed_in(creator("bob"))


def work() -> None:
    """What a worker does when it comes to it."""
    at = instance.now()
    for deed in deeds.DEEDS:
        if deed.name in ("look-at-proofs", "release") and deed.due(at):
            deed.do(at)


def begin(person: Person, method: str = "FILE", url: str = "https://blog.example") -> Proof:
    person.open("/mine/show").send("", url=url, method=method)
    return Proof.objects.latest("id")


@pytest.mark.parametrize("method", ["FILE", "META", "DNS"])
def test_what_waits_is_released_to_the_micro_once_it_is_seen(web, essay, bob, method):
    bob.open(f"/thing/{essay.id}")
    assert "Put a line on your site" in bob.text
    assert "/mine/show?url=https%3A%2F%2Fblog.example%2Fessay" in bob.html
    proof = begin(bob, method)
    assert proof.token in bob.html
    put(web, proof)

    bob.send(f"/mine/show/{proof.id}/deed", deed="look")
    assert "We are looking" in bob.text
    work()

    bob.open(f"/mine/show/{proof.id}")
    assert "is yours here since" in bob.text
    assert "Until " in bob.text
    assert Thing.objects.get(id=essay.id).owner.username == "bob"
    assert ledger.balance(ledger.revenue(proof.member_id)) == EUR("2.25")
    assert ledger.total("FEE") == EUR("0.25")
    assert "seen" in bob.open("/mine").text
    # The public sees how it came, and until when to object.
    anybody = Person.new().open(f"/thing/{essay.id}")
    assert "has shown by the site itself that blog.example is theirs" in anybody.text
    assert 'rel="me nofollow noreferrer"' in anybody.open("/people/bob").html


def test_what_was_not_put_there_is_said(web, essay, bob):
    proof = begin(bob)
    bob.send(f"/mine/show/{proof.id}/deed", deed="look")
    work()
    bob.open(f"/mine/show/{proof.id}")
    assert "answers with status 404" in bob.text
    assert Thing.objects.get(id=essay.id).owner is None


@pytest.mark.parametrize(
    ("url", "method", "said"),
    [
        ("", "FILE", "Type a web address"),
        ("javascript:alert(1)", "FILE", "can be used"),
        ("https://medium.com/", "META", "Many people have pages at"),
        ("https://127.0.0.1/", "META", "is no public name"),
        ("https://medium.com/@bob", "DNS", "is a part of one"),
        ("https://blog.example", "REPOSITORY", "Give the address of a repository"),
        ("https://bob:secret@blog.example", "FILE", "contains a password"),
        ("https://blog.example", "WISH", "Select a valid choice"),
    ],
)
def test_a_wrong_wish_is_answered_where_it_stands(bob, settings, url, method, said):
    settings.BASE_URL = "https://here.example"
    bob.open("/mine/show").send("", url=url, method=method)
    assert said in bob.text
    assert not Proof.objects.exists()


def test_without_an_address_of_its_own_an_instance_offers_what_needs_none(bob, settings):
    settings.BASE_URL = ""
    assert "rel=me" not in bob.open("/mine/show").text
    bob.send("", url="https://blog.example", method="ME")
    assert "Select a valid choice" in bob.text
    settings.BASE_URL = "https://here.example"
    assert "rel=me" in bob.open("/mine/show").text


def test_where_nothing_is_read_it_says_so(bob, settings):
    proof = begin(bob)
    bob.send(f"/mine/show/{proof.id}/deed", deed="look")
    for path in ("/mine/show", f"/mine/show/{proof.id}"):
        assert "reads nothing from the web" in bob.open(path).text
    settings.FETCH = True
    assert "reads nothing" not in bob.open("/mine/show").text


def test_nobody_sees_or_moves_the_proof_of_another(web, bob):
    proof = begin(bob)
    eve = signed_in(member("eve"))
    assert eve.client.get(f"/mine/show/{proof.id}").status_code == 404
    eve.open("/mine/show")
    token = eve.client.cookies[known.CSRF_COOKIE_NAME].value
    form = {"deed": "end", "csrfmiddlewaretoken": token}
    assert eve.client.post(f"/mine/show/{proof.id}/deed", form).status_code == 404
    assert Proof.objects.get().state == "ASKED"


def test_a_place_is_given_up_by_a_button(web, essay, bob):
    proof = begin(bob)
    put(web, proof)
    bob.send(f"/mine/show/{proof.id}/deed", deed="look")
    work()
    bob.open(f"/mine/show/{proof.id}").send(f"/mine/show/{proof.id}/deed", deed="end")
    assert "You no longer show this place" in bob.text
    assert Thing.objects.get(id=essay.id).owner is None
    # What was paid out by then stays theirs.
    assert ledger.balance(ledger.revenue(proof.member_id)) == EUR("2.25")


def test_an_operator_decides_between_two(web, essay, bob):
    ines = signed_in(members.join(email="ines@example.org", at=instance.now(), is_operator=True))
    for person, method in ((bob, "DNS"), (signed_in(creator("eve")), "FILE")):
        proof = begin(person, method)
        put(web, proof)
        proofs.want_look(proof=proof, at=instance.now())
        work()
        if method == "DNS":
            hers = proof
    assert "Somebody else shows the same place" in bob.open(f"/mine/show/{hers.id}").text

    ines.open("/operator/claims")
    assert "Places to decide about" in ines.text
    assert "_mickle.blog.example has the TXT record" in ines.text
    ines.send(f"/operator/proofs/{hers.id}", deed="decide")

    assert Thing.objects.get(id=essay.id).owner.username == "bob"
    assert "Nobody waits for a decision" in ines.text


def test_an_operator_sees_why_a_payout_waits_and_pays_it_all_the_same(web, essay, bob):
    ines = signed_in(members.join(email="ines@example.org", at=instance.now(), is_operator=True))
    proof = begin(bob)
    put(web, proof)
    proofs.want_look(proof=proof, at=instance.now())
    work()
    maker = Member.objects.get(username="bob")
    ledger.post(
        key="more",
        debit=ledger.PROVIDER,
        credit=ledger.revenue(maker.id),
        amount_micros=EUR("20.00"),
        reason="SHARE",
        at=instance.now(),
    )
    payouts.set_account(member=maker, iban="DE89370400440532013000", holder_name="Bob")
    payout = payouts.request(member=maker, at=instance.now(), key="1")

    assert "is looked at once more first" in ines.open("/operator/payouts").text
    ines.send("/operator/payouts/make-file")
    assert "None of the 1 payouts can go yet" in ines.text
    ines.open("/operator/payouts").send(f"/operator/payouts/{payout.id}", deed="clear")
    ines.open("/operator/payouts").send("/operator/payouts/make-file")
    payout.refresh_from_db()
    assert payout.state == "SENT"


def test_a_worker_looks_again_before_a_payout_and_lets_it_go(web, essay, bob):
    proof = begin(bob)
    put(web, proof)
    proofs.want_look(proof=proof, at=instance.now())
    work()
    maker = Member.objects.get(username="bob")
    payouts.set_account(member=maker, iban="DE89370400440532013000", holder_name="Bob")
    ledger.post(
        key="more",
        debit=ledger.PROVIDER,
        credit=ledger.revenue(maker.id),
        amount_micros=EUR("20.00"),
        reason="SHARE",
        at=instance.now(),
    )
    payout = payouts.request(member=maker, at=instance.now(), key="1")
    assert payouts.why_held([payout], at=instance.now())
    work()
    assert payouts.why_held([payout], at=instance.now()) == {}
