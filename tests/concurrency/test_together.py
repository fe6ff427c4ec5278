"""Many clients at once: no nod twice, no payout twice, one settlement, one month for each nod."""

import random
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import permutations, product
from threading import Barrier, BrokenBarrierError, Event

import pytest
from django.test import override_settings

from mickle.ledger import ledger
from mickle.lib import months
from mickle.members.models import Member
from mickle.nods import nods
from mickle.nods.models import Count, Nod
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.payouts.models import Payout
from mickle.settlement import arrears, settlement
from mickle.things import things
from mickle.things.models import Thing
from tests.concurrency.together import together
from tests.people import (
    EARLY_DECEMBER,
    EUR,
    MID_NOVEMBER,
    NOVEMBER,
    creator,
    instance_at,
    member,
    thing,
    top_up,
)
from tests.settlement.test_settle import all_hold

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

CLIENTS, ROUNDS, TURNS = 8, 300, 48
# Clients, and how often each nods at every page as every member, with --long.
MANY = 32, 100
ENDS, PAGES = 14, 8
IBAN = "DE89370400440532013000"


@pytest.fixture(autouse=True)
def _november() -> None:
    instance_at("2026-11")


def test_double_nods_are_one_nod_each(request):
    clients, times = MANY if request.config.getoption("--long") else (CLIENTS, 3)
    people = [member(f"m{i}", funds="5.00") for i in range(10)]
    pairs = list(product(people, [thing(f"page{i}") for i in range(10)]))

    def click(client: int) -> int:
        mine = random.Random(client).choices(pairs, k=times * len(pairs))
        return sum(nods.give(member=who, thing=at, at=MID_NOVEMBER).new for who, at in mine)

    answers = together(clients, click)
    kept = Nod.objects.values_list("member_id", "thing_id")
    assert sum(answers) == len(kept) == len(set(kept)) > 0.9 * len(pairs)
    assert sum(Count.objects.values_list("total", flat=True)) == len(kept)
    assert nods.wrong_counts() == []


def test_nods_and_take_backs_leave_the_counts_right():
    people = [member(f"m{i}", funds="5.00") for i in range(CLIENTS)]
    page = thing("page")

    def waver(client: int) -> None:
        for _round in range(40):
            nods.give(member=people[client], thing=page, at=MID_NOVEMBER)
            nods.take_back(member=people[client], thing=page, at=MID_NOVEMBER)
        nods.give(member=people[client], thing=page, at=MID_NOVEMBER)

    assert together(CLIENTS, waver) == [None] * CLIENTS
    assert nods.count(page.id) == CLIENTS
    assert nods.wrong_counts() == []


@override_settings(BANK_IBAN=IBAN, BANK_NAME="Mickle Test")
def test_double_payouts_pay_once():
    bob = member("bob")
    ledger.post(
        key="earned",
        debit=ledger.PROVIDER,
        credit=ledger.revenue(bob.id),
        amount_micros=EUR("100.00"),
        reason="SHARE",
        at=MID_NOVEMBER,
    )
    payouts.set_account(member=bob, iban=IBAN, holder_name="Bob Creator")
    amount = EUR("10.00")

    def ask(client: int) -> int:
        got = 0
        for n in range(ROUNDS):
            try:
                key = f"{client}:{n}"
                payouts.request(member=bob, at=MID_NOVEMBER, key=key, amount_micros=amount)
                got += 1
            except payouts.AlreadyOnItsWay:
                continue
        return got

    assert sum(together(CLIENTS, ask)) == 1
    assert Payout.objects.count() == 1
    assert ledger.balance(ledger.revenue(bob.id)) == EUR("90.00")
    files = together(CLIENTS, lambda _client: payouts.make_file(at=MID_NOVEMBER))
    assert sum(not isinstance(file, Exception) for file in files) == 1
    one = Payout.objects.get()
    done = together(CLIENTS, lambda _c: payouts.mark_executed(payout=one, at=MID_NOVEMBER))
    assert Counter(done) == {True: 1, False: CLIENTS - 1}
    all_hold([*ledger.audit(), *payouts.audit()])


