"""A giver's pages over HTTP: topping up, this month, statements, refunds."""

import csv
import io
import re

import pytest

from mickle.instance import instance
from mickle.ledger import ledger
from mickle.lib import months
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.nods.models import Nod
from mickle.payins import payins
from mickle.payouts.models import Payout
from mickle.settlement import settlement
from mickle.things.models import Thing
from tests.people import EUR, MID_NOVEMBER, NOVEMBER, creator, instance_at, member, thing, top_up
from tests.web.browsing import Person, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> Member:
    """Somebody of a demo whose month is this one."""
    instance_at(months.text(instance.open_month()), kind="DEMO")
    return members.join(email="alice@example.org", username="alice", at=instance.now())


@pytest.fixture
def settled() -> Member:
    """Somebody with a settled November: two shares paid, one waiting."""
    instance_at("2026-11", kind="TEST")
    alice = member("alice", funds="10.00")
    for name, owner in (("one", creator("bob")), ("two", creator("carol")), ("three", None)):
        nods.give(member=alice, thing=thing(name, owner), at=months.start(NOVEMBER))
    instance.move_clock(to=max(months.end(NOVEMBER + 1), instance.now()).replace(microsecond=1))
    settlement.settle(month=NOVEMBER, at=instance.now())
    return alice


def test_the_top_up_page_shows_the_transfer_and_its_code(alice: Member) -> None:
    person = signed_in(alice).open("/top-up", amount="12.50")
    assert payins.reference(alice) in person.text
    assert "DE02 1203 0000 0000 2020 51" in person.text
    assert 'class="qr"' in person.html


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("0", "The amount has to be more than nothing."),
        ("-1", "is not an amount"),
        ("5.001", "Whole cents"),
        ("601", "Funds go up to €600.00."),
    ],
)
def test_a_top_up_that_is_none_books_nothing(alice: Member, typed: str, sentence: str) -> None:
    person = signed_in(alice)
    assert sentence in person.open("/top-up", amount=typed).text
    person.open("/top-up").send("/top-up/play", amount=typed)
    assert sentence in person.text
    assert f'name="amount" value="{typed}"' in person.html
    assert ledger.balance(ledger.funds(alice.id)) == 0


def test_no_transfer_is_shown_that_would_not_fit_into_the_funds(alice: Member) -> None:
    top_up(alice, "590.01")
    person = signed_in(alice)
    assert "QR code" not in person.open("/top-up", amount="10.00").html
    assert "Funds go up to €600.00. Choose less." in person.text
    assert 'class="qr"' in person.open("/top-up", amount="9.99").html
    # Twice the budget would be offered.
    assert 'value="9.99"' in person.open("/top-up").html
    top_up(alice, "9.99")
    assert "Funds go up to €600.00. Choose less." in person.open("/top-up").text


def test_play_money_sent_twice_is_booked_once(alice: Member) -> None:
    person = signed_in(alice).open("/top-up")
    form = person.html
    person.send("/top-up/play", amount="5")
    assert "€5.00 of play money is yours to give." in person.text
    key = form.split('name="key" value="')[1].split('"')[0]
    token = form.split('csrfmiddlewaretoken" value="')[1].split('"')[0]
    person.client.post("/top-up/play", {"amount": "5", "key": key, "csrfmiddlewaretoken": token})
    assert ledger.balance(ledger.funds(alice.id)) == EUR("5.00")


def test_a_form_that_names_itself_by_what_nobody_keeps_books_nothing(alice: Member) -> None:
    person = signed_in(alice).open("/top-up")
    for key in ("a\x00b", "", "x" * 33):
        person.open("/top-up").send("/top-up/play", amount="5", key=key)
        assert person.page.status_code == 200
        assert 'role="alert"' in person.html
    assert ledger.balance(ledger.funds(alice.id)) == 0


def test_this_month_explains_itself_before_anything_was_done(alice: Member) -> None:
    person = signed_in(alice).open("/month")
    assert "Nothing nodded at yet" in person.text
    assert "Fill your coin" in person.text


def test_an_address_typed_in_leads_to_the_nod_page(alice: Member) -> None:
    person = signed_in(alice).open("/month/add").send("", url=" https://blog.example/x ")
    assert person.address == "/nod"
    assert Nod.objects.count() == 0


def test_what_is_no_address_is_said_where_it_was_typed(alice: Member) -> None:
    person = signed_in(alice).open("/month/add").send("", url="blog")
    assert person.address == "/month/add"
    assert "This is not a whole address. Begin with https://." in person.text
    assert 'value="blog"' in person.html
    # What is asked for where nothing was typed is taken.
    asked = person.send("", url="").text
    example = re.search(r"Type a web address, for example (\S+)\.", asked)[1]
    assert person.send("", url=example).address == "/nod"


def test_the_statement_names_every_share_and_adds_up(settled: Member) -> None:
    person = signed_in(settled).open("/statements/2026-11")
    assert "November: 3 nods, one coin of €5.00" in person.text
    assert "Makers’ part: €3.33" in person.text
    assert "€1.66 waits for makers" in person.text
    rows = list(csv.DictReader(io.StringIO(_body(person, "/statements/2026-11.csv"))))
    assert [row["share"] for row in rows] == ["1.666667", "1.666667", "1.666666"]
    assert [row["state"] for row in rows] == ["paid", "paid", "waiting"]
    found = person.client.get("/statements/2026-11.json").json()
    assert sum(share["amount_micros"] for share in found["shares"]) == found["spend_micros"]


