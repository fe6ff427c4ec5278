"""A maker's pages over HTTP: adding, claiming, describing, refusing, earning."""

import csv
import io
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.conf import LazySettings

from mickle.claims.models import Claim
from mickle.instance import instance
from mickle.ledger import ledger
from mickle.lib import months
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.payouts import payouts
from mickle.settlement import settlement
from mickle.things.models import Thing
from mickle.web import charts, snippets
from tests.people import EUR, NOVEMBER, creator, instance_at, member, thing
from tests.web.browsing import Person, signed_in

pytestmark = pytest.mark.django_db
FACTS = snippets.Facts(pages="", button="", url="https://mine.example/", thing_id=1)


@pytest.fixture
def bob() -> Member:
    instance_at(months.text(instance.open_month()), kind="DEMO")
    return members.join(email="bob@example.org", username="bob", at=instance.now())


@pytest.fixture
def ines(bob: Member) -> Person:
    who = members.join(email="ines@example.org", at=instance.now(), is_operator=True)
    return signed_in(who)


def add(person: Person, url: str = "https://work.example/") -> Person:
    return person.open("/mine/add").send(
        "", url=url, title="My work", category="text", tags="ink, paper", note="Name in the imprint"
    )


def test_what_is_added_is_claimed_and_shown_as_undecided(bob: Member) -> None:
    person = add(signed_in(bob))
    assert person.address == f"/thing/{Thing.objects.get().id}"
    assert "You said that this is yours." in person.text
    assert Claim.objects.get().state == Claim.State.OPEN
    assert "being looked at" in person.open("/mine").text


def test_a_bad_address_is_told_at_its_field(bob: Member) -> None:
    person = add(signed_in(bob), url="javascript:alert(1)")
    assert 'id="id_url_error"' in person.html
    assert Thing.objects.count() == 0


def test_a_granted_claim_pays_out_what_waited(bob: Member, ines: Person) -> None:
    members.note_top_up(member=bob, amount_micros=EUR("2.00"), month=instance.open_month())
    found = thing("page")
    alice = member("alice", funds="5.00")
    month = instance.open_month()
    nods.give(member=alice, thing=found, at=instance.now())
    instance.move_clock(to=months.end(month))
    settlement.settle(month=month, at=instance.now())
    signed_in(bob).open(f"/thing/{found.id}").send(f"/thing/{found.id}/claim", note="It is mine")
    ines.open("/operator/claims")
    assert "It is mine" in ines.text
    ines.send(f"/operator/claims/{Claim.objects.get().id}", deed="grant")
    assert ledger.balance(ledger.revenue(bob.id)) == EUR("4.50")
    assert "€4.50" in signed_in(bob).open("/revenue").text


def test_a_refused_claim_changes_no_owner(bob: Member, ines: Person) -> None:
    add(signed_in(bob))
    ines.open("/operator/claims").send(f"/operator/claims/{Claim.objects.get().id}", deed="refuse")
    assert Thing.objects.get().owner is None
    assert "not granted" in signed_in(bob).open("/mine").text


def test_only_the_owner_describes_a_thing(bob: Member) -> None:
    mine = thing("mine", bob)
    person = signed_in(bob).open(f"/thing/{mine.id}/edit")
    person.send("", title="New title", category="audio", language="de_DE", tags="a, b")
    assert "New title" in person.text
    assert Thing.objects.get().tags == ["a", "b"]
    other = signed_in(member("charlie")).open(f"/thing/{mine.id}/edit")
    assert other.page.status_code == 404


def test_what_is_left_out_of_the_catalogue_still_has_its_page(bob: Member) -> None:
    mine = thing("mine", bob)
    person = signed_in(bob).open(f"/thing/{mine.id}/edit")
    person.send("", title="Mine", category="text", hidden="on")
    assert "Put this button somewhere" in Person.new().open(f"/thing/{mine.id}").text
    assert "Nothing found" in Person.new().open("/catalogue").text


