"""Loading a described world: all of it or nothing, and twice is once."""

import json

import pytest
from django.db import connection

from mickle.instance import instance
from mickle.ledger import ledger
from mickle.lib import months
from mickle.members import members
from mickle.members.models import Member
from mickle.nods.models import Count, Nod, Subscription
from mickle.ops import progress
from mickle.payins import payins
from mickle.payins.models import Payin
from mickle.payouts import payouts
from mickle.things import things
from mickle.things.models import Thing
from tests.ops.worlds import ago, example, small, written
from tests.people import EUR


def balance(name: str) -> int:
    return ledger.balance(ledger.funds(members.find(name).id))


def counted() -> tuple[int, ...]:
    return tuple(
        table.objects.count() for table in (Member, Thing, Nod, Payin, Subscription)
    ) + tuple(sorted(Count.objects.values_list("thing_id", "total")))


def test_the_example_becomes_a_world(mickle, tmp_path):
    assert mickle("load", written(tmp_path, example())) == 0, mickle.err
    alice = members.find("alice@example.org")
    assert (alice.name, alice.city, alice.country, alice.public_nods) == (
        *("Alice Giver", "Malmö", "SE", True),
    )
    assert alice.check_password("correct-horse-1")
    assert members.plan(alice, months.parse(ago(1))).charity.slug == "open-library"
    assert members.plan(members.find("bob"), months.parse(ago(1))).budget_micros == EUR("2.00")
    assert balance("alice") == EUR("20.00")
    assert alice.funded_month == months.parse(ago(2))
    assert payouts.account(members.find("bob")).iban == "DE89370400440532013000"
    assert members.find("olga").is_operator
    essay = Thing.objects.get(id=101)
    assert (essay.owner.username, essay.category, essay.tags) == ("bob", "text", ["essay", "money"])
    assert f"{essay.created_at:%Y-%m-%d %H:%M}" == "2026-08-01 10:00"
    nod = Nod.objects.get(thing=essay)
    assert f"{nod.at:%Y-%m-%d %H:%M} {nod.source}" == f"{ago(1)}-03 12:00 button"
    assert Count.objects.get(thing=essay).total == 1
    (subscription,) = Subscription.objects.all()
    assert subscription.first_month == months.parse(ago(0))
    assert subscription.last_month == subscription.first_month + 5


def test_the_same_file_twice_is_the_same_world(mickle, tmp_path):
    path = written(tmp_path, example())
    assert mickle("load", path) == 0
    before = counted()
    assert mickle.json("load", path)["new"] == dict.fromkeys(
        ["charities", "members", "things", "nods", "subscriptions", "payins"], 0
    )
    assert mickle("load", path) == 0
    assert mickle.out == "All of this world was here before. Nothing was changed."
    assert counted() == before
    assert mickle("audit") == 0


def test_a_world_is_the_same_after_its_month_was_settled(loaded, tmp_path):
    assert loaded("settle", ago(1)) == 0, loaded.err
    before = counted(), balance("alice")
    assert loaded("load", written(tmp_path, small())) == 0, loaded.err
    assert (counted(), balance("alice")) == before


