"""A claim is made once, decided once, and gives a thing to one member."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction

from mickle.claims import claims
from mickle.claims.models import Claim
from mickle.members import members
from mickle.things import things
from mickle.things.models import Thing
from tests.people import EARLY_DECEMBER, MID_NOVEMBER, creator, member, thing

pytestmark = pytest.mark.django_db


def claim(row: Thing, who: object, note: str = "See /about") -> Claim:
    return claims.make(thing=row, member=who, at=MID_NOVEMBER, note=note)


def owner_of(row: Thing) -> object:
    return Thing.objects.get(id=row.id).owner


def test_a_granted_claim_makes_the_member_the_owner() -> None:
    bob, olga, essay = creator("bob"), member("olga"), thing("essay")

    owned = claims.grant(claim=claim(essay, bob), by=olga, at=EARLY_DECEMBER)

    assert (owned, owned.owner) == (essay, bob)
    row = Claim.objects.get()
    assert (row.state, row.decided_by, row.decided_at) == ("GRANTED", olga, EARLY_DECEMBER)


def test_claiming_twice_is_one_open_claim() -> None:
    bob, essay = creator("bob"), thing("essay")

    first = claim(essay, bob)

    assert claim(essay, bob, note="Again") == first
    assert Claim.objects.get().note == "See /about"


def test_the_database_keeps_one_open_claim_of_a_member_on_a_thing() -> None:
    row = claim(thing("essay"), creator("bob"))

    with pytest.raises(IntegrityError), transaction.atomic():
        Claim.objects.create(thing=row.thing, member=row.member, made_at=MID_NOVEMBER)
    with pytest.raises(IntegrityError), transaction.atomic():
        Claim.objects.filter(id=row.id).update(state="GRANTED")


def test_a_refused_claim_changes_no_owner_and_can_be_made_anew() -> None:
    bob, olga, essay = creator("bob"), member("olga"), thing("essay")
    first = claim(essay, bob)

    claims.refuse(claim=first, by=olga, at=EARLY_DECEMBER)

    assert owner_of(essay) is None
    assert claim(essay, bob) != first
    assert list(claims.open_claims().values_list("member__username", flat=True)) == ["bob"]


def test_of_two_claims_the_second_granted_is_refused_and_stays_open() -> None:
    bob, mallory, olga, essay = creator("bob"), creator("mallory"), member("olga"), thing("essay")
    first, second = claim(essay, bob), claim(essay, mallory)
    claims.grant(claim=first, by=olga, at=EARLY_DECEMBER)

    with pytest.raises(things.AlreadyOwned):
        claims.grant(claim=second, by=olga, at=EARLY_DECEMBER)

    assert owner_of(essay) == bob
    assert list(claims.open_claims()) == [second]


def test_what_was_decided_is_not_decided_again() -> None:
    bob, olga, essay = creator("bob"), member("olga"), thing("essay")
    granted = claim(essay, bob)
    claims.grant(claim=granted, by=olga, at=EARLY_DECEMBER)

    for deed in (claims.grant, claims.refuse):
        with pytest.raises(claims.Decided):
            deed(claim=granted, by=olga, at=EARLY_DECEMBER)

    assert Claim.objects.get().state == "GRANTED"


def test_what_cannot_be_owned_is_not_claimed() -> None:
    bob, refused, merged = creator("bob"), thing("refused"), thing("merged")
    things.refuse(thing=refused, at=MID_NOVEMBER)
    things.merge(thing=merged, into=thing("target"), at=MID_NOVEMBER)

    for row in (thing("mine", bob), thing("hers", creator("carol")), refused, merged):
        with pytest.raises(claims.CannotClaim):
            claim(row, bob)

    assert not Claim.objects.exists()


def test_somebody_who_leaves_gets_nothing_new() -> None:
    bob, olga, essay = creator("bob"), member("olga"), thing("essay")
    before = claim(essay, bob)
    members.note_closing(member=bob, at=EARLY_DECEMBER)

    with pytest.raises(members.Leaving):
        claim(thing("other"), bob)
    with pytest.raises(members.Leaving):
        claims.grant(claim=before, by=olga, at=EARLY_DECEMBER)

    assert owner_of(essay) is None
    assert Claim.objects.get().state == "OPEN"


def test_a_note_is_plain_and_not_too_long() -> None:
    bob = creator("bob")

    assert claim(thing("one"), bob, note=" line\x00 one\n\u202etwo ").note == "line one\ntwo"
    assert claim(thing("two"), bob, note="x" * 1_000).note == "x" * 1_000
    with pytest.raises(claims.BadNote):
        claim(thing("three"), bob, note="x" * 1_001)


def test_forgetting_drops_open_claims_and_every_note() -> None:
    bob, olga = creator("bob"), member("olga")
    claims.grant(claim=claim(thing("one"), bob), by=olga, at=EARLY_DECEMBER)
    two = thing("two")
    claim(two, bob)
    other = claim(two, creator("carol"))

    claims.forget(member=bob)

    assert list(Claim.objects.filter(member=bob).values_list("state", "note")) == [("GRANTED", "")]
    assert list(claims.open_claims()) == [other]


@pytest.mark.django_db(transaction=True)
def test_of_eight_operators_who_decide_at_once_one_does() -> None:
    bobs = [creator(f"bob{n}") for n in range(8)]
    olga, essay = member("olga"), thing("essay")
    rows = [claim(essay, bob) for bob in bobs]
    start = Barrier(8)

    def run(row: Claim) -> bool:
        try:
            start.wait()
            claims.grant(claim=row, by=olga, at=EARLY_DECEMBER)
        except things.AlreadyOwned:
            return False
        else:
            return True
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(run, rows))

    granted = Claim.objects.get(state="GRANTED")
    assert (done.count(True), granted.member) == (1, owner_of(essay))
    assert claims.open_claims().count() == 7