def test_refusing_nods_takes_a_tick_and_is_for_ever(bob: Member) -> None:
    mine = thing("mine", bob)
    person = signed_in(bob).open(f"/thing/{mine.id}/edit").send(f"/thing/{mine.id}/refuse")
    assert "Tick the box" in person.text
    person.send(f"/thing/{mine.id}/refuse", sure="yes")
    assert "Its maker does not want nods" in person.text


def test_revenue_shows_months_and_sums_things_with_few_givers() -> None:
    instance_at("2026-11", kind="TEST")
    bob = creator("bob")
    pages = [thing("loud", bob), thing("quiet", bob)]
    for name in ("a", "b", "c"):
        giver = member(name, funds="5.00")
        nods.give(member=giver, thing=pages[0], at=months.start(NOVEMBER))
        if name == "a":
            nods.give(member=giver, thing=pages[1], at=months.start(NOVEMBER))
    at = months.end(NOVEMBER)
    settlement.settle(month=NOVEMBER, at=at)
    person = signed_in(bob).open("/revenue")
    assert "November 2026 brought €13.50 after the fee." in person.text
    assert "fewer than three givers each" in person.text
    assert "Quiet" not in person.text
    rows = list(
        csv.DictReader(io.StringIO(person.client.get("/revenue/2026-11.csv").content.decode()))
    )
    assert [(row["title"], row["gross"], row["fee"]) for row in rows] == [
        ("Loud", "12.500000", "1.250000"),
        ("other", "2.500000", "0.250000"),
    ]


def test_nods_a_day_count_others_at_ones_own_pages_by_day_in_utc() -> None:
    instance_at("2026-11", kind="TEST")
    bob = creator("bob")
    mine, theirs = thing("mine", bob), thing("theirs", creator("eve"))
    for name, at in (
        ("a", datetime(2026, 11, 3, 23, 59, tzinfo=UTC)),
        ("b", datetime(2026, 11, 4, tzinfo=UTC)),
        ("c", datetime(2026, 11, 9, 12, tzinfo=UTC)),
    ):
        giver = member(name)
        nods.give(member=giver, thing=mine, at=at)
        nods.give(member=giver, thing=theirs, at=at)
    # Given at midnight, when October had just been closed.
    nods.give(member=member("d"), thing=mine, at=months.start(NOVEMBER) - timedelta(seconds=1))
    nods.give(member=member("e"), thing=mine, at=datetime(2026, 11, 9, tzinfo=UTC))
    now = datetime(2026, 11, 20, 7, tzinfo=UTC)
    days = charts.nods_a_day(owner=bob, month=NOVEMBER, now=now)
    assert len(days.counts) == 20
    assert {place + 1: count for place, count in enumerate(days.counts) if count} == {
        1: 1,
        3: 1,
        4: 1,
        9: 2,
    }
    assert (days.total, days.most, days.peak) == (5, 2, datetime(2026, 11, 9, tzinfo=UTC))
    assert [bar.label for bar in days.bars if bar.label] == ["1", "8", "15", "20", "30"]
    assert [place + 1 for place, bar in enumerate(days.bars) if bar.kind == "now"] == [20]
    assert len(days.bars) == 30


def test_the_chart_of_days_says_its_peak_in_words_and_stands_in_a_table_too(bob: Member) -> None:
    mine = thing("mine", bob)
    person = signed_in(bob)
    assert "Nods a day" not in person.open("/revenue").text
    for name in ("a", "b"):
        nods.give(member=member(name), thing=mine, at=instance.now())
    person.open("/revenue")
    today = f"{instance.now():%-d %B}"
    assert f"2 so far, most on {today}: 2." in person.text
    assert '<rect class="b now"' in person.html
    assert f'<th scope="row">{today}</th><td class="n">2</td>' in person.html


