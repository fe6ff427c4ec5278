"""Stages: what happens between them changes no result, and what stopped goes on."""

from collections.abc import Callable, Iterator

import pytest
from django.db import transaction

from mickle.closing import closing
from mickle.instance import instance
from mickle.ledger import ledger
from mickle.lib import chunks, months
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.nods.models import Nod
from mickle.settlement import _engine, _freeze, _post, _run, settlement
from mickle.settlement.models import IdleRun, Line, Owned, ReturnedShare, Run, Spend
from mickle.things import things
from mickle.things.models import Thing
from tests.concurrency.together import together
from tests.crash.dying import picture
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

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _november() -> None:
    instance_at("2026-11")


@pytest.fixture
def after_the_freeze(
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[Callable[[], object]], None]]:
    """Do something between the freeze and the result."""
    compute = _engine.compute

    def with_deed(deed: Callable[[], object]) -> None:
        def first(*said: int) -> _engine.Result:
            deed()
            return compute(*said)

        monkeypatch.setattr(_engine, "compute", first)

    return with_deed


def settle(**more: object) -> settlement.Settled:
    return settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER, **more)


def give(who: Member, *pages: Thing) -> None:
    for page in pages:
        nods.give(member=who, thing=page, at=MID_NOVEMBER)


def books() -> None:
    all_hold([*ledger.audit(), *settlement.audit()])


def earned(who: Member) -> int:
    return ledger.balance(ledger.revenue(who.id))


def test_after_every_range_the_books_are_right(one_by_one):
    alice, dora, idle = (member(name, funds="5.00") for name in ("alice", "dora", "idle"))
    members.list_charity(slug="library", name="Library")
    members.set_budget(member=idle, at=MID_NOVEMBER, amount_micros=EUR("2.00"))
    bob, charlie = creator("bob"), creator("charlie")
    pages = [thing("a", bob), thing("b", charlie), thing("c"), thing("gone", bob)]
    give(alice, *pages)
    give(dora, *pages[1:])
    things.take_down(thing=pages[3], at=MID_NOVEMBER)
    told = []

    def look(label: str, done: int, total: int) -> None:
        told.append((label, done, total))
        books()

    settle(report=look)
    assert told[-1][1] == told[-1][2]
    assert [one for one in told if one[0] == "freeze"] == [("freeze", n, 3) for n in (1, 2, 3)]
    assert {"owners", "freeze", "compute", "members", "lines", "pay", "proof"} == {
        label for label, *_n in told
    }


def test_the_size_of_a_range_changes_nothing(monkeypatch):
    def result() -> dict[str, object]:
        with transaction.atomic():
            givers = [member(f"m{n}", funds=f"{2 + n}.37") for n in range(7)]
            pages = [thing(f"p{n}", creator(f"c{n}") if n % 3 else None) for n in range(9)]
            for place, giver in enumerate(givers):
                give(giver, *pages[place % 4 :])
            settle()
            books()
            found = picture()
            transaction.set_rollback(True)
        return found

    whole = result()
    for name in ("FIRST", "FEWEST", "MOST"):
        monkeypatch.setattr(chunks, name, 1)
    assert result() == whole


def test_who_owned_a_page_at_the_freeze_is_paid_for_it(after_the_freeze):
    alice, bob, dora = member("alice", funds="4.00"), creator("bob"), creator("dora")
    sold, found = thing("sold", bob), thing("found")
    give(alice, sold, found)

    def change_hands() -> None:
        for owner in (None, dora):
            things.set_owner(thing=sold, owner=owner, at=EARLY_DECEMBER)
        things.set_owner(thing=found, owner=dora, at=EARLY_DECEMBER)
        assert settlement.release(thing=found, at=EARLY_DECEMBER) == 0

    after_the_freeze(change_hands)
    settle()
    assert earned(bob) == EUR("1.80")
    # What waited for a page that was claimed meanwhile is released when the month is settled.
    assert earned(dora) == EUR("1.80")
    assert Line.objects.get(thing=found).state == "RELEASED"
    books()


