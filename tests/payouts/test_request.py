"""A member asks for what they earned: whole cents, from 10.00, one at a time, once."""

import threading

import pytest
from django.db import IntegrityError, connection, transaction

from mickle.ledger import ledger
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.payouts.models import Payout
from mickle.providers import sepa
from tests.payouts.money import AT, IBAN, all_hold, earner, revenue
from tests.people import EUR, instance_at, member

pytestmark = pytest.mark.django_db

CASES = [
    # revenue, currency decimals, minimum, paid, stays
    (12_345_678, 2, EUR("10.00"), 12_340_000, 5_678),
    (9_999_999, 2, EUR("10.00"), 0, 9_999_999),
    (10_004_000, 2, EUR("10.00"), 10_000_000, 4_000),
    (1_500_900_000, 0, EUR("1500"), 1_500_000_000, 900_000),
    (12_345_678, 3, EUR("3"), 12_345_000, 678),
]


@pytest.fixture(autouse=True)
def _november() -> None:
    instance_at()


@pytest.mark.parametrize("case", CASES)
def test_whole_minor_units_leave_and_the_rest_stays(settings, case):
    micros, decimals, minimum, paid, stays = case
    settings.CURRENCY_DECIMALS, settings.PAYOUT_MIN_MICROS = decimals, minimum
    settings.FUNDS_MAX_MICROS = EUR("10000")
    bob = earner(micros=0)
    ledger.post(
        key="earned",
        debit=ledger.PROVIDER,
        credit=ledger.revenue(bob.id),
        amount_micros=micros,
        reason="SHARE",
        at=AT,
    )
    if paid:
        payout = payouts.request(member=bob, at=AT, key="k")
        assert (payout.amount_micros, payout.state) == (paid, "REQUESTED")
        assert ledger.balance(ledger.payout(payout.id)) == paid
    else:
        with pytest.raises(payouts.BelowMinimum):
            payouts.request(member=bob, at=AT, key="k")
    assert revenue(bob) == stays


def test_a_part_can_be_withdrawn_and_the_facts_are_kept():
    bob = earner()
    payout = payouts.request(member=bob, amount_micros=EUR("10.00"), at=AT, key="k")
    payouts.set_account(member=bob, iban="DE02120300000000202051", holder_name="Somebody Else")
    payout.refresh_from_db()
    assert (payout.iban, payout.holder_name) == (IBAN, "Bob Creator")
    assert payout.end_to_end_id == f"MK-20261115-{payout.id}"
    assert revenue(bob) == EUR("2.34") + 5_678
    all_hold()


@pytest.mark.parametrize(
    ("micros", "refusal", "says"),
    [
        (0, payouts.BadAmount, "more than nothing"),
        (-EUR("10"), payouts.BadAmount, "more than nothing"),
        (EUR("10") + 1, payouts.BadAmount, "Whole cents"),
        (EUR("9.99"), payouts.BelowMinimum, r"begin at 10\.00 EUR"),
        (EUR("12.35"), payouts.AboveBalance, r"12\.34 EUR at most"),
        (EUR("1000000"), payouts.AboveBalance, r"12\.34 EUR at most"),
    ],
)
def test_a_wrong_amount_is_refused_with_a_sentence(micros, refusal, says):
    bob = earner()
    with pytest.raises(refusal, match=says):
        payouts.request(member=bob, amount_micros=micros, at=AT, key="k")
    assert (Payout.objects.count(), revenue(bob)) == (0, 12_345_678)


def test_without_an_account_nothing_leaves():
    bob = earner(account=False)
    with pytest.raises(payouts.NoAccount):
        payouts.request(member=bob, at=AT, key="k")
    assert revenue(bob) == 12_345_678