def test_the_statement_of_an_open_month_is_a_forecast() -> None:
    instance_at("2026-11", kind="TEST")
    month = instance.open_month()
    name = months.text(month)
    alice = member("alice", funds="10.00")
    person = signed_in(alice).open(f"/statements/{name}")
    assert "You have nodded at nothing, so nothing would be given." in person.text
    members.list_charity(slug="library", name="Library")
    assert "€5.00 would go to Library" in person.open(f"/statements/{name}").text
    for page in (thing("one", creator("bob")), thing("two")):
        nods.give(member=alice, thing=page, at=instance.now())
    text = person.open(f"/statements/{name}").text
    assert "2 nods, one coin of €5.00" in text
    assert "This is a forecast" in text
    assert "€2.50 would wait for makers" in text
    assert "would be paid" in text
    assert "A top-up until" in text
    assert 'action="/statements' not in person.html
    assert person.client.get(f"/statements/{name}.json").json()["forecast"] is True
    files = person.client.get(f"/statements/{name}.csv")
    assert f'"forecast-{name}.csv"' in files["Content-Disposition"]


def _body(person: Person, path: str) -> str:
    return person.client.get(path).content.decode()


def test_what_waits_is_taken_back_to_the_funds(settled: Member) -> None:
    before = ledger.balance(ledger.funds(settled.id))
    person = signed_in(settled).open("/statements/2026-11")
    waiting = settlement.statement(member=settled, month=NOVEMBER).shares[2].thing
    person.send(f"/statements/2026-11/take-back/{waiting.id}")
    assert "€1.66 came back to your funds." in person.text
    assert ledger.balance(ledger.funds(settled.id)) == before + 1_666_666
    assert ledger.balance(ledger.waiting(settled.id)) == 0


def test_nobody_else_reads_a_statement(settled: Member) -> None:
    other = signed_in(member("charlie")).open("/statements/2026-11")
    assert "three" not in other.text.lower().split("every slice")[-1]
    assert "one coin" not in other.text
    assert "€1.66" not in other.text


@pytest.mark.parametrize("month", ["2026-10", "2030-01", "2026-13", "0000-01", "nothing"])
def test_a_month_that_is_none_is_not_found(settled: Member, month: str) -> None:
    person = signed_in(settled)
    assert person.open(f"/statements/{month}").page.status_code == 404
    assert person.open(f"/statements/{month}.csv").page.status_code == 404


def test_a_formula_in_a_title_is_text_in_the_csv(settled: Member) -> None:
    found = settlement.statement(member=settled, month=NOVEMBER).shares[0].thing
    Thing.objects.filter(id=found.id).update(title="=HYPERLINK(1)")
    assert "'=HYPERLINK(1)" in _body(signed_in(settled), "/statements/2026-11.csv")


def test_funds_come_back_at_par(alice: Member) -> None:
    payins.play(member=alice, amount_micros=EUR("20.00"), at=instance.now())
    person = signed_in(alice).open("/refund")
    assert "€20.00 can go back now" in person.text
    person.send("", amount="20.01", iban="DE02120300000000202051", holder_name="Alice")
    assert "20.00 EUR can be paid back now" in person.text
    person.send("", amount="7.50", iban="DE02120300000000202051", holder_name="Alice")
    assert Payout.objects.get().amount_micros == EUR("7.50")
    assert ledger.balance(ledger.funds(alice.id)) == EUR("12.50")


def test_funds_that_came_by_transfer_go_back_there_whatever_is_typed(alice: Member) -> None:
    payins.book(
        amount_micros=EUR("20.00"),
        key="entry-1",
        at=instance.now(),
        reference=payins.reference(alice),
        payer_name="Alice Giver",
        payer_account="DE89370400440532013000",
    )
    person = signed_in(alice).open("/refund")
    assert "It goes to Alice Giver, DE89 3704 0044 0532 0130 00" in person.text
    assert 'name="iban"' not in person.html
    person.client.handler.enforce_csrf_checks = False
    person.client.post(
        "/refund",
        {
            "amount": "20.00",
            "key": "1",
            "iban": "DE02120300000000202051",
            "holder_name": "A Thief",
        },
    )
    row = Payout.objects.get()
    assert (row.iban, row.holder_name) == ("DE89370400440532013000", "Alice Giver")


def test_a_public_page_tells_no_amount_under_three_givers(settled: Member) -> None:
    waiting = settlement.statement(member=settled, month=NOVEMBER).shares[2].thing
    assert "1 nod until somebody shows" in Person.new().open(f"/thing/{waiting.id}").text


def test_the_nods_of_a_month_stand_newest_first() -> None:
    instance_at("2026-11", kind="TEST")
    ada = member("ada")
    for day, name in ((9, "ninth"), (17, "last"), (5, "first")):
        nods.give(member=ada, thing=thing(name), at=MID_NOVEMBER.replace(day=day))
    text = signed_in(ada).open("/nods", month="2026-11").text
    assert text.index("Last") < text.index("Ninth") < text.index("First")