def test_a_nod_of_ones_own_stays_void_and_one_of_before_stays_a_nod(after_the_freeze):
    alice, bob = member("alice", funds="4.00"), creator("bob")
    page, other = thing("page", bob), thing("other")
    give(alice, page, other)
    after_the_freeze(lambda: things.set_owner(thing=other, owner=alice, at=EARLY_DECEMBER))
    settle()
    assert earned(bob) == EUR("1.80")
    # Her own share comes back to her when the page she claimed is released.
    assert ledger.balance(ledger.waiting(alice.id)) + ledger.balance(ledger.funds(alice.id)) == EUR(
        "2.00"
    )
    books()


def test_money_and_nods_that_come_meanwhile_are_for_the_next_month(after_the_freeze):
    alice, bob = member("alice", funds="3.00"), creator("bob")
    page, late = thing("page", bob), thing("late", bob)
    give(alice, page)

    def come() -> None:
        top_up(alice, "9.00", month=NOVEMBER + 1)
        given = nods.give(member=alice, thing=late, at=EARLY_DECEMBER)
        assert given.month == NOVEMBER + 1
        now = settlement.statement(member=alice, month=NOVEMBER)
        assert (now.state, now.spend_micros) == (instance.State.FROZEN, EUR("3.00"))
        coming = settlement.preview(member=alice, at=EARLY_DECEMBER)
        assert (coming.reserved_micros, coming.spend_micros) == (0, EUR("5.00"))

    after_the_freeze(come)
    settle()
    assert earned(bob) == EUR("2.70")
    assert ledger.balance(ledger.funds(alice.id)) == EUR("9.00")
    books()


def test_what_was_refused_meanwhile_goes_back_when_the_month_is_settled(after_the_freeze):
    alice, bob = member("alice", funds="4.00"), creator("bob")
    kept, wanted_not = thing("kept", bob), thing("wanted not")
    give(alice, kept, wanted_not)
    after_the_freeze(lambda: settlement.refuse(thing=wanted_not, at=EARLY_DECEMBER))
    settle()
    assert earned(bob) == EUR("1.80")
    assert Line.objects.get(thing=wanted_not).state == "RETURNED"
    assert ledger.balance(ledger.funds(alice.id)) == EUR("2.00")
    assert not settlement.has_to_release()
    books()


def test_what_is_half_posted_cannot_be_released(one_by_one):
    alice, bob = member("alice", funds="4.00"), creator("bob")
    pages = [thing("a"), thing("b")]
    give(alice, *pages)
    told = []

    def claim(label: str, done: int, _total: int) -> None:
        if (label, done) == ("lines", 1):
            things.set_owner(thing=pages[0], owner=bob, at=EARLY_DECEMBER)
            told.append(settlement.release(thing=pages[0], at=EARLY_DECEMBER))
            told.append(settlement.waiting_for(pages[0]))

    settle(report=claim)
    assert told == [0, (0, 0)]
    assert earned(bob) == EUR("1.80")
    books()


def test_an_owner_who_leaves_meanwhile_is_paid_first(after_the_freeze):
    alice, bob = member("alice", funds="5.00"), creator("bob")
    give(alice, thing("page", bob))

    def leave() -> None:
        asked = closing.close(
            member=bob,
            at=EARLY_DECEMBER,
            open_nods="settle",
            iban="DE89370400440532013000",
            holder_name="Bob",
        )
        assert (asked.done_at, asked.waits_for_month) == (None, NOVEMBER)

    after_the_freeze(leave)
    settle()
    assert earned(bob) == EUR("4.50")
    assert closing.finish_due(at=EARLY_DECEMBER) == 1
    all_hold(closing.audit())


