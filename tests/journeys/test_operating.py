"""An operator's pages over HTTP: cash desk, months, charities, people, books."""

import csv
import io

import pytest

from mickle.instance import instance
from mickle.ledger import ledger
from mickle.lib import months
from mickle.members import members
from mickle.members.models import Charity, Invite, Member
from mickle.nods import nods
from mickle.payins import payins
from mickle.payins.models import Payin
from mickle.payouts.models import Payout
from mickle.settlement import settlement
from mickle.things import things
from mickle.things.models import Thing
from tests.people import EUR, creator, instance_at, member, thing
from tests.web.browsing import Person, signed_in

pytestmark = pytest.mark.django_db
IBAN = "DE02120300000000202051"


@pytest.fixture
def ines() -> Person:
    instance_at(months.text(instance.open_month()), kind="TEST")
    return signed_in(members.join(email="ines@example.org", at=instance.now(), is_operator=True))


def book(ines: Person, reference: str, key: str = "B-1", amount: str = "5.00") -> Person:
    return ines.open("/operator/cash-desk").send(
        "", amount=amount, reference=reference, key=key, payer_name="Alice", payer_account=IBAN
    )


def test_a_known_reference_fills_the_members_funds_once(ines: Person) -> None:
    alice = member("alice")
    book(ines, payins.reference(alice))
    assert "€5.00 booked for alice." in ines.text
    book(ines, payins.reference(alice))
    assert "booked before, so nothing was booked now" in ines.text
    assert ledger.balance(ledger.funds(alice.id)) == EUR("5.00")


def test_a_wrong_reference_waits_until_it_is_assigned(ines: Person) -> None:
    alice = member("alice")
    book(ines, "rent for May")
    assert "names no member" in ines.text
    payin = Payin.objects.get()
    ines.send(f"/operator/cash-desk/{payin.id}/assign", member="nobody")
    assert "No member has this name" in ines.text
    # Whoever has no address has an empty one.
    Member.objects.filter(id=member("bob").id).update(email="")
    ines.send(f"/operator/cash-desk/{payin.id}/assign", member=" ")
    assert "No member has this name" in ines.text
    ines.send(f"/operator/cash-desk/{payin.id}/assign", member="alice@example.org")
    assert ledger.balance(ledger.funds(alice.id)) == EUR("5.00")


def test_a_wrong_reference_is_sent_back(ines: Person) -> None:
    book(ines, "rent for May")
    payin = Payin.objects.get()
    ines.open(f"/operator/cash-desk/{payin.id}/send-back")
    ines.send("", holder_name="Alice", iban="DE02120300000000202052")
    assert "check digits" in ines.text
    ines.send("", holder_name="Alice", iban=IBAN)
    assert Payout.objects.get().kind == Payout.Kind.RETURN


def test_a_first_top_up_pays_out_what_waited_for_a_maker(ines: Person) -> None:
    bob, alice = member("bob"), member("alice", funds="5.00")
    month = instance.open_month()
    nods.give(member=alice, thing=thing("page", bob), at=instance.now())
    instance.move_clock(to=months.end(month))
    settlement.settle(month=month, at=instance.now())
    assert ledger.balance(ledger.revenue(bob.id)) == 0
    book(ines, payins.reference(bob), amount="2.00")
    assert ledger.balance(ledger.revenue(bob.id)) == EUR("4.50")


@pytest.mark.parametrize("amount", ["0", "-3", "1.001", "much"])
def test_an_amount_that_is_none_books_nothing(ines: Person, amount: str) -> None:
    book(ines, "x", amount=amount)
    assert 'aria-invalid="true"' in ines.html
    assert Payin.objects.count() == 0


def test_an_open_month_is_neither_closed_nor_settled(ines: Person) -> None:
    month = instance.open_month()
    ines.open("/operator").send("/operator/months/close")
    assert "has not ended" in ines.text
    token = ines.html.split('csrfmiddlewaretoken" value="')[1].split('"')[0]
    for wanted, sentence in (
        (month, "has not ended"),
        (month + 1, "has not ended"),
        (month - 1, "before the first month"),
    ):
        path = f"/operator/months/{months.text(wanted)}/settle"
        ines.page = ines.client.post(path, {"csrfmiddlewaretoken": token}, follow=True)
        assert sentence in ines.text
    assert ines.client.post("/operator/months/2026-13/settle").status_code == 404
    assert instance.state(month) == "open"


def test_a_month_is_settled_once(ines: Person) -> None:
    month = instance.open_month()
    token = ines.open("/operator").html.split('csrfmiddlewaretoken" value="')[1].split('"')[0]
    instance.move_clock(to=months.end(month))
    path = f"/operator/months/{months.text(month)}/settle"
    for sentence in ("is settled: 0 members gave €0.00", "is settled already"):
        ines.page = ines.client.post(path, {"csrfmiddlewaretoken": token}, follow=True)
        assert sentence in ines.text


def test_one_of_anything_is_said_in_the_singular(ines: Person) -> None:
    month = instance.open_month()
    nods.give(member=member("alice", funds="5.00"), thing=thing("page"), at=instance.now())
    instance.move_clock(to=months.end(month))
    ines.open("/operator").send("/operator/months/close")
    ines.send(f"/operator/months/{months.text(month)}/settle")
    assert "is settled: 1 member gave €5.00, and nothing" in ines.text
    assert "1 member, 1 nod" in ines.text
    assert "1 page nobody may receive for" in ines.text


