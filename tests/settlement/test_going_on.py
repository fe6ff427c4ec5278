"""What people do while a settlement is stopped, or beside it, locks no month and loses nothing."""

from collections.abc import Callable
from datetime import datetime

import pytest

from mickle.closing import closing
from mickle.closing.models import Closing
from mickle.instance import instance
from mickle.jobs.jobs import Told
from mickle.ledger import ledger
from mickle.lib import months
from mickle.members.models import Member
from mickle.nods.models import Nod
from mickle.payouts.models import Payout
from mickle.settlement import settlement
from mickle.settlement.models import Line, Spend
from mickle.things import things
from mickle.things.models import Thing
from tests.people import EARLY_DECEMBER, EUR, NOVEMBER, creator, instance_at, member, thing
from tests.settlement.test_settle import all_hold
from tests.settlement.test_stages import books, earned, give, settle

pytestmark = pytest.mark.django_db

IBAN = "DE89370400440532013000"


@pytest.fixture(autouse=True)
def _november() -> None:
    instance_at("2026-11")


def stop_after(label: str, done: int) -> Callable[[str, int, int], None]:
    """As a worker that is told to end."""

    def report(told: str, so_far: int, _total: int) -> None:
        if (told, so_far) == (label, done):
            raise Told

    return report


def refuse(page: Thing, _giver: Member) -> None:
    settlement.refuse(thing=page, at=EARLY_DECEMBER)


def take_down(page: Thing, _giver: Member) -> None:
    things.take_down(thing=page, at=EARLY_DECEMBER)


def claim(page: Thing, giver: Member) -> None:
    for owner in (None, giver):
        things.set_owner(thing=page, owner=owner, at=EARLY_DECEMBER)


def merge(page: Thing, giver: Member) -> None:
    things.set_owner(thing=page, owner=None, at=EARLY_DECEMBER)
    things.merge(thing=page, into=thing("own", giver), at=EARLY_DECEMBER)


@pytest.mark.parametrize("mode", ["prepaid", "arrears"])
@pytest.mark.parametrize("change", [refuse, take_down, claim, merge])
def test_what_changes_while_a_freeze_is_stopped_is_for_the_next_month(
    one_by_one, settings, change, mode
):
    settings.MODE = mode
    alice, dora, bob = member("alice", funds="3.00"), member("dora", funds="3.00"), creator("bob")
    page = thing("page", bob)
    # Where the only nod of who has given is lost, there is nothing left to pay for.
    give(alice, page)
    give(dora, page, thing("other", bob))
    with pytest.raises(Told):
        settle(report=stop_after("freeze", 1))
    assert Spend.objects.get().member == alice
    change(page, alice)
    settle()
    assert instance.state(NOVEMBER) == instance.State.SETTLED
    assert not Nod.objects.exclude(void="").exists()
    assert Line.objects.get(thing=page).owner == bob
    books()


def test_who_claims_a_page_while_a_freeze_is_stopped_is_not_paid_for_their_own_nod(one_by_one):
    alice, dora = member("alice", funds="3.00"), member("dora", funds="3.00")
    page = thing("page")
    for who in (alice, dora):
        give(who, page)
    with pytest.raises(Told):
        settle(report=stop_after("freeze", 1))
    things.set_owner(thing=page, owner=alice, at=EARLY_DECEMBER)
    settle()
    # It waited, and what alice gave is hers again.
    assert earned(alice) == EUR("2.70")
    assert ledger.balance(ledger.funds(alice.id)) == EUR("3.00")
    books()


def test_what_changes_before_the_first_spend_counts(one_by_one):
    alice, bob = member("alice", funds="3.00"), creator("bob")
    page, other = thing("page", bob), thing("other", bob)
    give(alice, page, other)
    with pytest.raises(Told):
        settle(report=stop_after("owners", 2))
    settlement.refuse(thing=page, at=EARLY_DECEMBER)
    settle()
    assert dict(Nod.objects.values_list("thing_id", "void")) == {page.id: "REFUSED", other.id: ""}
    assert earned(bob) == EUR("2.70")
    books()


@pytest.fixture
def expiring(one_by_one) -> tuple[Member, Member, dict[str, object]]:
    """Dora and Alice, for whom something of November waits, and the month as which it expires."""
    dora, alice = member("dora", funds="2.00"), member("alice", funds="2.00")
    page = thing("page")
    for who in (dora, alice):
        give(who, page)
    settle()
    for month in range(NOVEMBER + 1, NOVEMBER + 6):
        settlement.settle(month=month, at=months.start(month + 1))
    return dora, alice, {"month": NOVEMBER + 6, "at": months.start(NOVEMBER + 7)}


def leave(who: Member, at: datetime) -> Closing:
    return closing.close(
        member=who, at=at, open_nods="settle", iban=IBAN, holder_name="Alice Example"
    )


def gone_with_all(who: Member, at: datetime) -> None:
    """Closed, and what waited is on its way to the bank."""
    closing.finish_due(at=at)
    assert Closing.objects.get(member=who).done_at is not None
    assert Payout.objects.get(member=who).amount_micros == EUR("2.00")
    assert ledger.balance(ledger.waiting(who.id)) == ledger.balance(ledger.funds(who.id)) == 0
    all_hold(closing.audit())
    books()


def test_who_leaves_while_what_waited_expires_has_it_first(expiring):
    _dora, alice, last = expiring

    def report(label: str, done: int, _total: int) -> None:
        if (label, done) == ("expire", 1):
            asked = leave(alice, last["at"])
            assert (asked.done_at, asked.waits_for_month) == (None, last["month"])

    settlement.settle(**last, report=report)
    gone_with_all(alice, last["at"])


def test_who_leaves_while_the_expiry_is_stopped_has_it_first(expiring):
    dora, alice, last = expiring
    with pytest.raises(Told):
        settlement.settle(**last, report=stop_after("expire", 1))
    # Dora has hers back already.
    assert leave(dora, last["at"]).done_at is not None
    assert leave(alice, last["at"]).done_at is None
    settlement.settle(**last)
    for who in (dora, alice):
        gone_with_all(who, last["at"])