def test_what_was_earned_moves_to_what_can_be_given(bob: Member) -> None:
    ledger.post(
        key="earned",
        debit=ledger.PROVIDER,
        credit=ledger.revenue(bob.id),
        amount_micros=3_456_789,
        reason="TEST",
        at=instance.now(),
    )
    person = signed_in(bob).open("/revenue")
    assert "Possible from €10.00." in person.text
    # A letter that PostgreSQL keeps nowhere names nothing, and is no fault of ours.
    assert person.send("/revenue/to-funds", key="a\x00b").page.status_code == 200
    assert "€3.45 is now yours to give." in person.text
    assert ledger.balance(ledger.revenue(bob.id)) == 6_789


def test_what_stays_is_less_than_the_smallest_coin_of_the_currency(bob: Member, settings) -> None:
    settings.CURRENCY, settings.CURRENCY_DECIMALS = "JPY", 0
    fan = member("fan", funds="2000.00")
    ledger.post(
        key="earned",
        debit=ledger.funds(fan.id),
        credit=ledger.revenue(bob.id),
        amount_micros=1_500_900_000,
        reason="SHARE",
        at=instance.now(),
    )
    payouts.set_account(member=bob, iban="DE02120300000000202051", holder_name="Bob")
    person = signed_in(bob)
    assert person.open("/revenue").page.context["stays"] == 900_000
    assert person.open("/withdraw").page.context["form"].initial["amount"] == 1_500_000_000


def test_snippets_carry_the_address_of_the_thing(bob: Member) -> None:
    found = thing("mine", bob)
    text = Person.new().open(f"/thing/{found.id}").html
    assert "nod?url=https%3A%2F%2Fmine.example%2F&amp;amp;by=bob" in text
    assert f"/b/count.svg?id={found.id}" in text


def test_who_owns_a_thing_sees_its_snippets_and_others_open_them(bob: Member) -> None:
    found = thing("mine", bob)
    theirs = signed_in(bob).open(f"/thing/{found.id}")
    assert "Put the button on your page" in theirs.text
    assert "Put this button somewhere" not in theirs.text
    others = Person.new().open(f"/thing/{found.id}")
    assert '<details class="fold"><summary>Put this button somewhere' in others.html
    for person in (theirs, others):
        assert person.html.count("data-copy ") == len(snippets.all_of(FACTS))
        assert f'href="/b/qr.pdf?id={found.id}&amp;lang=en"' in person.html
        assert f'src="/b/qr.svg?id={found.id}"' in person.html


def test_snippets_load_the_button_from_its_own_origin(bob: Member, settings: LazySettings) -> None:
    settings.BASE_URL, settings.BUTTON_ORIGIN = "https://nod.example", "https://b.example"
    found = thing("mine", bob)
    text = unescape(Person.new().open(f"/thing/{found.id}").html)
    assert '<script async src="https://b.example/b/b.js" data-pages="https://nod.example">' in text
    assert '<mickle-button url="https://mine.example/">' in text
    assert f"[![Nod at Mine](https://b.example/b/count.svg?id={found.id})](https://nod.ex" in text


def test_snippets_of_a_german_page_are_german(bob: Member) -> None:
    found = thing("mine", bob)
    page = Person.new().client.get(f"/thing/{found.id}", headers={"Accept-Language": "de"})
    text = unescape(page.content.decode())
    assert f"[![Danke sagen: Mine](http://testserver/b/count.svg?id={found.id}&lang=de)]" in text
    assert "Diesen Knopf irgendwo einsetzen" in text
    assert f"/b/qr.pdf?id={found.id}&lang=de" in text


def test_titles_are_text(bob: Member) -> None:
    found = thing("evil")
    Thing.objects.filter(id=found.id).update(title="<script>alert(1)</script>")
    for path in (f"/thing/{found.id}", "/catalogue", "/nod?url=https://evil.example/"):
        assert "<script>alert" not in Person.new().open(path).html
