"""The whole story over HTTP: from the one-time link to the payment file."""

import re

import pytest
from django.core import mail

from mickle.instance import instance
from mickle.ledger import ledger
from mickle.lib import months
from mickle.members.models import Member
from mickle.payouts.models import Payout
from mickle.things.models import Thing
from tests.people import EUR
from tests.web.browsing import Person

pytestmark = pytest.mark.django_db


def operator(kind: str = "DEMO") -> Person:
    person = Person.new().open(f"/setup/{instance.new_setup_token()}")
    return person.send("", email="ines@example.org", name="Ines", kind=kind)


def maker(number: int, ines: Person) -> Person:
    person = Person.new().sign_up(f"maker-{number}@example.org")
    person.open("/mine/add").send(
        "",
        url=f"https://work-{number}.example/",
        title=f"Work {number}",
        category="text",
        note="My name stands on it.",
    )
    claim = re.search(r'action="(/operator/claims/\d+)"', ines.open("/operator/claims").html)[1]
    ines.send(claim, deed="grant")
    person.open("/top-up").send("/top-up/play", amount="2.00")
    return person


def move_to(ines: Person, month: int, day: int) -> None:
    at = months.start(month).replace(day=day)
    ines.open("/operator/clock").send("", to=f"{at:%Y-%m-%dT%H:%M}")


def test_a_month_from_the_first_nod_to_the_payout() -> None:
    ines = operator()
    assert "Demo with play money." in ines.text
    month = instance.open_month()
    makers = [maker(number, ines) for number in range(11)]
    alice = Person.new()
    things = list(Thing.objects.order_by("id"))
    alice.open("/nod", url=things[0].url).send("/nod")
    assert "is kept for 30 minutes" in alice.text
    alice.open("/sign-up").send("", email="alice@example.org")
    assert "its mail goes nowhere" in alice.text
    code = re.search(r'id="shown-code">([^<]+)<', alice.html)[1]
    assert code in mail.outbox[-1].body
    alice.send("", code=code)
    assert alice.address == f"/nod/{things[0].id}/done"
    assert "Nodded. Your funds are empty." in alice.text
    alice.open("/top-up").send("/top-up/play", amount="5.00")
    for thing in things[1:10]:
        alice.open("/nod", url=thing.url).send("/nod")
        assert "Nodded. Thank you." in alice.text
    assert "10 nods, €0.50 each" in alice.open("/month").text

    move_to(ines, month + 1, 4)
    assert "Settle" in ines.open("/operator").text
    ines.send(f"/operator/months/{months.text(month)}/settle")
    assert "0.000000" in ines.text
    assert "is empty to the last millionth" in ines.text

    statement = alice.open(f"/statements/{months.text(month)}")
    assert "10 nods, one coin of €5.00" in statement.text
    assert statement.html.count('<data value="500000">') == 10
    for person in makers[:10]:
        assert "brought €0.45 after the fee" in person.open("/revenue").text
    assert "Nothing has been settled for your pages yet" in makers[10].open("/revenue").text


def test_an_owner_withdraws_and_keeps_less_than_a_cent() -> None:
    ines = operator()
    bob = Person.new().sign_up("bob@example.org")
    ledger.post(
        key="earned",
        debit=ledger.PROVIDER,
        credit=ledger.revenue(bob.member.id),
        amount_micros=12_345_678,
        reason="TEST",
        at=instance.now(),
    )
    bob.open("/withdraw")
    assert bob.address == "/withdraw/account"
    bob.send("", holder_name="Bob Maker", iban="DE02120300000000202052", minimum="")
    assert "check digits do not fit this IBAN" in bob.text
    bob.send("", holder_name="Bob Maker", iban="DE02 1203 0000 0000 2020 51", minimum="")
    assert bob.address == "/withdraw"
    bob.send("", amount="12.35")
    assert "You can withdraw 12.34 EUR at most" in bob.text
    bob.send("", amount="12.34")
    assert "0.005678 EUR stays here" in bob.text
    confirm = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', bob.html))
    bob.send("", deed="confirm")
    bob.client.post("/withdraw", {**confirm, "deed": "confirm"})
    assert Payout.objects.get().amount_micros == EUR("12.34")

    ines.open("/operator/payouts").send("/operator/payouts/make-file")
    path = re.search(r'href="(/operator/payouts/files/\d+\.xml)"', ines.html)[1]
    assert b"12.34" in ines.client.get(path).content
    ines.send(path.removesuffix(".xml"))
    assert Payout.objects.get().state == Payout.State.EXECUTED
    assert ledger.balance(ledger.revenue(bob.member.id)) == 5_678


def test_a_payout_that_the_bank_sends_back_is_earned_again() -> None:
    ines = operator()
    bob = Person.new().sign_up("bob@example.org")
    ledger.post(
        key="earned",
        debit=ledger.PROVIDER,
        credit=ledger.revenue(bob.member.id),
        amount_micros=EUR("20.00"),
        reason="TEST",
        at=instance.now(),
    )
    bob.open("/withdraw/account").send(
        "", holder_name="Bob", iban="DE02120300000000202051", minimum="15"
    )
    bob.send("", amount="20").send("", deed="confirm")
    ines.open("/operator/payouts").send("/operator/payouts/make-file")
    payout = Payout.objects.get()
    ines.send(f"/operator/payouts/{payout.id}", deed="failed")
    assert "failed at the bank" in ines.text
    assert "€20.00" in bob.open("/revenue").text
    assert "Earned this month: €20.00" in bob.open("/month").text


def test_the_setup_link_works_once() -> None:
    token = instance.new_setup_token()
    first, second = Person.new().open(f"/setup/{token}"), Person.new().open(f"/setup/{token}")
    first.send("", email="ines@example.org", kind="REAL")
    assert first.address == "/operator"
    second.send("", email="eve@example.org", kind="REAL")
    assert second.page.status_code == 404
    assert Member.objects.filter(is_operator=True).count() == 1


def test_an_instance_with_members_is_not_made_a_demo() -> None:
    person = Person.new().open(f"/setup/{instance.new_setup_token()}")
    assert "Trying it out" in person.text
    # Somebody joins and pays while the form is open.
    alice = Person.new().sign_up("alice@example.org").member
    person.send("", email="ines@example.org", kind="DEMO")
    assert instance.here().is_real
    assert Member.objects.filter(is_operator=True).exclude(id=alice.id).count() == 1
    person = Person.new().open(f"/setup/{instance.new_setup_token()}")
    assert "Trying it out" not in person.text


def test_the_clock_of_a_real_instance_stands() -> None:
    ines = operator(kind="REAL")
    assert "cannot be moved" in ines.open("/operator/clock").text
    assert "Demo" not in ines.text
