"""Nods of other weights than 1: what each carries, and what was split before there were weights."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from mickle.ledger import ledger
from mickle.lib import money
from mickle.members.models import Member
from mickle.nods import nods
from mickle.nods.models import Nod
from mickle.settlement import settlement
from mickle.settlement.models import Split
from mickle.things.models import Thing
from tests.people import (
    EARLY_DECEMBER,
    EUR,
    MID_NOVEMBER,
    NOVEMBER,
    creator,
    instance_at,
    member,
    thing,
)
from tests.settlement.test_settle import all_hold

FIRST = 200


def give(who: Member, *weights: int) -> dict[int, int]:
    """Nods at pages of their own, a waiting one among them; the weights by thing id."""
    last = Nod.objects.count() + FIRST
    given = {last + place: weight for place, weight in enumerate(weights)}
    for one in given:
        thing(f"page{one}", creator(f"maker{one}") if one % 3 else None, thing_id=one)
    nods.record_many(
        (NOVEMBER, who.id, one, MID_NOVEMBER, "", weight) for one, weight in given.items()
    )
    return given


def fund(who: Member, micros: int) -> None:
    ledger.post(
        key="in",
        debit=ledger.PROVIDER,
        credit=ledger.funds(who.id),
        amount_micros=micros,
        reason="TOP_UP",
        at=MID_NOVEMBER,
    )


def shares(who: Member) -> dict[int, int]:
    found = settlement.statement(member=who, month=NOVEMBER)
    return {share.thing.id: share.amount_micros for share in found.shares}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("spend", "weights", "split"),
    [
        # As without weights: n, total, slice, rem, cut_remainder, the place of cut_thing.
        (5_000_000, (1, 1, 1), (3, 3, 1_666_666, 2, 2, 1)),
        (5_000_000, (1, 1), (2, 2, 2_500_000, 0, 0, None)),
        (5_000_000, (7, 7, 7), (3, 21, 238_095, 5, 14, 1)),
        (5_000_000, (1, 2, 4), (3, 7, 714_285, 5, 5, 0)),
        # A micro to the heavier one, though its id is higher.
        (1, (1, 1, 2), (3, 4, 0, 1, 2, 2)),
        (3, (1, 1, 2), (3, 4, 0, 3, 3, 1)),
        # Something is left of the slices and nothing of the parts.
        (9, (2, 4), (2, 6, 1, 3, 0, None)),
        (4_999_999, (100, 1, 1, 99), (4, 201, 24_875, 124, 124, 1)),
    ],
)
def test_shares_follow_the_weights(spend, weights, split):
    instance_at()
    alice = member("alice")
    fund(alice, spend)
    given = give(alice, *weights)
    due = money.share_out(spend, given)
    assert {
        one.thing.id: one.amount_micros
        for one in settlement.preview(member=alice, at=MID_NOVEMBER).shares
    } == due
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    assert shares(alice) == due
    assert sum(due.values()) == spend
    row = Split.objects.get()
    place = None if row.cut_thing == 0 else row.cut_thing - min(given)
    assert (row.n, row.total_weight, row.slice_micros, row.rem, row.cut_remainder, place) == split
    all_hold(settlement.audit())


@pytest.mark.django_db
def test_the_same_weight_on_every_nod_changes_no_share():
    instance_at()
    alice, bob = member("alice", funds="4.99"), member("bob", funds="4.99")
    ones, sevens = give(alice, *[1] * 11), give(bob, *[7] * 11)
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    assert [shares(alice)[one] for one in ones] == [shares(bob)[one] for one in sevens]


@pytest.mark.django_db
def test_a_void_nod_takes_its_weight_along():
    instance_at()
    alice = member("alice", funds="5.00")
    first, own, last = give(alice, 1, 50, 3)
    Thing.objects.filter(id=own).update(owner=alice)
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    assert shares(alice) == {first: EUR("1.25"), own: 0, last: EUR("3.75")}


@pytest.mark.django_db
def test_a_slice_on_a_page_is_that_of_a_nod_of_weight_one():
    instance_at()
    alice = member("alice", funds="5.00")
    give(alice, 1, 3)
    seen = settlement.preview(member=alice, at=MID_NOVEMBER)
    assert (seen.each_micros, seen.next_each_micros) == (EUR("1.25"), EUR("1.00"))


@pytest.mark.django_db
@pytest.mark.parametrize("weight", [0, 101, -1])
def test_a_weight_out_of_range_is_refused(weight):
    instance_at()
    alice = member("alice")
    with pytest.raises(IntegrityError, match="nod_weight_in_range"), transaction.atomic():
        give(alice, weight)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change", [{"cut_thing": FIRST}, {"cut_remainder": 6}, {"n": 2}, {"slice_micros": 714_284}]
)
def test_the_audit_sees_a_cut_that_is_wrong(change):
    instance_at()
    alice = member("alice", funds="5.00")
    give(alice, 1, 1, 5)
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    Split.objects.update(**change)
    assert "Shares equal spend" in {one.name for one in settlement.audit() if not one.ok}


@pytest.mark.django_db
def test_the_audit_sees_a_weight_that_was_changed():
    instance_at()
    alice = member("alice", funds="5.00")
    give(alice, 1, 1, 5)
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    Nod.objects.filter(weight=5).update(weight=6)
    assert "Shares equal spend" in {one.name for one in settlement.audit() if not one.ok}


@pytest.mark.django_db(transaction=True)
def test_what_was_split_before_there_were_weights_stays_as_it_was():
    instance_at()
    alice, bob = member("alice", funds="5.00"), member("bob", funds="5.00")
    give(alice, 1, 1, 1)
    give(bob, 1, 1)
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    before = list(Split.objects.order_by("member_id").values())
    migrate = MigrationExecutor(connection).migrate
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    migrate([("settlement", "0001_initial"), ("nods", "0002_evidence")])
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT rem, last_thing FROM settlement_split ORDER BY member_id")
            assert cursor.fetchall() == [(one["rem"], one["cut_thing"]) for one in before]
    finally:
        MigrationExecutor(connection).migrate(latest)
    assert list(Split.objects.order_by("member_id").values()) == before
    all_hold(settlement.audit())
