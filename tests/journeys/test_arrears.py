"""Giving first and paying afterwards, as members, makers and operators see it."""

from datetime import timedelta

import pytest

from mickle.closing import closing
from mickle.instance.models import Instance
from mickle.ledger import ledger
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.settlement import arrears, settlement
from mickle.settlement.models import Charge, Run
from tests import working
from tests.notices.mailing import AFTER_THE_GRACE, AT_THE_CLOSE, THREE_DAYS_BEFORE, Clock, to
from tests.people import EUR, MID_NOVEMBER, NOVEMBER, creator, instance_at, member, thing
from tests.web.browsing import Person, signed_in
from tests.working import work

pytestmark = pytest.mark.django_db

ACCOUNT = {"iban": "DE02120300000000202051", "holder_name": "Bob Creator"}


@pytest.fixture
def clock(monkeypatch, settings) -> Clock:
    settings.MODE = "arrears"
    settings.BASE_URL = "https://mickle.example"
    working.prepare(monkeypatch)
    return Clock(monkeypatch)


@pytest.fixture
def alice(clock) -> Member:
    """Alice nodded at pages of Bob and Carol, and at one that nobody has claimed."""
    instance_at()
    alice = member("alice")
    for name, owner in (("one", creator("bob")), ("two", creator("carol")), ("three", None)):
        nods.give(member=alice, thing=thing(name, owner), at=MID_NOVEMBER)
    return alice


def settle(clock: Clock) -> None:
    """Let November end and its grace pass, with a worker beside it."""
    for clock.at in (AT_THE_CLOSE, AFTER_THE_GRACE):
        work()


def arrives(who: Member, amount: str, at) -> None:
    payins.book(amount_micros=EUR(amount), key=f"bank {at}", reference=payins.reference(who), at=at)


def earned(name: str) -> int:
    return ledger.balance(ledger.revenue(Member.objects.get(username=name).id))


def test_a_proof_says_that_what_makers_have_is_what_was_paid_since(alice, clock, settings):
    settle(clock)
    said = "Members pay after the month: makers receive of it what has been paid since."
    # The month was settled so, whatever the mode is by now.
    settings.MODE = "prepaid"
    assert said in Person.new().open("/proof/2026-11").text
    Run.objects.update(arrears=False)
    assert said not in Person.new().open("/proof/2026-11").text


def test_pages_say_that_members_pay_after_the_month_and_an_idle_one_gives_nothing(alice, settings):
    members.list_charity(slug="library", name="Library")
    person = signed_in(alice).open("/terms")
    assert "You pay after the month, by bank transfer" in person.text
    assert "What comes to less than €2.00 is asked for with a later month." in person.text
    assert "What is not there after 7 days is asked for again. After 3 times it is dropped" in (
        person.text
    )
    assert "unless its makers claim it within six months" in person.text
    for path in ("/", "/terms", "/month", "/settings", "/top-up", "/statements/2026-11"):
        assert "charity" not in person.open(path).text.replace("than a cent goes to charity", "")
        assert "Fill your coin" not in person.text
    dora = member("dora")
    thing("dora", owner=dora)
    idle = signed_in(dora)
    assert "€5.00 a month at most, until you change it." in idle.open("/month").text
    assert "Fill your coin" not in idle.text
    assert "To receive you give: top up €2.00 more, once" in idle.open("/top-up").text
    assert "charity" not in idle.text
    settings.MODE = "prepaid"
    assert "or what your funds hold if that is less" in person.open("/terms").text
    assert "goes to the charity you chose" in person.text
    assert "Without a nod, it goes to" in person.open("/settings").text


def test_what_was_put_off_is_not_said_to_be_charged_where_members_top_up_first_now(
    alice, clock, settings
):
    settle(clock)
    settings.MODE = "prepaid"
    person = signed_in(alice).open("/statements/2026-11")
    assert "€1.66 more is not charged: you top up first now." in person.text
    assert "charged only if" not in person.text


