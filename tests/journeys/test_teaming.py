"""Three share a page: asked, agreed, nodded at, settled, each with the own part; one leaves."""

import csv
import io
import re
from html import unescape

import pytest

from mickle.instance import instance
from mickle.lib import months
from mickle.members.models import Member
from mickle.nods import nods
from mickle.nods.models import Nod
from mickle.settlement import settlement
from mickle.teams import teams
from mickle.things import things
from mickle.things.models import Thing
from mickle.web import wording
from tests.notices.mailing import THREE_DAYS_BEFORE, Clock
from tests.people import MID_NOVEMBER, NOVEMBER, creator, instance_at, member, thing
from tests.settlement.test_cases import in_month
from tests.teams.teaming import earned, holding_from, holds
from tests.web.browsing import Person, signed_in

pytestmark = pytest.mark.django_db


def found_team(person: Person, **rows: str) -> Person:
    return person.open("/mine/teams").send("", name="The Band", **rows)


def shared(cast: list[Member], page: Thing) -> str:
    """The address of a team of three that has said yes, with Ann's page in it."""
    ann, ben, cleo = cast
    first = found_team(
        signed_in(ann), who_0="ann", percent_0="50", who_1="ben", percent_1="30",
        who_2="cleo", percent_2="20",
    )  # fmt: skip
    at_team = f"/mine/teams/{teams.of(ann).get().party_id}"
    assert first.address == at_team
    for who in (ben, cleo):
        other = signed_in(who)
        assert "You are asked whether you agree to your part" in other.open("/mine").text
        other.open(at_team).send(f"{at_team}/deed", deed="yes")
        assert "You are asked" not in other.open("/month").text
    first.open(at_team).send(f"{at_team}/deed", deed="put-in", what=f"thing:{page.id}")
    assert "Agreed, from" in first.text
    assert "ann put in Song, from" in first.text
    return at_team


def month_of_nods(page: Thing) -> int:
    """The month after this one, with three nods, settled."""
    opened = instance.open_month()
    instance.move_clock(to=max(in_month(opened + 1, 10), instance.now()).replace(microsecond=1))
    for number in range(3):
        giver = member(f"giver{number}", funds="5.00", month=opened)
        nods.give(member=giver, thing=page, at=instance.now())
    instance.move_clock(to=in_month(opened + 2, 5))
    for one in (opened, opened + 1):
        settlement.settle(month=one, at=instance.now())
    holds()
    return opened + 1


def test_three_share_a_page_and_one_leaves() -> None:
    instance_at(months.text(instance.open_month()), kind="TEST")
    ann, ben, cleo = cast = [creator(name) for name in ("ann", "ben", "cleo")]
    page = thing("song", ann)
    at_team, third = shared(cast, page), signed_in(cleo)

    month = month_of_nods(page)
    assert "A part of this is yours through a team" in third.open(f"/nod?url={page.url}").text

    assert [earned(who) for who in cast] == [6_750_000, 4_050_000, 2_700_000]
    assert "your part of 13.500000 EUR of “ The Band ”" in third.open("/revenue").text
    third.open(f"/revenue/{months.text(month)}.csv")
    rows = list(csv.DictReader(io.StringIO(third.html)))
    assert [(row["net"], row["team"], row["team_net"]) for row in rows] == [
        ("2.700000", "The Band", "13.500000")
    ]

    third.open(at_team).send(f"{at_team}/deed", deed="leave")
    assert "Tick the box" in third.text
    third.open(at_team).send(f"{at_team}/deed", deed="leave", sure="yes")
    for who in cast:
        assert "leaves. From" in signed_in(who).open(at_team).text
    team = teams.of(ann).get()
    assert teams.percents(team=team, month=month + 2) == {ann.id: 63, ben.id: 37}
    assert "Everybody in the team reads the same" in third.open(at_team).text

    instance.move_clock(to=in_month(month + 2, 3))
    settlement.close_due(at=instance.now())
    teams.propose(team=team, by=ann, percents={ann: 50, ben: 50}, at=instance.now())
    for who, reads in ((ann, True), (ben, True), (cleo, False)):
        said = signed_in(who).open(at_team).text
        assert ("Everybody in the team reads the same" in said) == reads
        assert ("you are no longer in it" in said) != reads
        assert ("ben 50 %" in said) == reads
        assert "cleo leaves. From" in said


def test_a_page_that_is_anothers_by_now_is_not_said_to_be_shared() -> None:
    instance_at(months.text(instance.open_month()), kind="TEST")
    ann, ben, cleo = cast = [creator(name) for name in ("ann", "ben", "cleo")]
    page = thing("song", ann)
    at_team = shared(cast, page)
    take_out = f'name="what" value="thing:{page.id}"'
    assert take_out in signed_in(ann).open(at_team).html
    for owner, listed in ((None, True), (cleo, False), (None, True), (ann, True)):
        things.set_owner(thing=page, owner=None, at=instance.now())
        things.set_owner(thing=page, owner=owner, at=instance.now())
        for who in (ann, ben, cleo):
            html = signed_in(who).open(at_team).html
            assert (f'href="/thing/{page.id}"' in html) == listed
            assert (take_out in html) == (who == owner == ann)