def test_what_expires_is_neither_released_nor_taken_back_meanwhile():
    alice, bob = member("alice", funds="2.00"), creator("bob")
    page = thing("page")
    give(alice, page)
    settle()
    for month in range(NOVEMBER + 1, NOVEMBER + 6):
        settlement.settle(month=month, at=months.start(month + 1))
    at = months.start(NOVEMBER + 7)

    def claim(label: str, _done: int, _total: int) -> None:
        if label != "expire":
            return
        things.set_owner(thing=page, owner=bob, at=at)
        assert settlement.release(thing=page, at=at) == 0
        with pytest.raises(settlement.NotWaiting):
            settlement.take_back_waiting(member=alice, month=NOVEMBER, thing=page, at=at)

    settlement.settle(month=NOVEMBER + 6, at=at, report=claim)
    assert Thing.objects.get(id=page.id).owner_id == bob.id
    assert Line.objects.get(month=NOVEMBER).state == "RETURNED"
    assert (earned(bob), ReturnedShare.objects.count()) == (0, 0)
    assert ledger.balance(ledger.funds(alice.id)) == EUR("2.00")
    books()


def test_what_expires_comes_back_once_however_often_it_stops(one_by_one):
    alice = member("alice", funds="2.00")
    give(alice, thing("a"), thing("b"), thing("c"))
    settle()
    for month in range(NOVEMBER + 1, NOVEMBER + 6):
        settlement.settle(month=month, at=months.start(month + 1))
    last = {"month": NOVEMBER + 6, "at": months.start(NOVEMBER + 7)}
    for stop in (("expire", 1), ("expired", 1), ("expired", 1)):

        def die(label: str, done: int, _total: int, stop: tuple[str, int] = stop) -> None:
            if (label, done) == stop:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            settlement.settle(**last, report=die)
        books()
    settlement.settle(**last)
    assert ledger.balance(ledger.funds(alice.id)) == EUR("2.00")
    assert set(Line.objects.values_list("state", flat=True)) == {"RETURNED"}
    books()


def test_a_run_that_comes_to_another_result_posts_no_more(monkeypatch):
    alice = member("alice", funds="2.00")
    give(alice, thing("page", creator("bob")))
    with monkeypatch.context() as broken:
        broken.setattr(_post, "post", None)
        with pytest.raises(TypeError):
            settle()
    assert Run.objects.get().stage == Run.Stage.POST
    Run.objects.update(result_sha256="0" * 64)
    with pytest.raises(_run.AnotherResult):
        settle()
    assert instance.state(NOVEMBER) == instance.State.FROZEN
    assert not Line.objects.exists()
    assert ledger.balance(ledger.pool(NOVEMBER)) == EUR("2.00")
    books()


def test_a_result_that_is_no_split_of_the_month_is_not_posted(after_the_freeze):
    alice = member("alice", funds="2.00")
    give(alice, thing("page", creator("bob")))
    after_the_freeze(lambda: Nod.objects.filter(month=NOVEMBER).delete())
    with pytest.raises(_engine.DoesNotAddUp):
        settle()
    assert not Line.objects.exists()


def test_a_freeze_that_runs_again_takes_nothing_twice(settings):
    settings.IDLE_POLICY = "keep"
    alice, idle = member("alice", funds="3.00"), member("idle", funds="9.00")
    give(alice, thing("page", creator("bob")))
    settlement.close_due(at=EARLY_DECEMBER)
    said = {"month": NOVEMBER, "at": EARLY_DECEMBER, "arrears": False}
    for _time in range(2):
        _freeze.freeze(**said, report=chunks.untold)
        top_up(alice, "1.00", month=NOVEMBER + 1, key=f"again {_time}")
    assert Spend.objects.get().amount_micros == EUR("3.00")
    assert IdleRun.objects.get(member=idle).months == 1
    assert Owned.objects.count() == 1
    assert ledger.balance(ledger.pool(NOVEMBER)) == EUR("3.00")


@pytest.mark.django_db(transaction=True)
def test_of_two_who_settle_one_is_told(monkeypatch):
    alice = member("alice", funds="2.00")
    give(alice, thing("page", creator("bob")))
    compute, told = _engine.compute, []

    def slowly(*said: int) -> _engine.Result:
        monkeypatch.setattr(_engine, "compute", compute)
        told.extend(together(1, lambda _client: settle()))
        return compute(*said)

    monkeypatch.setattr(_engine, "compute", slowly)
    settle()
    (refused,) = told
    assert type(refused) is settlement.NotSettled
    assert "Somebody else is settling" in str(refused)
    books()
