"""Die between all SQL statements, before and after every commit, run again: the same books."""

from contextlib import suppress
from datetime import timedelta
from itertools import count

import pytest
from django.test import override_settings

from mickle.claims import accounts, proofs
from mickle.claims.accounts import Account
from mickle.claims.models import Proof
from mickle.instance import instance
from mickle.ledger import ledger
from mickle.lib import chunks
from mickle.members.models import Member
from mickle.nods import nods
from mickle.nods.models import Nod, Past
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.payouts.models import Payout
from mickle.settlement import _dues, _freeze, _leaving, _tree, _underway, arrears, past, settlement
from mickle.teams import teams
from mickle.teams.models import Agreement
from mickle.things import things
from mickle.things.models import Thing
from tests.claims.seeing import Web, profile_of, put
from tests.crash.dying import Kept, die_everywhere, dying
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
from tests.teams.teaming import holding_from

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    # A dead process closes no cursor.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

HUB = Account("github", "github.com", "1", "bobby")
IBAN = "DE89370400440532013000"


def world() -> Member:
    """Two givers, a team's and an unclaimed page, a subscription, an own page and a charity."""
    instance_at("2026-11")
    alice, dora = member("alice", funds="5.00"), member("dora", funds="7.00")
    member("idle", funds="9.00")
    bob = creator("bob")
    owned, waits = thing("owned", bob), thing("waits")
    holding_from(NOVEMBER, {bob: 60, creator("eve"): 40}, owned, waits)
    for page in (owned, waits, thing("own-later")):
        nods.give(member=alice, thing=page, at=MID_NOVEMBER)
    nods.give(member=dora, thing=owned, at=MID_NOVEMBER)
    nods.subscribe(member=dora, thing=waits, runs_months=3, at=MID_NOVEMBER)
    things.set_owner(
        thing=Thing.objects.get(host="own-later.example"), owner=alice, at=MID_NOVEMBER
    )
    return bob


def settle(_bob: Member) -> None:
    try:
        settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    except settlement.AlreadySettled:
        # It died after the commit: the month stands, and running again says so.
        ledger.seal(at=EARLY_DECEMBER)


def test_settlement_survives_death_anywhere(monkeypatch):
    # The tree of the proof is written leaf by leaf.
    for name in ("BLOCK", "_AT_ONCE"):
        monkeypatch.setattr(_tree, name, 1)
    assert die_everywhere(world, settle) > 100


def test_what_is_refused_after_a_death_anywhere_locks_no_month(request):
    """What somebody does before it goes on is of this month or of the next, and all adds up."""
    kept, step = Kept(world), 1 if request.config.getoption("--long") else 11
    try:
        for die_at in count(1, step):
            bob = kept.again()
            with dying(die_at) as boundaries:
                settle(bob)
            if not boundaries.where:
                break
            settlement.refuse(thing=Thing.objects.get(host="owned.example"), at=EARLY_DECEMBER)
            settle(bob)
            where = f"died {boundaries.where} (boundary {die_at})"
            assert instance.state(NOVEMBER) == instance.State.SETTLED, where
            wrong = [one for one in (*ledger.audit(), *settlement.audit()) if not one.ok]
            assert wrong == [], where
    finally:
        kept.forget()
    assert die_at > 100


def world_in_arrears() -> Member:
    """The same; what waits of October is claimed, so that it falls due with November."""
    instance_at("2026-10")
    alice, bob = member("alice"), creator("bob")
    owned, waits = thing("owned", bob), thing("waits")
    holding_from(NOVEMBER - 1, {bob: 60, creator("eve"): 40}, owned, waits)
    for page in (owned, waits):
        nods.give(member=alice, thing=page, at=MID_NOVEMBER - timedelta(days=30))
    settlement.settle(month=NOVEMBER - 1, at=MID_NOVEMBER)
    things.set_owner(thing=waits, owner=bob, at=MID_NOVEMBER)
    for who in (alice, member("dora")):
        nods.give(member=who, thing=owned, at=MID_NOVEMBER)
    top_up(alice, "12.00")
    return bob