def test_a_longer_file_adds_what_is_new_and_leaves_the_rest(loaded, tmp_path):
    alice = members.find("alice")
    members.set_budget(member=alice, at=instance.now(), amount_micros=EUR("7.00"))
    world = small()
    world["members"] += [{"username": "carl", "funds": "3.00"}]
    world["things"] += [{"url": "https://carl.example/", "owner": "CARL"}]
    world["nods"] += [{"member": "Alice", "thing": "https://carl.example/", "month": ago(0)}]
    found = loaded.json("load", written(tmp_path, world))["new"]
    assert found == {
        "charities": 0,
        "members": 1,
        "things": 1,
        "nods": 1,
        "subscriptions": 0,
        "payins": 1,
    }
    assert members.plan(alice, months.parse(ago(0))).budget_micros == EUR("7.00")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("members", 0, "budget", "1.99"), "line 6: members[0].budget: A coin is 2.00 to 100.00"),
        (("members", 0, "budget", "100.01"), "members[0].budget: A coin is 2.00 to 100.00"),
        (("members", 0, "budget", "5.001"), "members[0].budget: Whole cents"),
        (("members", 0, "funds", "600.01"), "members[0].funds: funds go up to 600.00"),
        (("members", 0, "charity", "none"), "members[0].charity: “none” is not listed here"),
        (("members", 1, "username", "ALICE"), "members[1].username: this name stands here twice"),
        (("members", 1, "iban", "DE89370400440532013001"), "members[1].iban: "),
        (("members", 1, "email", "nobody"), "members[1].email: “nobody” is not an e-mail"),
        (("members", 0, "funds_month", ago(-1)), "funds_month: this month is still to come"),
        (("things", 1, "url", "javascript:alert(1)"), "things[1].url: "),
        (("things", 1, "url", "https://a:b@c.example/"), "things[1].url: "),
        (("things", 1, "url", "/relative"), "things[1].url: "),
        (("things", 1, "url", "https://x.example/" + "a" * 2050), "things[1].url: "),
        (("things", 1, "id", 101), "things[1].id: Another page has the number 101"),
        (("things", 1, "owner", "zoe"), "things[1].owner: nobody here is called “zoe”"),
        (("things", 1, "language", "xq"), "things[1].language: “xq” is not known"),
        (("things", 1, "created_at", "2026-02-30T00:00:00Z"), "created_at: there is no such day"),
        (("nods", 1, "member", "zoe"), "nods[1].member: nobody here is called “zoe”"),
        (("nods", 1, "thing", 7), "nods[1].thing: this file has no thing 7"),
        (("nods", 1, "month", ago(-1)), "is still to come"),
        (("nods", 1, "at", "2001-01-01T00:00:00Z"), "nods[1].at: this is not in"),
        (("nods", 1, "at", "2001-02-30T00:00:00Z"), "nods[1].at: there is no such instant"),
        (("nods", 1, "at", "9999-12-31T23:00:00-12:00"), "nods[1].at: there is no such instant"),
        (("things", 1, "created_at", "0001-01-01T00:00:00+12:00"), "there is no such day"),
        (("things", 1, "created_at", "2126-01-01T00:00:00Z"), "this day is still to come"),
        (("nods", 1, "month", "0001-01"), 'nods[1].month: "0001-01" is not'),
    ],
)
def test_what_cannot_be_is_refused_with_its_line_and_nothing_is_loaded(
    mickle, tmp_path, change, told
):
    name, place, key, value = change
    world = small()
    world[name][place][key] = value
    before = counted()
    said = mickle.refused("load", written(tmp_path, world))
    assert told in said
    assert said.startswith("line ")
    assert counted() == before


def test_a_load_waits_for_a_settlement_before_it_locks_an_account(mickle, tmp_path, monkeypatch):
    order = []
    hold, top_up = instance.hold_owners, payins.top_up_many
    monkeypatch.setattr(instance, "hold_owners", lambda: (order.append("owners"), hold()))
    monkeypatch.setattr(payins, "top_up_many", lambda rows: order.append("funds") or top_up(rows))
    assert mickle("load", written(tmp_path, small())) == 0, mickle.err
    assert order[:2] == ["owners", "funds"]


def test_an_own_thing_is_refused(mickle, tmp_path):
    world = small(nods=[{"member": "bob", "thing": 101, "month": ago(1)}])
    said = mickle.refused("load", written(tmp_path, world))
    assert "nods[0]: bob owns this" in said
    assert not Member.objects.exists()


def test_a_page_with_two_owners_is_refused(mickle, tmp_path):
    world = small()
    again = {"url": "http://www.bob.example/essay/?utm_source=x"}
    world["things"] += [again, again | {"owner": "BOB"}]
    assert mickle("load", written(tmp_path, world)) == 0, mickle.err
    world["things"].append(again | {"owner": "alice"})
    assert "things[4].owner: this page stands here before" in mickle.refused(
        "load", written(tmp_path, world)
    )
    world["things"][4] = {"url": "https://nobody.example", "owner": "alice"}
    assert "things[4].owner: this page stands here before" in mickle.refused(
        "load", written(tmp_path, world)
    )