def test_what_was_nodded_at_is_paid_by_one_transfer_afterwards(alice, clock):
    settle(clock)
    person = signed_in(alice).open("/month")
    assert "For November you are asked for €3.33, by 11 December" in person.text
    person.open("/top-up")
    assert payins.reference(alice) in person.text
    assert 'value="3.33"' in person.html
    person.open("/statements/2026-11")
    assert "€3.33 is due and not paid yet." in person.text
    assert "€1.66 more is charged only if its makers claim their page" in person.text
    clock.at += timedelta(days=2)
    arrives(alice, "4.00", clock.at)
    person.open("/refund")
    assert "€0.67 can go back now" in person.text
    assert "€3.33 pays what you were asked for." in person.text
    person.send("", amount="0.68", **ACCOUNT)
    assert "0.67 EUR can be paid back now" in person.text
    work()
    assert [earned(name) for name in ("bob", "carol")] == [1_498_500] * 2
    person.open("/statements/2026-11")
    assert "Makers’ part: €3.33." in person.text
    assert "not paid yet" not in person.text
    assert "For November you are asked" not in person.open("/month").text


def test_a_refund_leaves_what_was_asked_for_since_its_page_looked(alice, clock, monkeypatch):
    arrives(alice, "6.00", MID_NOVEMBER)
    clock.at = AFTER_THE_GRACE
    person, refund = signed_in(alice).open("/refund"), payouts.refund

    def asked_meanwhile(**said):
        settlement.settle(month=NOVEMBER, at=clock.at)
        return refund(**said)

    monkeypatch.setattr(payouts, "refund", asked_meanwhile)
    person.send("", amount="4.00", **ACCOUNT)
    assert "2.67 EUR can be paid back now" in person.text
    assert arrears.collect(at=clock.at) == 1


def test_what_waits_is_given_up_on_the_statement(alice, clock):
    settle(clock)
    person = signed_in(alice).open("/statements/2026-11")
    three = settlement.statement(member=alice, month=NOVEMBER).shares[-1].thing
    person.send(f"/statements/2026-11/take-back/{three.id}")
    assert "It is never charged." in person.text
    assert "given up" in person.text


def test_the_dashboard_of_an_open_month_plans_the_budget(alice, clock):
    clock.at = MID_NOVEMBER + timedelta(days=1)
    text = signed_in(alice).open("/month").text
    assert "3 nods, €1.66 each" in text
    assert "bob · one.example" in text
    assert "Top up" in text
    assert "unless you top up" not in text


def test_a_charge_is_asked_for_three_times_and_then_dropped(alice, clock):
    assert clock.mail(THREE_DAYS_BEFORE) == []
    assert clock.close(AT_THE_CLOSE) == []
    first, statement = sorted(clock.settle(), key=lambda one: one.subject)
    assert "November 2026: €3.33 to pay" in first.subject
    assert "https://mickle.example/top-up" in first.body
    assert "List-Unsubscribe" not in first.extra_headers
    assert "You gave €3.33 in November 2026, to 2 pages:" in statement.body
    assert "€3.33 of it is due and not paid yet." in statement.body
    assert "€1.66 more is charged only if its makers claim their page" in statement.body
    assert "Three" not in statement.body
    assert clock.mail() == []
    for words in ("once more", "for the last time"):
        clock.at += timedelta(days=7)
        arrears.ask_again(at=clock.at)
        [again] = clock.mail()
        assert words in again.subject
        assert to([again]) == ["alice"]
    assert "you owe nothing" in again.body
    clock.at += timedelta(days=7)
    arrears.ask_again(at=clock.at)
    assert clock.mail() == []
    assert "not paid" in signed_in(alice).open("/statements/2026-11").text


def told(mailoutbox) -> list[str]:
    return [one.subject for one in mailoutbox if "to pay" in one.subject]