def test_the_owners_own_minimum_counts_and_is_never_below_the_instances():
    bob = earner()
    for minimum in ("9.99", "0"):
        with pytest.raises(payouts.BelowMinimum, match=r"10\.00 EUR"):
            payouts.set_account(
                member=bob, iban=IBAN, holder_name="Bob", minimum_micros=EUR(minimum)
            )
    with pytest.raises(payouts.BadAmount):
        payouts.set_account(member=bob, iban=IBAN, holder_name="Bob", minimum_micros=10_000_001)
    payouts.set_account(member=bob, iban=IBAN, holder_name="Bob", minimum_micros=EUR("12.35"))
    with pytest.raises(payouts.BelowMinimum, match=r"12\.35 EUR"):
        payouts.request(member=bob, at=AT, key="k")
    payouts.set_account(member=bob, iban=IBAN, holder_name="Bob", minimum_micros=EUR("12.34"))
    assert payouts.request(member=bob, at=AT, key="k").amount_micros == EUR("12.34")


def test_a_wrong_account_changes_nothing():
    bob = earner()
    with pytest.raises(sepa.BadIban, match="check digits"):
        payouts.set_account(member=bob, iban="DE88370400440532013000", holder_name="Bob")
    with pytest.raises(sepa.BadName):
        payouts.set_account(member=bob, iban=IBAN, holder_name="  ")
    kept = payouts.account(bob)
    assert kept is not None
    assert (kept.iban, kept.holder_name, str(kept)) == (IBAN, "Bob Creator", "DE89…3000")
    payouts.forget_account(member=bob)
    assert payouts.account(bob) is None


def test_the_price_is_quoted_before_and_taken_from_the_amount(settings):
    settings.PAYOUT_COST_MICROS = EUR("0.25")
    bob = earner()
    due = payouts.quote(member=bob)
    assert (due.amount_micros, due.cost_micros) == (EUR("12.34"), EUR("0.25"))
    assert (due.arrives_micros, due.stays_micros) == (EUR("12.09"), 5_678)
    payout = payouts.request(member=bob, at=AT, key="k")
    assert (payout.amount_micros, payout.net_micros) == (EUR("12.34"), EUR("12.09"))


def test_a_price_never_eats_the_whole_amount(settings):
    settings.PAYOUT_MIN_MICROS, settings.PAYOUT_COST_MICROS = EUR("1"), EUR("12.34")
    with pytest.raises(payouts.BelowMinimum):
        payouts.quote(member=earner())


# --- twice --------------------------------------------------------------------------------------


def test_a_double_click_is_one_payout():
    bob = earner()
    first = payouts.request(member=bob, at=AT, key="one click")
    assert payouts.request(member=bob, at=AT, key="one click") == first
    same = payouts.request(member=bob, at=AT, key="one click", amount_micros=EUR("12.34"))
    assert same == first
    with pytest.raises(payouts.KeyReused):
        payouts.request(member=bob, at=AT, key="one click", amount_micros=EUR("11.00"))
    assert Payout.objects.count() == 1
    all_hold()


def test_the_key_of_one_member_says_nothing_about_another():
    bob, dora = earner("bob"), earner("dora")
    assert payouts.request(member=bob, at=AT, key="k") != payouts.request(
        member=dora, at=AT, key="k"
    )


def test_one_payout_at_a_time():
    bob = earner(micros=EUR("30"))
    payouts.request(member=bob, at=AT, key="a", amount_micros=EUR("10"))
    with pytest.raises(payouts.AlreadyOnItsWay, match=r"10\.00 EUR is on its way"):
        payouts.request(member=bob, at=AT, key="b", amount_micros=EUR("10"))
    assert revenue(bob) == EUR("20")
    file = payouts.make_file(at=AT)
    with pytest.raises(payouts.AlreadyOnItsWay):
        payouts.request(member=bob, at=AT, key="b", amount_micros=EUR("10"))
    payouts.mark_file_executed(file=file, at=AT)
    payouts.request(member=bob, at=AT, key="b", amount_micros=EUR("10"))
    assert revenue(bob) == EUR("10")
    all_hold()


