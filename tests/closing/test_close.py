"""Leaving: every cent goes somewhere, nothing is owned, nobody is remembered."""

from datetime import UTC, datetime

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction

from mickle.claims import claims
from mickle.claims.models import Claim
from mickle.closing import closing
from mickle.closing.models import Closing
from mickle.ledger import ledger
from mickle.members import members
from mickle.members.models import Member, WaitingPerson
from mickle.nods import nods
from mickle.nods.models import Nod
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.payouts.models import Payout
from mickle.providers import sepa
from mickle.settlement import settlement
from mickle.things import things
from tests.closing.money import (
    ACCOUNT,
    AT,
    IBAN,
    OTHER,
    all_hold,
    earned,
    given_away,
    giver,
    left,
    paid,
)
from tests.people import (
    EARLY_DECEMBER,
    EUR,
    NOVEMBER,
    creator,
    instance_at,
    member,
    thing,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _november() -> None:
    instance_at()
    members.list_charity(slug="open-library", name="Open Library", iban=IBAN)


def test_revenue_is_paid_whatever_the_sum_and_less_than_a_cent_goes_to_the_charity():
    bob = member("bob")
    earned(bob, 450_004)
    done = closing.close(member=bob, at=AT, open_nods="take_back", **ACCOUNT)
    assert done.done_at == AT
    assert paid(bob) == {"REVENUE": (450_000, IBAN)}
    assert (left(bob), given_away()) == ([0, 0, 0], 4)
    all_hold()


@pytest.mark.parametrize(("micros", "arrives"), [("0.25", "0.25"), ("0.26", "0.01")])
def test_what_is_too_little_to_bear_the_banks_price_is_paid_whole(settings, micros, arrives):
    settings.PAYOUT_COST_MICROS = EUR("0.25")
    bob = member("bob")
    earned(bob, EUR(micros))
    closing.close(member=bob, at=AT, open_nods="take_back", **ACCOUNT)
    assert payouts.live(bob).get().net_micros == EUR(arrives)


def test_funds_go_back_to_where_they_came_from_and_earnings_where_the_member_says():
    alice = giver(account=OTHER)
    earned(alice, EUR("3.00"))
    closing.close(member=alice, at=AT, open_nods="take_back", **ACCOUNT)
    assert paid(alice) == {"REFUND": (EUR("20.00"), OTHER), "REVENUE": (EUR("3.00"), IBAN)}
    payouts.mark_file_executed(file=payouts.make_file(at=AT), at=AT)
    all_hold()


def test_without_a_cent_no_account_is_asked_for():
    olaf = member("olaf")
    assert closing.close(member=olaf, at=AT, open_nods="settle").done_at == AT
    assert paid(olaf) == {}


def test_with_money_and_no_account_nothing_changes_but_a_sentence():
    alice = giver()
    with pytest.raises(closing.NoAccount):
        closing.close(member=alice, at=AT, open_nods="take_back")
    wrong = "DE88370400440532013000"
    with pytest.raises(sepa.BadIban, match="check digits"):
        closing.close(member=alice, at=AT, open_nods="take_back", iban=wrong, holder_name="A")
    with pytest.raises(sepa.BadName):
        closing.close(member=alice, at=AT, open_nods="take_back", iban=IBAN)
    alice.refresh_from_db()
    assert (alice.closing_at, left(alice), Closing.objects.count()) == (None, [EUR("20"), 0, 0], 0)


def test_the_account_of_the_earnings_is_known_without_asking():
    bob = member("bob")
    earned(bob, EUR("1.00"))
    payouts.set_account(member=bob, iban=OTHER, holder_name="Bob")
    closing.close(member=bob, at=AT, open_nods="take_back")
    assert paid(bob) == {"REVENUE": (EUR("1.00"), OTHER)}
    assert payouts.account(bob) is None


def test_the_last_operator_stays():
    olga = member("olga")
    Member.objects.filter(id=olga.id).update(is_operator=True)
    olga.refresh_from_db()
    with pytest.raises(members.LastOperator):
        closing.close(member=olga, at=AT, open_nods="take_back")
    Member.objects.filter(id=member("second").id).update(is_operator=True)
    assert closing.close(member=olga, at=AT, open_nods="take_back").done_at


# --- the person and the works -------------------------------------------------------------------


def test_the_person_is_forgotten_and_the_facts_of_the_law_stay():
    alice = giver(account=OTHER)
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    members.describe(member=alice, name="Alice Giver", about="Reads", city="Malmö", country="SE")
    members.wait_for_invite(email=alice.email, at=AT)
    members.wait_for_invite(email="dora@example.org", at=AT)
    for who in (alice, member("charlie")):
        session = SessionStore()
        session[SESSION_KEY], session[HASH_SESSION_KEY] = str(who.id), "x"
        session.save()
    closing.close(member=alice, at=AT, open_nods="take_back", **ACCOUNT)
    stays = Member.objects.filter(id=alice.id).values().get()
    words = [value for value in stays.values() if isinstance(value, str)]
    assert not any(part in " ".join(words).lower() for part in ("alice", "reads", "malm", "se "))
    assert stays["username"] == f"closed-{alice.id}"
    assert not EmailAddress.objects.exists()
    assert Session.objects.count() == 1, "somebody else is still signed in"
    assert WaitingPerson.objects.get().email == "dora@example.org"
    row = Closing.objects.get(member=alice)
    assert (row.iban, row.holder_name) == ("", "")
    payin = alice.payins.get()
    assert (payin.payer_name, payin.payer_account) == ("alice at the bank", OTHER)
    assert alice.payouts.get().holder_name == "alice at the bank"
    assert members.join(email="alice@example.org", username="alice", at=AT).id != alice.id


def test_what_was_owned_belongs_to_nobody_and_claims_are_dropped():
    bob = creator("bob")
    mine, wanted = thing("mine", bob), thing("wanted")
    claims.make(thing=wanted, member=bob, at=AT, note="It is mine.")
    closing.close(member=bob, at=AT, open_nods="take_back")
    mine.refresh_from_db()
    assert (mine.owner, Claim.objects.count()) == (None, 0)


# --- nods ---------------------------------------------------------------------------------------


def test_open_nods_and_subscriptions_end_when_they_are_taken_back():
    alice, page = giver(), thing("page", creator("bob"))
    nods.give(member=alice, thing=page, at=AT)
    nods.subscribe(member=alice, thing=page, runs_months=None, at=AT)
    assert closing.close(member=alice, at=AT, open_nods="take_back", **ACCOUNT).done_at == AT
    assert not nods.of_month(alice, NOVEMBER).exists()
    assert (nods.count(page.id), nods.subscriptions(alice).count()) == (0, 0)
    assert paid(alice) == {"REFUND": (EUR("20.00"), IBAN)}
    all_hold()


def test_open_nods_settle_first_and_then_the_rest_goes():
    alice, bob = giver(account=OTHER), creator("bob")
    nods.give(member=alice, thing=thing("page", bob), at=AT)
    nods.give(member=alice, thing=thing("nobodys"), at=AT)
    asked = closing.close(member=alice, at=AT, open_nods="settle", **ACCOUNT)
    assert (asked.done_at, asked.waits_for_month) == (None, NOVEMBER)
    assert (left(alice), paid(alice)) == ([EUR("20.00"), 0, 0], {})
    assert closing.finish_due(at=AT) == 0
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    assert left(alice) == [EUR("15.00"), EUR("2.50"), 0]
    assert closing.finish_due(at=EARLY_DECEMBER) == 1
    assert closing.finish_due(at=EARLY_DECEMBER) == 0
    assert paid(alice) == {"REFUND": (EUR("17.50"), OTHER)}
    assert left(alice) == [0, 0, 0]
    assert ledger.balance(ledger.revenue(bob.id)) == EUR("2.25")
    all_hold()


def test_nods_of_a_closed_month_settle_even_when_open_ones_are_taken_back():
    alice, page = giver(), thing("page", creator("bob"))
    nods.give(member=alice, thing=page, at=AT)
    settlement.close_due(at=EARLY_DECEMBER)
    nods.give(member=alice, thing=page, at=EARLY_DECEMBER)
    asked = closing.close(member=alice, at=EARLY_DECEMBER, open_nods="take_back", **ACCOUNT)
    assert (asked.done_at, asked.waits_for_month) == (None, NOVEMBER)
    assert not nods.of_month(alice, NOVEMBER + 1).exists()
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    assert closing.finish_due(at=EARLY_DECEMBER) == 1
    assert paid(alice) == {"REFUND": (EUR("15.00"), IBAN)}


def test_who_gave_no_nod_does_not_wait_for_the_month_and_owes_no_charity():
    alice = member("alice")
    payins.top_up(member=alice, amount_micros=EUR("20"), reference="r", at=AT, month=NOVEMBER - 1)
    settlement.close_due(at=EARLY_DECEMBER)
    assert closing.close(member=alice, at=EARLY_DECEMBER, open_nods="settle", **ACCOUNT).done_at
    assert paid(alice) == {"REFUND": (EUR("20.00"), IBAN)}
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    assert given_away() == 0
    all_hold()


def test_what_waits_comes_back_and_goes_out_with_the_rest():
    alice, page = giver(), thing("nobodys")
    nods.give(member=alice, thing=page, at=AT)
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    assert left(alice) == [EUR("15.00"), EUR("5.00"), 0]
    closing.close(member=alice, at=EARLY_DECEMBER, open_nods="take_back", **ACCOUNT)
    assert paid(alice) == {"REFUND": (EUR("20.00"), IBAN)}
    assert settlement.waiting_for(page) == (0, 0)
    all_hold()


# --- twice, half way, and under way -------------------------------------------------------------


def test_asking_twice_pays_once():
    alice = giver()
    first = closing.close(member=alice, at=AT, open_nods="take_back", **ACCOUNT)
    again = closing.close(member=alice, at=EARLY_DECEMBER, open_nods="settle", **ACCOUNT)
    assert (again.done_at, Payout.objects.count()) == (first.done_at, 1)


def test_a_payment_under_way_is_waited_for():
    bob = member("bob")
    earned(bob, EUR("25.00"))
    payouts.set_account(member=bob, iban=OTHER, holder_name="Bob")
    running = payouts.request(member=bob, at=AT, key="k", amount_micros=EUR("10"))
    asked = closing.close(member=bob, at=AT, open_nods="take_back")
    assert (asked.done_at, left(bob)) == (None, [0, 0, EUR("15.00")])
    payouts.make_file(at=AT)
    payouts.mark_failed(payout=running, at=AT)
    assert closing.finish_due(at=AT) == 1
    assert left(bob) == [0, 0, 0]
    assert sum(row.amount_micros for row in payouts.live(bob)) == EUR("25.00")
    all_hold()


def test_money_under_way_may_come_back_so_an_account_has_to_be_known():
    alice = giver()
    payouts.refund(member=alice, at=AT, key="k", **ACCOUNT)
    assert left(alice) == [0, 0, 0]
    with pytest.raises(closing.NoAccount):
        closing.close(member=alice, at=AT, open_nods="take_back")
    assert closing.close(member=alice, at=AT, open_nods="take_back", **ACCOUNT).done_at


@pytest.mark.parametrize(
    ("room", "deed"),
    [
        (settlement, "take_back_all_waiting"),
        (payouts, "refund_rest"),
        (payouts, "pay_rest"),
        (ledger, "post"),
        (things, "set_owner"),
        (payouts, "forget_account"),
        (members, "erase"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_crash_at_any_step_leaves_the_account_as_it_was(monkeypatch, room, deed):
    alice = giver(account=OTHER)
    earned(alice, EUR("3.00") + 4)
    mine = thing("mine", alice)
    real = getattr(room, deed)

    def crash(*args, **kwargs):
        real(*args, **kwargs)
        raise RuntimeError("the lights went out")

    monkeypatch.setattr(room, deed, crash)
    with pytest.raises(RuntimeError):
        closing.close(member=alice, at=AT, open_nods="take_back", **ACCOUNT)
    alice.refresh_from_db()
    mine.refresh_from_db()
    assert (alice.closing_at, alice.username, mine.owner_id) == (None, "alice", alice.id)
    assert (left(alice), Payout.objects.count()) == ([EUR("20"), 0, EUR("3") + 4], 0)
    monkeypatch.setattr(room, deed, real)
    assert closing.close(member=alice, at=AT, open_nods="take_back", **ACCOUNT).done_at
    assert (left(alice), given_away(), Payout.objects.count()) == ([0, 0, 0], 4, 2)
    all_hold()


def test_a_closing_that_cannot_finish_does_not_stop_the_next():
    bob, alice = member("bob"), giver()
    earned(bob, EUR("25.00"))
    payouts.set_account(member=bob, iban=OTHER, holder_name="Bob")
    payouts.request(member=bob, at=AT, key="k", amount_micros=EUR("10"))
    nods.give(member=alice, thing=thing("page", creator("dora")), at=AT)
    closing.close(member=bob, at=AT, open_nods="settle")
    closing.close(member=alice, at=AT, open_nods="settle", **ACCOUNT)
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    assert closing.finish_due(at=EARLY_DECEMBER) == 1
    assert [row.done_at is None for row in Closing.objects.order_by("member_id")] == [True, False]


def test_one_that_is_refused_does_not_stop_the_others(caplog):
    alice, page = giver(), thing("page", creator("bob"))
    back = payouts.refund(member=alice, at=AT, key="k", **ACCOUNT)
    payouts.make_file(at=AT)
    payouts.mark_executed(payout=back, at=AT)
    nods.give(member=alice, thing=page, at=AT)
    closing.close(member=alice, at=AT, open_nods="settle")
    carol = giver("carol")
    nods.give(member=carol, thing=page, at=AT)
    closing.close(member=carol, at=AT, open_nods="settle", **ACCOUNT)
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    payouts.mark_failed(payout=back, at=EARLY_DECEMBER, why="sent back weeks later")
    assert closing.finish_due(at=EARLY_DECEMBER) == 1
    assert Closing.objects.get(done_at=None).member == alice
    assert f"closing of member {alice.id}" in caplog.text
    assert left(alice) == [EUR("20.00"), 0, 0]
    said = closing.close(member=alice, at=EARLY_DECEMBER, open_nods="settle", **ACCOUNT)
    assert (said.done_at, paid(alice)["REFUND"]) == (EARLY_DECEMBER, (EUR("20.00"), IBAN))
    all_hold()


def test_a_nod_recorded_after_the_asking_settles_before_anything_is_paid():
    alice, bob = giver(account=OTHER), creator("bob")
    earned(alice, EUR("15.00"))
    payouts.set_account(member=alice, iban=OTHER, holder_name="Alice")
    running = payouts.request(member=alice, at=AT, key="k", amount_micros=EUR("10.00"))
    asked = closing.close(member=alice, at=AT, open_nods="take_back")
    assert (asked.done_at, asked.waits_for_month) == (None, None)
    page = thing("page", bob)
    Nod.objects.create(month=NOVEMBER, member=alice, thing=page, at=AT)
    payouts.make_file(at=EARLY_DECEMBER)
    payouts.mark_executed(payout=running, at=EARLY_DECEMBER)
    settlement.close_due(at=EARLY_DECEMBER)
    assert closing.finish_due(at=EARLY_DECEMBER) == 0
    assert Closing.objects.get().waits_for_month == NOVEMBER
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    assert closing.finish_due(at=EARLY_DECEMBER) == 1
    refund = payouts.live(alice).get(kind=Payout.Kind.REFUND)
    assert (refund.amount_micros, given_away()) == (EUR("15.00"), 0)


def test_more_than_a_cent_is_never_given_away(monkeypatch):
    alice = giver(account=OTHER)
    monkeypatch.setattr(payouts, "refund_rest", lambda **_said: None)
    asked = closing.close(member=alice, at=AT, open_nods="take_back", **ACCOUNT)
    assert asked.done_at is None
    assert (left(alice), given_away()) == ([EUR("20.00"), 0, 0], 0)
    monkeypatch.undo()
    assert closing.finish_due(at=AT) == 1


def test_a_key_that_a_form_sent_does_not_stand_in_for_the_last_refund():
    alice = giver(account=OTHER)
    first = payouts.refund(member=alice, at=AT, key="closing", amount_micros=EUR("1.00"), **ACCOUNT)
    payouts.make_file(at=AT)
    payouts.mark_executed(payout=first, at=AT)
    assert closing.close(member=alice, at=AT, open_nods="take_back", **ACCOUNT).done_at
    assert payouts.live(alice).get().amount_micros == EUR("19.00")
    assert (left(alice), given_away()) == ([0, 0, 0], 0)


def test_without_a_charity_on_the_list_parts_of_a_cent_stay_in_the_books():
    charity = members.default_charity()
    assert charity is not None
    members.unlist_charity(charity=charity)
    bob = member("bob")
    earned(bob, 450_004)
    assert closing.close(member=bob, at=AT, open_nods="take_back", **ACCOUNT).done_at
    assert left(bob) == [0, 0, 4]
    all_hold()


def test_the_table_forgets_the_account_when_it_is_done():
    at = datetime(2026, 11, 1, tzinfo=UTC)
    with pytest.raises(IntegrityError), transaction.atomic():
        Closing.objects.create(member=member("bob"), asked_at=at, done_at=at, iban=IBAN)
