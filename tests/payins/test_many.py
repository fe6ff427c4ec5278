"""Many top-ups of a described world: all or none, and none for somebody who leaves."""

import pytest

from mickle.closing import closing
from mickle.ledger import ledger
from mickle.members import members
from mickle.members.models import Member
from mickle.payins import payins
from mickle.payins.models import Payin
from tests.people import EUR, MID_NOVEMBER, NOVEMBER, instance_at, member

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _november() -> None:
    instance_at()


def described(*names: Member) -> list[payins.Described]:
    return [payins.Described(who.id, who.username, EUR("20.00"), NOVEMBER) for who in names]


def closed() -> Member:
    alice = member("alice")
    assert closing.close(member=alice, at=MID_NOVEMBER, open_nods="take_back").done_at
    return alice


def leaving() -> Member:
    alice = member("alice")
    members.note_closing(member=alice, at=MID_NOVEMBER)
    return alice


@pytest.mark.parametrize("gone", [closed, leaving])
def test_nothing_is_put_on_an_account_that_is_closed_or_being_closed(gone):
    bob, alice = member("bob"), gone()
    with pytest.raises(payins.MemberLeft):
        payins.top_up_many(described(bob, alice))
    assert (ledger.total("FUNDS"), Payin.objects.count()) == (0, 0)


def test_a_world_loaded_again_after_somebody_left_books_nothing():
    alice = member("alice")
    assert len(payins.top_up_many(described(alice))) == 1
    members.note_closing(member=alice, at=MID_NOVEMBER)
    assert payins.top_up_many(described(alice)) == []
    assert ledger.balance(ledger.funds(alice.id)) == EUR("20.00")