def test_the_table_lets_one_payout_live_whatever_the_code_thinks(monkeypatch):
    bob = earner(micros=EUR("30"))
    payouts.request(member=bob, at=AT, key="a", amount_micros=EUR("10"))
    monkeypatch.setattr(payouts, "_one_at_a_time", lambda *_: None)
    with pytest.raises(payouts.AlreadyOnItsWay):
        payouts.request(member=bob, at=AT, key="b", amount_micros=EUR("10"))
    assert (Payout.objects.count(), revenue(bob)) == (1, EUR("20"))


def test_a_crash_after_the_posting_leaves_nothing_and_the_next_try_pays_once(monkeypatch):
    bob = earner()
    real = ledger.post

    def crash(**facts):
        real(**facts)
        raise RuntimeError("the lights went out")

    monkeypatch.setattr(ledger, "post", crash)
    with pytest.raises(RuntimeError):
        payouts.request(member=bob, at=AT, key="k")
    assert (Payout.objects.count(), revenue(bob)) == (0, 12_345_678)
    monkeypatch.setattr(ledger, "post", real)
    payouts.request(member=bob, at=AT, key="k")
    payouts.request(member=bob, at=AT, key="k")
    assert (Payout.objects.count(), revenue(bob)) == (1, 5_678)
    all_hold()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("same_key", [True, False])
def test_eight_clients_at_once_get_one_payout(same_key):
    bob = earner(micros=EUR("80"))
    begin, outcomes = threading.Barrier(8), []

    def client(number: int) -> None:
        begin.wait()
        try:
            key = "k" if same_key else f"k{number}"
            paid = payouts.request(member=bob, at=AT, key=key, amount_micros=EUR("10"))
            outcomes.append(paid.id)
        except payouts.AlreadyOnItsWay:
            outcomes.append(None)
        finally:
            connection.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 8
    assert len({outcome for outcome in outcomes if outcome}) == 1
    assert outcomes.count(None) == (0 if same_key else 7)
    assert (Payout.objects.count(), revenue(bob)) == (1, EUR("70"))
    all_hold()


# --- what the tables refuse ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount_micros": 0},
        {"cost_micros": -1},
        {"cost_micros": 5},
        {"member": None},
        {"payin_id": 1},
        {"kind": "CHARITY"},
        {"kind": "RETURN"},
        {"kind": "OTHER"},
        {"state": "SENT"},
        {"state": "EXECUTED"},
        {"state": "FAILED", "ended_at": AT},
        {"state": "LOST"},
        {"executed_at": AT},
        {"iban": ""},
        {"holder_name": ""},
    ],
)
def test_the_table_refuses_a_payout_that_cannot_be(wrong):
    facts = {"key": "k", "kind": "REVENUE", "member": member("bob"), "amount_micros": 5}
    facts |= {"iban": IBAN, "holder_name": "Bob"}
    with pytest.raises(IntegrityError), transaction.atomic():
        Payout.objects.create(requested_at=AT, **(facts | wrong))


def test_only_what_stands_already_is_said_to_be_on_its_way(monkeypatch):
    bob = earner()
    monkeypatch.setattr(sepa, "iban", lambda _text: "")
    with pytest.raises(IntegrityError, match="payout_says_where_to"), transaction.atomic():
        payouts.pay_rest(member=bob, to=sepa.Account("Bob", ""), at=AT)
    monkeypatch.undo()
    payouts.pay_rest(member=bob, to=sepa.Account("Bob", IBAN), at=AT)
    earned = ledger.balance(ledger.revenue(bob.id))
    payins.top_up(member=bob, amount_micros=EUR("5.00"), reference="own", at=AT)
    ledger.post(
        key="more",
        debit=ledger.funds(bob.id),
        credit=ledger.revenue(bob.id),
        amount_micros=EUR("5.00"),
        reason="SHARE",
        at=AT,
    )
    with pytest.raises(payouts.AlreadyOnItsWay):
        payouts.pay_rest(member=bob, to=sepa.Account("Bob", IBAN), at=AT)
    assert ledger.balance(ledger.revenue(bob.id)) == earned + EUR("5.00")
