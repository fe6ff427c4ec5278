"""The cash desk: what arrives is booked once, to the right member, or stands until it is known."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from mickle.instance import instance
from mickle.ledger import ledger
from mickle.lib import months
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.payins import payins
from mickle.payins.models import Payin
from tests.people import EUR, MID_NOVEMBER, NOVEMBER, instance_at, member, thing

pytestmark = pytest.mark.django_db
AT = MID_NOVEMBER


@pytest.fixture(autouse=True)
def _november() -> None:
    instance_at()


def book(amount: str = "5.00", key: str = "entry-1", **facts: object) -> Payin:
    return payins.book(amount_micros=EUR(amount), key=key, at=AT, **facts)


def funds(who: Member) -> int:
    return ledger.balance(ledger.funds(who.id))


def standing_micros(payin: Payin) -> int:
    return ledger.balance(ledger.unassigned(payin.id))


def all_hold() -> None:
    assert [check for check in [*payins.audit(), *ledger.audit()] if not check.ok] == []


def test_a_transfer_with_the_reference_is_in_the_members_funds_with_its_facts_kept():
    alice = member("alice")
    payin = book(
        reference=payins.reference(alice),
        payer_name="Alice Giver",
        payer_account="de89 3704 0044 0532 0130 00",
        received_date=date(2026, 11, 14),
        bank_text="Thank you",
    )
    payin.refresh_from_db()
    assert (payin.member, payin.why, funds(alice)) == (alice, "", EUR("5.00"))
    assert (payin.payer_name, payin.payer_account) == ("Alice Giver", "DE89370400440532013000")
    assert (payin.received_date, payin.bank_text) == (date(2026, 11, 14), "Thank you")
    assert ledger.balance(ledger.PROVIDER) == -EUR("5.00")
    all_hold()


def test_the_reference_may_stand_in_the_banks_text():
    alice = member("alice")
    assert book(bank_text=f"SVWZ+{payins.reference(alice)} DANKE").member == alice


@pytest.mark.parametrize("text", ["", "RF38 MK00 0000 0001", "RF37 MK00 0000 0042", "for Alice"])
def test_a_wrong_or_unknown_reference_stands_unassigned(text):
    member("alice")
    payin = book(reference=text)
    assert (payin.why, payin.member) == (Payin.Why.UNKNOWN, None)
    assert standing_micros(payin) == EUR("5.00")
    assert payins.standing() == [payin]
    all_hold()


def test_the_same_entry_twice_is_booked_once():
    alice = member("alice")
    facts = {"reference": payins.reference(alice), "payer_name": "Alice"}
    first, again = book(**facts), book(**facts)
    assert (first.booked_now, again.booked_now, again.id) == (True, False, first.id)
    assert funds(alice) == EUR("5.00")
    alice.refresh_from_db()
    assert alice.topped_up_micros == EUR("5.00")
    all_hold()


@pytest.mark.parametrize(
    "other",
    [
        {"amount": "6.00"},
        {"reference": "another"},
        {"payer_name": "Mallory"},
        {"payer_account": "X"},
        {"bank_text": "changed"},
    ],
)
def test_other_content_under_the_same_key_is_refused(other):
    book(reference="one")
    with pytest.raises(payins.BookedDifferently, match="other content"):
        book(**({"reference": "one"} | other))
    assert Payin.objects.count() == 1
    all_hold()


@pytest.mark.parametrize(
    ("micros", "says"),
    [
        (0, "more than nothing"),
        (-EUR("5.00"), "more than nothing"),
        (EUR("5.00") + 1, "Whole cents"),
        (10**15 + 10_000, "more than the books"),
    ],
)
def test_an_amount_that_is_none_is_refused_and_nothing_is_booked(micros, says):
    alice = member("alice")
    with pytest.raises(payins.BadAmount, match=says):
        payins.book(amount_micros=micros, key="e", at=AT, reference=payins.reference(alice))
    with pytest.raises(payins.BadAmount, match=says):
        payins.top_up(member=alice, amount_micros=micros, reference="e", at=AT)
    assert (Payin.objects.count(), funds(alice)) == (0, 0)


def test_yen_come_whole(settings):
    settings.CURRENCY_DECIMALS = 0
    with pytest.raises(payins.BadAmount, match="Whole"):
        book("500.50")
    assert book("500").amount_micros == EUR("500")


@pytest.mark.parametrize("key", ["", "x" * 101])
def test_an_entry_needs_a_name_of_its_own(key):
    with pytest.raises(payins.BookedDifferently, match="names this entry"):
        book(key=key)


def test_a_top_up_needs_a_reference():
    with pytest.raises(payins.BookedDifferently, match="names this entry"):
        payins.top_up(member=member("alice"), amount_micros=EUR("5"), reference="  ", at=AT)


def test_one_reference_is_never_two_members_money():
    alice, bob = member("alice"), member("bob")
    payins.top_up(member=alice, amount_micros=EUR("5"), reference="desk 1", at=AT)
    with pytest.raises(payins.BookedDifferently):
        payins.top_up(member=bob, amount_micros=EUR("5"), reference="desk 1", at=AT)
    again = payins.top_up(member=alice, amount_micros=EUR("5"), reference="desk 1", at=AT)
    assert (again.booked_now, funds(alice), funds(bob)) == (False, EUR("5"), 0)


# --- the limit of funds -------------------------------------------------------------------------


def test_funds_go_up_to_the_limit_and_what_would_go_over_it_stands_unassigned():
    alice = member("alice")
    reference = payins.reference(alice)
    assert book("600.00", "a", reference=reference).why == ""
    over = book("0.01", "b", reference=reference)
    assert (over.why, over.member) == (Payin.Why.LIMIT, alice)
    assert (funds(alice), standing_micros(over)) == (EUR("600.00"), EUR("0.01"))
    alice.refresh_from_db()
    assert alice.topped_up_micros == EUR("600.00")
    all_hold()


def test_what_stood_for_the_limit_is_assigned_when_there_is_room(settings):
    alice = member("alice")
    over = book("600.01", reference=payins.reference(alice))
    with pytest.raises(payins.OverLimit, match=r"600\.00 EUR"):
        payins.assign(payin=over, member=alice, at=AT)
    assert payins.standing() == [over]
    settings.FUNDS_MAX_MICROS = EUR("700")
    payins.assign(payin=over, member=alice, at=AT)
    assert (funds(alice), payins.standing()) == (EUR("600.01"), [])
    all_hold()


# --- assigning ----------------------------------------------------------------------------------


def test_unassigned_money_goes_to_one_member_once():
    alice, bob = member("alice"), member("bob")
    payin = book(reference="?")
    done = payins.assign(payin=payin, member=alice, at=AT)
    assert (done.member, done.why, funds(alice)) == (alice, "", EUR("5.00"))
    for who in (alice, bob):
        with pytest.raises(payins.AlreadyAssigned):
            payins.assign(payin=payin, member=who, at=AT)
    assert (funds(alice), funds(bob)) == (EUR("5.00"), 0)
    assert book(reference="?").booked_now is False
    alice.refresh_from_db()
    assert (alice.topped_up_micros, alice.funded_month) == (EUR("5.00"), NOVEMBER)
    all_hold()


def test_money_that_was_sent_back_cannot_be_assigned():
    alice = member("alice")
    payin = book(reference="?")
    pot = ledger.unassigned(payin.id)
    ledger.post(
        key="gone",
        debit=pot,
        credit=ledger.payout(1),
        amount_micros=EUR("5"),
        reason="PAYOUT_RETURN",
        at=AT,
    )
    with pytest.raises(payins.AlreadyAssigned):
        payins.assign(payin=payin, member=alice, at=AT)
    payin.refresh_from_db()
    assert (payin.why, payin.member, payins.standing()) == ("UNKNOWN", None, [])
    all_hold()


def test_a_closed_account_gets_nothing_more():
    alice = member("alice")
    members.note_closing(member=alice, at=AT)
    payin = book(reference=payins.reference(alice))
    assert (payin.why, funds(alice)) == (Payin.Why.CLOSED, 0)
    with pytest.raises(payins.MemberLeft):
        payins.assign(payin=payin, member=alice, at=AT)
    assert payins.standing() == [payin]
    all_hold()


def test_money_of_nobody_known_is_due_back_after_thirty_days():
    payin = book(reference="?")
    assert payins.overdue(AT + timedelta(days=30)) == []
    assert payins.overdue(AT + timedelta(days=30, seconds=1)) == [payin]


# --- the first top-up ---------------------------------------------------------------------------


def test_the_first_top_up_counts_the_nods_of_the_open_month():
    alice, page = member("alice"), thing("page")
    nods.give(member=alice, thing=page, at=AT)
    assert nods.count(page.id) == 0
    for key in ("a", "a", "b"):
        book(key=key, reference=payins.reference(alice))
    assert nods.count(page.id) == 1
    assert nods.wrong_counts() == []
    alice.refresh_from_db()
    assert (alice.funded_month, alice.topped_up_micros) == (NOVEMBER, EUR("10.00"))


def test_a_top_up_after_the_close_counts_from_the_open_month_on():
    alice = member("alice")
    instance.close(month=NOVEMBER, at=datetime(2026, 12, 1, tzinfo=UTC))
    late = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
    payins.top_up(member=alice, amount_micros=EUR("5"), reference="r", at=late)
    alice.refresh_from_db()
    assert alice.funded_month == NOVEMBER + 1


def test_a_described_world_says_since_when_a_member_has_topped_up():
    alice, page = member("alice"), thing("page")
    nods.give(member=alice, thing=page, at=AT)
    earlier = months.parse("2026-09")
    payins.top_up(member=alice, amount_micros=EUR("5"), reference="world", at=AT, month=earlier)
    alice.refresh_from_db()
    assert alice.funded_month == earlier
    assert nods.wrong_counts() == []


# --- crashes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["post", "note_top_up", "count_in"])
def test_a_crash_at_any_step_books_nothing_and_the_next_run_books_once(monkeypatch, step):
    alice = member("alice")
    room = {"post": ledger, "note_top_up": members, "count_in": nods}[step]
    real = getattr(room, step)

    def crash(*args, **kwargs):
        real(*args, **kwargs)
        raise RuntimeError("the lights went out")

    monkeypatch.setattr(room, step, crash)
    with pytest.raises(RuntimeError):
        book(reference=payins.reference(alice))
    assert (Payin.objects.count(), funds(alice)) == (0, 0)
    monkeypatch.setattr(room, step, real)
    assert book(reference=payins.reference(alice)).booked_now
    assert funds(alice) == EUR("5.00")
    all_hold()


# --- what the tables refuse ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount_micros": 0},
        {"amount_micros": -1},
        {"key": ""},
        {"why": ""},
        {"why": "LIMIT"},
        {"why": "OTHER"},
    ],
)
def test_the_table_refuses_a_payin_that_cannot_be(wrong):
    facts = {"key": "k", "amount_micros": 1, "why": "UNKNOWN", "received_date": AT.date()}
    with pytest.raises(IntegrityError), transaction.atomic():
        Payin.objects.create(booked_at=AT, **(facts | wrong))


# --- the audit ----------------------------------------------------------------------------------


def test_the_audit_finds_money_that_was_booked_without_a_payin_and_a_payin_without_money():
    alice = member("alice")
    book(reference=payins.reference(alice))
    book("1.00", "x", reference="?")
    Payin.objects.filter(key="entry-1").update(amount_micros=EUR("6.00"))
    Payin.objects.filter(key="x").update(member=alice, why="")
    members.join(email="n@example.org", at=AT)
    Member.objects.filter(id=alice.id).update(funded_month=None)
    assert [check.ok for check in payins.audit()] == [False, False, False]
    assert [check.count for check in payins.audit()] == [2, 1, 1]