def test_two_members_with_one_address_are_refused(loaded, tmp_path):
    world = small(members=[{"username": name, "email": "A@x.example"} for name in ("ann", "bea")])
    world["things"] = world["nods"] = []
    assert "members[1].email: this address" in loaded.refused("load", written(tmp_path, world))
    del world["members"][1]
    assert loaded("load", written(tmp_path, world)) == 0
    world["members"][0]["username"] = "cat"
    said = loaded.refused("load", written(tmp_path, world))
    assert "members[0].email: another member has this address" in said


def test_nobody_is_called_as_an_account_that_was_closed(loaded, tmp_path):
    bob = members.find("bob")
    world = small()
    world["members"].append({"username": f"Closed-{bob.id}"})
    assert "members[2].username: this is what an" in loaded.refused(
        "load", written(tmp_path, world)
    )
    members.erase(member=members.find("alice"), at=instance.now())
    gone = Member.objects.exclude(closed_at=None).get().username
    nod = {"member": gone, "thing": 102, "month": ago(0)}
    said = loaded.refused("load", written(tmp_path, small(members=[], nods=[nod])))
    assert f"nods[0].member: nobody here is called “{gone}”" in said


def test_a_nod_in_a_closed_month_is_refused(loaded, tmp_path):
    assert loaded("close-due") == 0
    world = small()
    world["nods"].append({"member": "bob", "thing": 102, "month": ago(1)})
    said = loaded.refused("load", written(tmp_path, world))
    assert f"nods[2].month: {ago(1)} is closed, so no nod can be added to it" in said
    assert Nod.objects.count() == 2


def test_a_month_before_a_closed_one_is_refused(loaded, tmp_path):
    assert loaded("close-due") == 0
    world = small()
    world["nods"] = [{"member": "bob", "thing": 102, "month": ago(7)}]
    assert "is closed" in loaded.refused("load", written(tmp_path, world))


def test_passwords_make_an_empty_instance_a_test_instance_for_good(mickle, tmp_path):
    assert mickle("load", written(tmp_path, small())) == 0
    assert instance.here().is_real
    world = small()
    world["members"][0]["password"] = "correct-horse-1"
    said = mickle.refused("load", written(tmp_path, world))
    assert "real and not empty" in said
    assert not members.find("alice").has_usable_password()


def test_passwords_are_taken_by_an_empty_instance(mickle, tmp_path):
    world = small()
    world["members"][0]["password"] = "correct-horse-1"
    assert mickle("load", written(tmp_path, world)) == 0
    assert instance.here().kind == "TEST"
    world["members"].append({"username": "zoe", "password": "correct-horse-2"})
    assert mickle("load", written(tmp_path, world)) == 0
    assert members.find("zoe").check_password("correct-horse-2")


def test_new_nods_join_the_old_ones_in_the_counts(loaded, tmp_path):
    world = small()
    world["members"].append({"username": "carl", "funds": "3.00"})
    for name in ("bob", "carl"):
        world["nods"].append({"member": name, "thing": 102, "month": ago(1)})
    world["nods"].append({"member": "alice", "thing": 102, "month": ago(0)})
    found = loaded.json("load", written(tmp_path, world))["new"]
    assert (found["nods"], found["members"]) == (3, 1)
    assert dict(Count.objects.values_list("thing_id", "total")) == {101: 1, 102: 4}
    assert loaded("audit") == 0, loaded.out