def freeze_and_ask(_bob: Member) -> None:
    """What only a settlement in arrears does."""
    settlement.close_due(at=EARLY_DECEMBER)
    said = {"month": NOVEMBER, "at": EARLY_DECEMBER, "report": chunks.untold}
    _freeze.freeze(**said, arrears=True)
    _dues.ask(**said)


@override_settings(MODE="arrears")
def test_asking_for_a_month_survives_death_anywhere():
    assert die_everywhere(world_in_arrears, freeze_and_ask) > 50


def asked() -> Member:
    bob = world_in_arrears()
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    return bob


def collect(_bob: Member) -> None:
    arrears.collect(at=EARLY_DECEMBER)
    arrears.ask_again(at=EARLY_DECEMBER + timedelta(days=30))


@override_settings(MODE="arrears", CHARGE_TRIES=1)
def test_collecting_survives_death_anywhere():
    assert die_everywhere(asked, collect) > 40


def archived() -> Member:
    """A month that is settled and archived, long ago, and of which nothing waits."""
    bob = world()
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    settlement.refuse(thing=Thing.objects.get(host="waits.example"), at=EARLY_DECEMBER)
    settlement.archive(month=NOVEMBER, at=EARLY_DECEMBER)
    return bob


def let_go(_bob: Member) -> None:
    if Nod.objects.filter(month=NOVEMBER).exists():
        past.let_go(month=NOVEMBER)


def test_nods_that_leave_survive_death_anywhere(monkeypatch, tmp_path):
    for name in ("FIRST", "FEWEST", "MOST"):
        monkeypatch.setattr(chunks, name, 1)
    with override_settings(ARCHIVE=str(tmp_path)):
        assert die_everywhere(archived, let_go) > 15


def gone() -> Member:
    bob = archived()
    past.let_go(month=NOVEMBER)
    return bob


def put_back(_bob: Member) -> None:
    if Past.objects.filter(month=NOVEMBER).exists():
        past.put_back(month=NOVEMBER)


def test_nods_that_come_back_survive_death_anywhere(monkeypatch, tmp_path):
    monkeypatch.setattr(_leaving, "AT_ONCE", 1)
    with override_settings(ARCHIVE=str(tmp_path)):
        assert die_everywhere(gone, put_back) > 15


def settled_and_claimed() -> Member:
    bob = world()
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    things.set_owner(thing=Thing.objects.get(host="waits.example"), owner=bob, at=EARLY_DECEMBER)
    return bob


def release(_bob: Member) -> None:
    page = Thing.objects.get(host="waits.example")
    settlement.release(thing=page, at=EARLY_DECEMBER)


def test_a_release_survives_death_anywhere():
    assert die_everywhere(settled_and_claimed, release) > 20


def a_long_release(bob: Member) -> None:
    release(bob)
    settlement.release_due(at=EARLY_DECEMBER)


def test_a_release_in_ranges_survives_death_anywhere(monkeypatch):
    monkeypatch.setattr(_underway, "AT_ONCE", 0)
    for name in ("FIRST", "FEWEST", "MOST"):
        monkeypatch.setattr(chunks, name, 1)
    assert die_everywhere(settled_and_claimed, a_long_release) > 40


def shown() -> Member:
    """Bob shows a place, and has asked for what it earned; the line is gone by now."""
    bob = rich()
    things.find_or_add(url="https://blog.example/essay", at=MID_NOVEMBER)
    web = Web()
    proof = proofs.begin(
        member=bob, address="https://blog.example/", method="FILE", at=MID_NOVEMBER
    )
    put(web, proof)
    proofs.look(proof=proof, profile_of=profile_of, eyes=web, at=MID_NOVEMBER)
    payouts.request(member=bob, at=MID_NOVEMBER + timedelta(days=1), key="click")
    return bob


def look_again(_bob: Member) -> None:
    """Nothing that was written by half lets the money go."""
    at = MID_NOVEMBER + timedelta(days=2)
    assert payouts.why_held(payouts.requested(), at=at)
    proofs.look(proof=Proof.objects.get(), profile_of=profile_of, eyes=Web(), at=at)
    assert payouts.why_held(payouts.requested(), at=at)
    assert Proof.objects.get().state == "LOST"


def test_a_look_survives_death_anywhere():
    assert die_everywhere(shown, look_again) > 5