def test_each_mail_says_how_often_was_asked_whichever_second_a_worker_looks_at(
    alice, clock, mailoutbox
):
    settle(clock)
    settled_at, asked = clock.at, []
    for days, seconds in ((7, 40), (14, 5), (14, 65), (21, 50), (21, 110)):
        clock.at = settled_at + timedelta(days=days, seconds=seconds)
        work()
        asked.append(told(mailoutbox)[-1])
    words = ["once more", "once more", *["for the last time"] * 3]
    assert asked == [f"November 2026: €3.33 to pay, {word}" for word in words]
    assert len(told(mailoutbox)) == 3
    assert Charge.objects.get().state == "DROPPED"


def test_after_a_standstill_a_member_is_asked_once_and_once_more_for_the_last_time(
    alice, clock, mailoutbox
):
    settle(clock)
    clock.at += timedelta(days=90)
    asked = []
    for _day in range(16):
        work()
        asked.append(told(mailoutbox))
        clock.at += timedelta(days=1)
    words = ["to pay", "to pay, once more", "to pay, for the last time"]
    assert asked[0] == [f"November 2026: €3.33 {word}" for word in words[:2]]
    assert asked[6] == asked[0]
    assert asked[-1] == [f"November 2026: €3.33 {word}" for word in words]


def test_nobody_is_asked_for_what_is_there(alice, clock):
    arrives(alice, "3.33", MID_NOVEMBER)
    clock.at = AFTER_THE_GRACE
    settlement.settle(month=NOVEMBER, at=clock.at)
    assert [one.subject for one in clock.mail()] == ["Your statement of November 2026"]


def test_play_money_pays_by_itself(alice, clock):
    Instance.objects.update(kind="DEMO")
    settle(clock)
    for _minute in range(3):
        clock.at += timedelta(minutes=1)
        work()
    assert Charge.objects.get().state == "PAID"
    assert earned("bob") == 1_498_500


def test_a_maker_who_leaves_is_paid_what_was_charged_for_them(alice, clock):
    settle(clock)
    bob = Member.objects.get(username="bob")
    closing.close(member=bob, at=clock.at, open_nods="take_back", **ACCOUNT)
    bob.refresh_from_db()
    assert bob.closed_at is None
    clock.at += timedelta(days=1)
    arrives(alice, "3.33", clock.at)
    for _turn in range(2):
        work()
        clock.at += timedelta(minutes=30)
    bob.refresh_from_db()
    assert bob.closed_at is not None


def test_a_giver_who_leaves_owes_nothing(alice, clock):
    settle(clock)
    closing.close(member=alice, at=clock.at, open_nods="take_back", **ACCOUNT)
    alice.refresh_from_db()
    assert alice.closed_at is not None
    assert Charge.objects.get().state == "DROPPED"


def test_a_giver_who_leaves_pays_from_what_is_there_first(alice, clock):
    arrives(alice, "10.00", MID_NOVEMBER)
    clock.at = AFTER_THE_GRACE
    settlement.settle(month=NOVEMBER, at=clock.at)
    closing.close(member=alice, at=clock.at, open_nods="take_back", **ACCOUNT)
    for _turn in range(2):
        work()
        clock.at += timedelta(minutes=30)
    alice.refresh_from_db()
    assert alice.closed_at is not None
    assert earned("bob") == 1_498_500


def test_an_operator_sees_what_is_asked_for_and_what_was_paid(alice, clock):
    olga = member("olga")
    members.set_operator(member=olga, is_operator=True)
    settle(clock)
    text = signed_in(olga).open("/operator/months/2026-11").text
    assert "asked for, not paid yet 1 €3.33" in text
    arrives(alice, "3.33", clock.at)
    clock.at += timedelta(minutes=2)
    work()
    text = signed_in(olga).open("/operator/months/2026-11").text
    assert "paid, and passed on to makers 1 €3.33" in text


def test_a_maker_sees_what_has_arrived(alice, clock):
    settle(clock)
    bob = Member.objects.get(username="bob")
    assert "1.4985" not in signed_in(bob).open("/revenue").text
    arrives(alice, "3.33", clock.at)
    clock.at += timedelta(minutes=2)
    work()
    assert "€1.49" in signed_in(bob).open("/revenue").text
