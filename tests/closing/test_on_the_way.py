"""What a member had begun to show as their account closed: who leaves owns nothing new."""

import pytest

from mickle.claims import accounts, proofs
from mickle.claims.accounts import Account
from mickle.claims.models import Proof
from mickle.closing import closing
from mickle.closing.models import Closing
from mickle.lib.errors import Refused
from mickle.members.models import Member
from mickle.nods import nods
from tests.claims.seeing import owner, page
from tests.closing.money import ACCOUNT, AT, giver
from tests.people import MID_NOVEMBER, creator, instance_at, thing

pytestmark = pytest.mark.django_db
TOOL = "https://github.com/bob/tool"


@pytest.fixture(autouse=True)
def _november() -> None:
    instance_at()


def signs_in(who: Member) -> None:
    accounts.note(member=who, account=Account("github", "github.com", "1", "bob"), at=AT)


def begins(who: Member) -> None:
    proofs.begin(member=who, address="https://github.com/bob", method="META", at=AT)


@pytest.mark.parametrize("shows", [signs_in, begins])
def test_whose_account_was_closed_meanwhile_shows_nothing(shows):
    bob, tool = creator("bob"), page(TOOL)
    assert closing.close(member=bob, at=AT, open_nods="settle").done_at == AT

    # The request had read who they are before.
    with pytest.raises(Refused, match="is being closed, so it can own nothing new"):
        shows(bob)
    assert not Proof.objects.exists()
    assert owner(tool) is None


@pytest.mark.parametrize("shows", [signs_in, begins])
def test_nor_who_waits_for_the_month_end(shows):
    bob = giver("bob")
    nods.give(member=bob, thing=thing("essay"), at=MID_NOVEMBER)
    assert closing.close(member=bob, at=AT, open_nods="settle", **ACCOUNT).done_at is None
    with pytest.raises(Refused, match="is being closed, so it can own nothing new"):
        shows(bob)


def test_who_waits_has_what_was_shown_before_until_the_account_is_closed():
    bob, tool = giver("bob"), page(TOOL)
    nods.give(member=bob, thing=thing("essay"), at=MID_NOVEMBER)
    signs_in(bob)
    closing.close(member=bob, at=AT, open_nods="settle", **ACCOUNT)
    signs_in(bob)
    assert owner(tool) == bob
    assert Closing.objects.get().done_at is None