def test_of_many_who_seal_each_transfer_is_sealed_once():
    alice, sealed = member("alice"), 0
    for round_ in range(5):
        top_up(alice, "1.00", key=f"round {round_}")
        answers = together(CLIENTS, lambda _client: ledger.seal(at=MID_NOVEMBER))
        assert not [answer for answer in answers if isinstance(answer, Exception)]
        sealed += sum(answers)
    # On PostgreSQL one who tries while another looks seals nothing.
    sealed += ledger.seal(at=MID_NOVEMBER)
    assert sealed == 5
    all_hold(ledger.audit())


def test_two_settlers_give_one_settlement():
    alice = member("alice", funds="5.00")
    for i in range(5):
        nods.give(member=alice, thing=thing(f"page{i}", creator(f"c{i}")), at=MID_NOVEMBER)
    answers = together(
        CLIENTS, lambda _client: settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    )
    settled = [answer for answer in answers if isinstance(answer, settlement.Settled)]
    assert len(settled) == 1
    others = [answer for answer in answers if answer not in settled]
    assert [a for a in others if not isinstance(a, settlement.NotSettled)] == []
    assert ledger.balance(ledger.FEE) == EUR("0.50")
    all_hold([*ledger.audit(), *settlement.audit()])


def test_two_who_close_never_wait_for_each_other(monkeypatch):
    alice, page = member("alice", funds="5.00"), thing("page")
    nods.give(member=alice, thing=page, at=MID_NOVEMBER)
    nods.subscribe(member=alice, thing=page, runs_months=None, at=MID_NOVEMBER)
    both, real = Barrier(2), nods.renew

    def renew(*, month: int, at: datetime) -> int:
        if month == NOVEMBER:
            # Whoever comes here alone goes on; two at once both hold what the other needs.
            with suppress(BrokenBarrierError):
                both.wait(0.5)
        return real(month=month, at=at)

    monkeypatch.setattr(nods, "renew", renew)
    answers = together(2, lambda _client: settlement.close_due(at=EARLY_DECEMBER))
    assert sorted(answers, key=str) == [[NOVEMBER], []]
    december = Nod.objects.filter(month=NOVEMBER + 1).count()
    assert (Nod.objects.count(), december) == (2, 1)


def test_two_claims_release_what_waits_once():
    alice = member("alice", funds="5.00")
    page = thing("page")
    nods.give(member=alice, thing=page, at=MID_NOVEMBER)
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    bob = creator("bob")
    things.set_owner(thing=page, owner=bob, at=EARLY_DECEMBER)
    answers = together(CLIENTS, lambda _client: settlement.release(thing=page, at=EARLY_DECEMBER))
    assert sorted(answers) == [0] * (CLIENTS - 1) + [EUR("4.50")]
    all_hold([*ledger.audit(), *settlement.audit()])


@pytest.mark.parametrize("deed", ["claim", "refuse"])
def test_a_claim_or_a_refusal_beside_a_settlement_leaves_nothing_waiting(deed):
    alice, bob = member("alice", funds="5.00"), creator("bob")
    page = thing("page")
    for who in (alice, bob):
        nods.give(member=who, thing=page, at=MID_NOVEMBER)
    settlement.close_due(at=EARLY_DECEMBER)

    def change() -> None:
        if deed == "claim":
            things.set_owner(thing=page, owner=bob, at=EARLY_DECEMBER)
            settlement.release(thing=page, at=EARLY_DECEMBER)
        else:
            settlement.refuse(thing=page, at=EARLY_DECEMBER)

    def settle_or_change(client: int) -> object:
        if client == 0:
            return settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
        return change()

    answers = together(2, settle_or_change)
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert ledger.balance(ledger.waiting(alice.id)) == 0
    earned = EUR("4.50") if deed == "claim" else 0
    assert ledger.balance(ledger.revenue(bob.id)) == earned
    all_hold([*ledger.audit(), *settlement.audit()])