@pytest.mark.parametrize(
    "text",
    ["a\tb", "a\nb\r\nc", "\\N", "\\.", "a\\tb\\", "\"a\", 'b'; --", "%s %(a)s", "Ünï 🦊", "{}"],
)
def test_text_arrives_as_it_is_written(mickle, tmp_path, text):
    world = small()
    world["members"][0] |= {"about": text, "city": text, "name": f"{text}."}
    world["things"][0] |= {"title": text, "description": text, "tags": [text]}
    assert mickle("load", written(tmp_path, world)) == 0, mickle.err
    alice = members.find("alice")
    assert (alice.about, alice.city, alice.name) == (text, text, f"{text}.")
    loaded = Thing.objects.get(id=101)
    added = things.find_or_add(
        url="https://other.example/",
        at=instance.now(),
        title=text,
        description=text,
        tags=[text],
    )
    for name in ("title", "description", "tags"):
        assert getattr(loaded, name) == getattr(added, name)
    assert [row.name for row in loaded.tag_rows.all()] == loaded.tags
    assert mickle("load", written(tmp_path, world)) == 0, mickle.err


def test_a_known_thing_keeps_its_number(loaded, tmp_path):
    world = small()
    world["things"] = [{"id": 555, "url": "http://www.nobody.example"}]
    world["nods"] = [{"member": "bob", "thing": 555, "month": ago(1)}]
    assert loaded("load", written(tmp_path, world)) == 0, loaded.err
    assert Nod.objects.filter(member=members.find("bob"), thing_id=102).exists()
    assert Thing.objects.count() == 2


def test_a_thousand_rows_take_few_statements(mickle, tmp_path):
    world = small()
    world["members"] += [{"username": f"m{n}", "funds": "5.00"} for n in range(300)]
    world["things"] += [{"url": f"https://t{n}.example/"} for n in range(300)]
    world["nods"] += [
        {"member": f"m{n}", "thing": f"https://t{(n + k) % 300}.example/", "month": ago(1)}
        for n in range(300)
        for k in range(5)
    ]
    seen = []

    def note(execute, sql, params, many, context):
        seen.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        assert mickle("load", written(tmp_path, world)) == 0, mickle.err
    assert Nod.objects.count() == 1502
    assert len(seen) < 120
    assert mickle("audit") == 0


def test_a_file_that_is_not_there_is_named(mickle, tmp_path):
    said = mickle.refused("load", str(tmp_path / "none.json"))
    assert said == f"{tmp_path / 'none.json'}: No such file or directory. Nothing was changed."
    assert "Is a directory" in mickle.refused("load", str(tmp_path))


def test_the_line_is_that_of_the_file_as_it_was_written(mickle, tmp_path):
    text = json.dumps(small()).replace('"things"', '\n\n"things"').replace("nobody.example", "x y")
    assert mickle.refused("load", written(tmp_path, text)).startswith("line 3: things[1].url: ")


class Screen:
    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass


def test_a_bar_counts_while_a_terminal_watches(monkeypatch):
    screen, at = Screen(), [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: at[0])
    for _item in progress.bar(range(1000), 1000, "nods", out=screen):
        at[0] += 0.01
    pictures = screen.text.strip().split("\r")
    assert any("512 of 1,000, 100/s, 5 s left" in picture for picture in pictures)
    assert "100% 1,000 of 1,000" in pictures[-1]
    assert screen.text.endswith("\n")


def test_no_bar_where_no_terminal_watches(capsys):
    items = [1, 2]
    assert progress.bar(items, 2, "nods") is items
    with progress.staged("settling", {}) as report:
        report("freeze", 1, 2)
    assert capsys.readouterr().err == ""


def test_each_stage_of_long_work_has_its_bar(monkeypatch):
    screen, at = Screen(), [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: at[0])
    with progress.staged("settling", {"freeze": "spends"}, out=screen) as report:
        for stage, done in (("freeze", 1), ("freeze", 2), ("pay", 2)):
            report(stage, done, 2)
            at[0] += 1.0
    first, second = screen.text.strip().split("\n")
    assert "settling: spends" in first
    assert "1 of 2" in first
    assert "2 of 2, 2/s, 1.0 s" in first
    assert "settling: pay" in second