def renamed() -> Member:
    """Bob has shown an account that is called something else by now, and waits to be paid."""
    bob = rich()
    for name in ("bob", "bobby"):
        things.find_or_add(url=f"https://github.com/{name}/tool", at=MID_NOVEMBER)
    accounts.note(member=bob, account=HUB._replace(name="bob"), at=MID_NOVEMBER)
    payouts.request(member=bob, at=MID_NOVEMBER + timedelta(days=1), key="click")
    return bob


def sign_in_again(bob: Member) -> None:
    """The old name is left and the new one taken in one step, or neither."""
    accounts.note(member=bob, account=HUB, at=MID_NOVEMBER + timedelta(days=2))
    states = Proof.objects.order_by("id").values_list("text", "state")
    assert list(states) == [("github.com/bob", "ENDED"), ("github.com/bobby", "SHOWN")]
    owners = Thing.objects.order_by("url").values_list("url", "owner")
    assert list(owners) == [
        ("https://github.com/bob/tool", None),
        ("https://github.com/bobby/tool", bob.id),
    ]
    assert payouts.why_held(payouts.requested(), at=MID_NOVEMBER + timedelta(days=2)) == {}


def whole_or_not_at_all(bob: Member) -> None:
    """Whoever died on the way left what was there before, or what comes of it."""
    shown = Proof.objects.exclude(state="ENDED").values_list("text", "state")
    had = Thing.objects.filter(owner=bob).values_list("url", flat=True)
    (place, state), (url,) = shown.get(), had
    assert state == "SHOWN"
    assert url == f"https://{place}/tool"
    sign_in_again(bob)


def test_a_sign_in_survives_death_anywhere():
    assert die_everywhere(renamed, whole_or_not_at_all) > 20


def proposed() -> Member:
    """Of a team of two one has to say yes, and the last yes lets somebody go with their page."""
    bob = world()
    eve = Member.objects.get(username="eve")
    team = teams.of(bob).get()
    teams.propose(team=team, by=eve, percents={eve: 100}, at=MID_NOVEMBER)
    return bob


def say_yes(bob: Member) -> None:
    row = Agreement.objects.latest("id")
    with suppress(teams.NotAsked):
        teams.answer(agreement=row, member=bob, yes=True, at=MID_NOVEMBER)


def test_an_agreement_survives_death_anywhere():
    assert die_everywhere(proposed, say_yes) > 10


def arrive(bob: Member) -> None:
    payins.top_up(member=bob, amount_micros=EUR("20.00"), reference="bank 4711", at=MID_NOVEMBER)
    payins.book(amount_micros=EUR("3.00"), key="bank 4712", reference="RF00", at=MID_NOVEMBER)


def test_a_top_up_survives_death_anywhere():
    assert die_everywhere(world, arrive) > 20


def rich() -> Member:
    instance_at("2026-11")
    bob = member("bob")
    top_up(bob, "2.00")
    ledger.post(
        key="earned",
        debit=ledger.PROVIDER,
        credit=ledger.revenue(bob.id),
        amount_micros=12_345_678,
        reason="SHARE",
        at=MID_NOVEMBER,
    )
    payouts.set_account(member=bob, iban=IBAN, holder_name="Bob Creator")
    return bob


def pay_out(bob: Member) -> None:
    one = payouts.request(member=bob, at=EARLY_DECEMBER, key="click")
    one.refresh_from_db()
    if one.state == "REQUESTED":
        payouts.make_file(at=EARLY_DECEMBER)
        one.refresh_from_db()
    payouts.mark_executed(payout=one, at=EARLY_DECEMBER)


@override_settings(BANK_IBAN=IBAN, BANK_NAME="Mickle Test")
def test_a_payout_survives_death_anywhere():
    assert die_everywhere(rich, pay_out) > 20


def fail(bob: Member) -> None:
    one = Payout.objects.filter(member=bob).first()
    if one is None or one.state != Payout.State.RETURNED:
        pay_out(bob)
    one = Payout.objects.get(member=bob)
    payouts.mark_failed(payout=one, at=EARLY_DECEMBER, why="account closed")


@override_settings(BANK_IBAN=IBAN, BANK_NAME="Mickle Test")
def test_a_returned_payout_survives_death_anywhere():
    assert die_everywhere(rich, fail) > 20