def test_a_nod_beside_the_closing_fence_is_in_exactly_one_month():
    """Fourteen month ends, two of them in February, and clocks that are five minutes off."""
    people = [member(f"m{i}", funds="90.00") for i in range(CLIENTS)]
    maker = creator("maker")
    # What is nodded at as one month ends is not what is nodded at as the next does.
    pages = [[thing(f"page{i}-{turn}", maker) for i in range(PAGES)] for turn in range(2)]
    first = months.parse("2027-01")
    told: dict[int, Counter[int]] = {client: Counter() for client in range(CLIENTS)}

    for month in range(NOVEMBER, first):
        settlement.settle(month=month, at=months.end(month) + timedelta(days=4))

    for month in range(first, first + ENDS):
        answers = end_of(month, people, pages[month % 2])
        assert not [answer for answer in answers if isinstance(answer, Exception)]
        for client, given in enumerate(answers):
            assert set(given) <= {month, month + 1}
            told[client].update(given)
        # Who was late is early for the next month: of a turn no nod of the month is left to come.
        settlement.settle(month=month, at=months.end(month) + timedelta(days=4))

    for client, who in enumerate(people):
        kept = Counter(Nod.objects.filter(member=who).values_list("month", flat=True))
        assert kept == told[client]
    assert sum(sum(given.values()) for given in told.values()) == ENDS * PAGES * (CLIENTS - 1)
    settled = sum(settlement.month_totals(first + place).nods for place in range(ENDS))
    late = Nod.objects.filter(month=first + ENDS).count()
    assert settled + late == ENDS * PAGES * (CLIENTS - 1)
    all_hold([*ledger.audit(), *settlement.audit()])


def end_of(month: int, people: list[Member], pages: list[Thing]) -> list[list[int]]:
    """Nods while a month closes, each client's clock another; the months they were told."""
    end, closed = months.end(month), Event()

    def nod_or_close(client: int) -> list[int]:
        if client == CLIENTS - 1:
            settlement.close_due(at=end + timedelta(seconds=1))
            closed.set()
            return []
        at = end + timedelta(minutes=5 * (2 * client / (CLIENTS - 2) - 1))
        told = []
        for page in pages:
            # The last one comes when it is closed for sure, whatever the clock of the client says.
            late = closed.wait(30) if page == pages[-1] else closed.is_set()
            told.append(nods.give(member=people[client], thing=page, at=at).month)
            assert not late or told[-1] == month + 1
        return told

    return together(CLIENTS, nod_or_close)


@override_settings(MODE="arrears")
def test_charges_are_collected_beside_owners_who_move_what_they_have():
    """Everyone gives to everyone, so each is charged and paid in the same transactions."""
    ring = [creator(f"member{i}") for i in range(CLIENTS)]
    pages = [thing(f"page{i}", who) for i, who in enumerate(ring)]
    # Earned before anything was topped up: that pot comes first where both are locked.
    for who in ring:
        pots = {"debit": ledger.PROVIDER, "credit": ledger.revenue(who.id)}
        ledger.post(key=f"{who}", **pots, amount_micros=1, reason="SHARE", at=MID_NOVEMBER)
    for month in range(NOVEMBER, NOVEMBER + 6):
        for who, page in permutations(range(CLIENTS), 2):
            nods.give(member=ring[who], thing=pages[page], at=months.start(month))
        settlement.settle(month=month, at=months.start(month + 1) + timedelta(days=4))
    done = Event()

    def collect(who: Member, turn: int) -> int:
        top_up(who, "5.00", key=f"turn {turn}")
        return arrears.collect(at=EARLY_DECEMBER)

    def move(client: int) -> int:
        who, moved = ring[client], 0
        if client == 0:
            try:
                return sum(collect(ring[turn % CLIENTS], turn) for turn in range(TURNS))
            finally:
                done.set()
        while not done.is_set():
            with suppress(ledger.Insufficient, payins.BadAmount, payins.OverLimit):
                payins.to_funds(member=who, at=EARLY_DECEMBER, key=f"{client} {moved}")
                moved += 1
        return moved

    assert together(CLIENTS, move)[0] >= TURNS / 2
    arrears.collect(at=EARLY_DECEMBER)
    all_hold([*ledger.audit(), *settlement.audit()])