def test_no_name_turns_round_the_parts_in_the_history() -> None:
    instance_at(months.text(instance.open_month()), kind="TEST")
    ann, ben = creator("ann"), creator("ben")
    turns = {"deed": "profile", "name": "Ann\u202e", "about": "", "url": ""}
    signed_in(ann).open("/settings").send("", **turns)
    rows = {"who_0": "ann", "percent_0": "12", "who_1": "ben", "percent_1": "88"}
    page = found_team(signed_in(ann), **rows)
    assert "Ann proposed: ben 88\xa0%, Ann 12\xa0%" in unescape(page.html)
    assert "\u202e" not in signed_in(ben).open(page.address).html


def test_an_answer_in_the_history_names_the_proposal_and_not_each_part_of_it() -> None:
    instance_at(months.text(instance.open_month()), kind="TEST")
    ann, ben = creator("ann"), creator("ben")
    rows = {"who_0": "ann", "percent_0": "12", "who_1": "ben", "percent_1": "88"}
    first = found_team(signed_in(ann), **rows)
    other, day = signed_in(ben).open(first.address), wording.day(instance.now())
    for who, deed, says in (
        (other, "yes", f"ben said yes to what ann proposed on {day}"),
        (first, "no", f"ann took back what they had proposed on {day}"),
        (other, "no", f"ben said no to what ann proposed on {day}"),
    ):
        who.open(first.address).send(f"{first.address}/deed", deed=deed)
        said = first.open(first.address).text.partition("History")[2]
        assert says in said
        assert said.count("ben 88 %") == 2, "proposed and agreed"
        first.send("", who_0="ann", percent_0="40", who_1="ben", percent_1="60")


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ({"who_0": "ann", "percent_0": "50", "who_1": "ben", "percent_1": "49"}, "sum to 99 %"),
        ({"who_0": "ann", "percent_0": "50", "who_1": "ben", "percent_1": "51"}, "sum to 101 %"),
        ({"who_0": "ann", "percent_0": "100", "who_1": "ben", "percent_1": "0"}, "1 % or more"),
        ({"who_0": "ann", "percent_0": "50", "who_1": "nobody", "percent_1": "50"}, "called"),
        ({"who_0": "ann", "percent_0": "50", "who_1": "Ann", "percent_1": "50"}, "twice"),
        ({"who_0": "ann", "percent_0": "50", "who_1": "", "percent_1": "50"}, "called"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(rows: dict[str, str], says: str) -> None:
    instance_at(months.text(instance.open_month()), kind="TEST")
    ann = creator("ann")
    creator("ben")
    person = found_team(signed_in(ann), **rows)
    assert says in person.text
    assert not teams.of(ann).exists()


def test_a_team_is_not_there_for_others() -> None:
    instance_at(months.text(instance.open_month()), kind="TEST")
    ann, ben, dan = (creator(name) for name in ("ann", "ben", "dan"))
    team = teams.found(by=ann, name="Duo", percents={ann: 50, ben: 50}, at=instance.now())
    assert signed_in(dan).open(f"/mine/teams/{team.party_id}").page.status_code == 404
    assert signed_in(dan).open(f"/people/{team.party.username}").page.status_code == 404


def test_what_a_team_of_oneself_got_is_counted_nowhere(settings, monkeypatch) -> None:
    settings.BASE_URL = "https://mickle.example"
    instance_at()
    clock = Clock(monkeypatch)
    clock.at = MID_NOVEMBER
    alice, bob, page = member("alice"), creator("bob"), thing("page")
    things.set_owner(thing=page, owner=bob, at=MID_NOVEMBER)
    other = thing("other")
    for what in (page, other):
        nods.give(member=alice, thing=what, at=MID_NOVEMBER)
    holding_from(NOVEMBER, {bob: 50, alice: 50}, page)
    person = signed_in(alice)
    said = "1 nod of November pays nothing unless"
    assert said in person.open(f"/nod/{other.id}/done").text
    html = person.open("/month").html
    assert ">1 nod</h2>" in html
    assert re.findall(r'class="no" aria-hidden="true">(\d*)<', html) == ["", "1"]
    [ahead] = clock.mail(THREE_DAYS_BEFORE)
    [closed] = clock.close()
    assert [one.subject for one in (ahead, closed)] == [
        "1 nod of November 2026 pays nothing yet"
    ] * 2
    assert said in person.open("/month").text
    Nod.objects.exclude(thing=page).delete()
    assert "unless you top up by" not in person.open("/month").text
