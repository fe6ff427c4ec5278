"""An operator's desk when something breaks half way, comes back, or sends no deed at all."""

import pytest
from django.urls import reverse

from mickle.claims import claims
from mickle.claims.models import Claim
from mickle.closing import closing
from mickle.instance import instance
from mickle.ledger import ledger
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.payouts.models import Payout
from mickle.settlement import settlement
from mickle.settlement.models import Line
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
from tests.web.browsing import Person, signed_in

pytestmark = pytest.mark.django_db
IBAN, OTHER = "DE89370400440532013000", "DE02120300000000202051"


@pytest.fixture
def ines() -> Person:
    instance_at()
    who = members.join(email="ines@example.org", at=MID_NOVEMBER, is_operator=True)
    person = signed_in(who)
    person.client.handler.enforce_csrf_checks = False
    return person


def press(ines: Person, view: str, number: int, **fields: str) -> int:
    """Post to an address as a broken page would; the status of the answer."""
    ines.client.raise_request_exception = False
    return ines.client.post(reverse(view, args=[number]), fields).status_code


def waiting_for(owner: Member | None) -> Thing:
    """A page for which November's share of one giver waits."""
    page = thing("page", owner)
    nods.give(member=member("alice", funds="20.00"), thing=page, at=MID_NOVEMBER)
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    assert Line.objects.get().state == Line.State.WAITING
    return page


def crash(**_said: object) -> None:
    raise RuntimeError("the lights went out")


def test_a_claim_is_granted_and_released_or_neither(ines: Person, monkeypatch) -> None:
    bob = creator("bob")
    claim = claims.make(thing=waiting_for(None), member=bob, at=EARLY_DECEMBER)
    with monkeypatch.context() as broken:
        broken.setattr(settlement, "release", crash)
        assert press(ines, "claim-decide", claim.id, deed="grant") == 500
    claim.refresh_from_db()
    assert claim.state == Claim.State.OPEN
    press(ines, "claim-decide", claim.id, deed="grant")
    assert Line.objects.get().state == Line.State.RELEASED


def test_money_is_assigned_and_releases_or_neither(ines: Person, monkeypatch) -> None:
    waiting_for(member("bob"))
    payin = payins.book(amount_micros=EUR("2.00"), key="z", at=EARLY_DECEMBER)
    with monkeypatch.context() as broken:
        broken.setattr(settlement, "release_owner", crash)
        assert press(ines, "assign", payin.id, member="bob") == 500
    assert payins.standing() == [payin]
    press(ines, "assign", payin.id, member="bob")
    assert Line.objects.get().state == Line.State.RELEASED


def test_a_line_of_the_bank_is_booked_and_releases_or_neither(ines: Person, monkeypatch) -> None:
    bob = member("bob")
    waiting_for(bob)
    line = {
        "amount": "2.00",
        "key": "B-1",
        "reference": payins.reference(bob),
        "received_date": "2026-12-04",
    }
    ines.client.raise_request_exception = False
    with monkeypatch.context() as broken:
        broken.setattr(settlement, "release_owner", crash)
        assert ines.client.post(reverse("cash-desk"), line).status_code == 500
    assert ledger.balance(ledger.funds(bob.id)) == 0
    ines.client.post(reverse("cash-desk"), line)
    assert Line.objects.get().state == Line.State.RELEASED


@pytest.mark.parametrize("fields", [{}, {"deed": "paid"}])
def test_a_form_without_a_deed_marks_no_payout(ines: Person, fields: dict[str, str]) -> None:
    alice = member("alice", funds="20.00")
    row = payouts.refund(member=alice, iban=IBAN, holder_name="Alice", at=MID_NOVEMBER, key="k")
    payouts.make_file(at=MID_NOVEMBER)
    payouts.mark_executed(payout=row, at=MID_NOVEMBER)
    press(ines, "payout-mark", row.id, **fields)
    row.refresh_from_db()
    assert row.state == Payout.State.EXECUTED
    assert "Press one of the buttons. Nothing was changed." in ines.open("/operator/payouts").text


def test_what_waits_for_a_file_has_the_name_by_which_the_bank_may_know_it(ines: Person) -> None:
    alice = member("alice", funds="20.00")
    row = payouts.refund(member=alice, iban=IBAN, holder_name="Alice", at=MID_NOVEMBER, key="k")
    assert row.end_to_end_id in ines.open("/operator/payouts").text


@pytest.mark.parametrize("fields", [{}, {"deed": "accept"}])
def test_a_form_without_a_deed_decides_no_claim(ines: Person, fields: dict[str, str]) -> None:
    claim = claims.make(thing=thing("page"), member=creator("bob"), at=MID_NOVEMBER)
    press(ines, "claim-decide", claim.id, **fields)
    claim.refresh_from_db()
    assert claim.state == Claim.State.OPEN
    assert "Press one of the buttons. Nothing was changed." in ines.open("/operator/claims").text


def test_what_came_back_to_a_closed_account_is_sent_again_from_the_page(ines: Person) -> None:
    members.list_charity(slug="open-library", name="Open Library", iban=IBAN)
    at = instance.now()
    for name in ("alice", "carol"):
        who = member(name, funds="20.00")
        closing.close(
            member=who, at=at, open_nods="take_back", iban=IBAN, holder_name=f"{name} Giver"
        )
    alice, carol = (one.member for one in Payout.objects.select_related("member").order_by("id"))
    payouts.make_file(at=at)
    for row in Payout.objects.all():
        payouts.mark_failed(payout=row, at=at, why="account closed")
    page = ines.open("/operator/payouts")
    assert "Came back to closed accounts" in page.text
    assert 'value="alice Giver"' in page.html
    page.send("/operator/payouts", iban="DE02120300000000202052", holder_name="Alice")
    assert "check digits" in page.text
    assert page.html.count(f'id="again-{carol.id}-iban_error"') == 0
    page.send("/operator/payouts", iban=OTHER, holder_name="Alice")
    assert "It goes out with the next payment file." in page.text
    assert [(row.iban, row.amount_micros) for row in payouts.live(alice)] == [(OTHER, EUR("20"))]
    assert [one.member for one in closing.stranded()] == [carol]


def test_a_settlement_that_stopped_is_told_and_goes_on(ines, monkeypatch):
    nods.give(
        member=member("alice", funds="5.00"), thing=thing("page", creator("bob")), at=MID_NOVEMBER
    )
    monkeypatch.setattr(instance, "now", lambda: EARLY_DECEMBER)
    settlement.close_due(at=EARLY_DECEMBER)
    months_page = reverse("operator-months")
    assert "Top-ups until" in ines.client.get(months_page).content.decode()
    with monkeypatch.context() as broken:
        broken.setattr("mickle.settlement._post.post", crash)
        assert press(ines, "month-settle", NOVEMBER) == 500
    said = ines.client.get(months_page).content.decode()
    assert "It is being settled" in said
    assert "Top-ups until" not in said
    assert press(ines, "month-settle", NOVEMBER) == 303
    assert instance.state(NOVEMBER) is instance.State.SETTLED
    assert ledger.balance(ledger.FEE) == EUR("0.50")