def test_the_clock_goes_forward_only_and_closes_what_has_ended(ines: Person) -> None:
    month = instance.open_month()
    ines.open("/operator/clock").send("", to="2020-01-01T00:00")
    assert "A clock only goes forward." in ines.text
    ines.send("", to=f"{months.end(month):%Y-%m-%dT%H:%M}")
    assert instance.here().closed_through == month


def test_charities_are_listed_paid_and_taken_off(ines: Person) -> None:
    ines.open("/operator/charities").send("", name="Sea rescue", slug="sea", iban=IBAN)
    sea = Charity.objects.get()
    assert sea.is_default
    ledger.post(
        key="gift",
        debit=ledger.PROVIDER,
        credit=ledger.charity(sea.id),
        amount_micros=EUR("7.00"),
        reason="TEST",
        at=instance.now(),
    )
    ines.open("/operator/charities").send(f"/operator/charities/{sea.id}", deed="unlist")
    assert Payout.objects.get().amount_micros == EUR("7.00")
    assert not Charity.objects.get().listed


def test_people_are_found_invited_and_suspended_but_their_nods_stay_theirs(ines: Person) -> None:
    bob = creator("bob")
    ines.open("/operator/people", q="bob@example.org")
    assert "bob" in ines.text
    ines.send(f"/operator/people/{bob.id}/suspend", deed="suspend")
    assert Member.objects.get(id=bob.id).suspended_at is not None
    ines.open("/operator/people").send("/operator/people/invite", uses="3")
    assert Invite.objects.get().uses_left == 3


def test_another_member_is_made_operator_and_ended_but_nobody_by_themselves(ines: Person) -> None:
    bob = member("bob")
    ines.open("/operator/people")
    assert f"/operator/people/{ines.member.id}/operator" not in ines.html
    ines.send(f"/operator/people/{bob.id}/operator", deed="make")
    assert signed_in(bob).open("/operator").page.status_code == 200
    token = ines.html.split('csrfmiddlewaretoken" value="')[1].split('"')[0]
    fields = {"csrfmiddlewaretoken": token, "deed": "end"}
    own = f"/operator/people/{ines.member.id}/operator"
    ines.page = ines.client.post(own, fields, follow=True)
    assert "Another operator does this for you." in ines.text
    ines.send(f"/operator/people/{bob.id}/operator", deed="end")
    assert signed_in(bob).open("/operator").page.status_code == 404


def test_a_fee_is_announced_two_months_before_and_the_terms_name_it(ines: Person) -> None:
    month = instance.open_month()
    ines.open("/operator/fee")
    assert "No other rate is announced." in ines.text
    for percent, first, sentence in (
        ("12.5", month + 2, "two months before"),
        ("12.555", month + 3, "up to two decimals"),
        ("101", month + 3, "at most 100 %"),
        ("", month + 3, "Type a percentage"),
    ):
        ines.send("", percent=percent, from_month=months.text(first))
        assert sentence in ines.text
        assert "No other rate is announced." in ines.text
    ines.send("", percent="12.34 %", from_month="soon")
    assert 'id="id_from_month_error"' in ines.html
    ines.send("", percent="12.34 %", from_month=months.text(month + 3))
    assert "Announced: 12.34 % from" in ines.text
    assert instance.fee_basis_points(month + 2) == 1_000
    assert instance.fee_basis_points(month + 3) == 1_234
    assert "on it is 12.34 %." in Person.new().open("/terms").text


def test_a_page_is_taken_down_after_a_question_and_put_back(ines: Person) -> None:
    found = thing("page")
    assert "Take down" not in signed_in(member("alice")).open(f"/thing/{found.id}").text
    ines.open(f"/thing/{found.id}")
    assert f'href="/operator/things/{found.id}/take-down"' in ines.html
    ines.open(f"/operator/things/{found.id}/take-down")
    assert "Take down <bdi>Page</bdi>?" in ines.html
    assert things.find(url=found.url).state == Thing.State.ACTIVE
    ines.send("")
    assert "was taken down here" in ines.text
    assert "Nothing found" in Person.new().open("/catalogue").text
    ines.send(f"/operator/things/{found.id}/put-back")
    assert "was taken down here" not in ines.text
    things.refuse(thing=found, at=instance.now())
    ines.open(f"/operator/things/{found.id}/take-down").send("")
    assert "refused or merged for ever" in ines.text


def test_the_books_are_audited_and_taken_away(ines: Person) -> None:
    alice = member("alice")
    book(ines, payins.reference(alice))
    assert "fails" not in ines.open("/operator/books", audit="yes").text
    month = months.text(instance.open_month())
    journal = ines.client.get(f"/operator/books/{month}/journal.csv").content.decode()
    assert [row["amount"] for row in csv.DictReader(io.StringIO(journal))] == ["5.000000"]
    trial = ines.client.get(f"/operator/books/{month}/trial-balance.csv").content.decode()
    balances = {row["account"]: row["balance"] for row in csv.DictReader(io.StringIO(trial))}
    assert (balances["FUNDS"], balances["PROVIDER"]) == ("5.000000", "-5.000000")
