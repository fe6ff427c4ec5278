"""Money and months from a terminal."""

import json
import resource
import stat
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from django.db import connection
from django.test import override_settings

from mickle.instance import instance
from mickle.instance.models import Instance
from mickle.ledger import ledger
from mickle.lib import months
from mickle.members import members
from mickle.nods.models import Nod
from mickle.ops import auditing
from mickle.payouts import payouts
from mickle.payouts.models import Payout, PayoutFile
from mickle.settlement.models import Proof
from tests.crash.dying import picture
from tests.ops.worlds import ago, small, written
from tests.people import EUR

BANK = override_settings(
    BANK_NAME="Mickle e. V.", BANK_IBAN="DE02120300000000202051", BANK_BIC="BYLADEM1001"
)


def has(name: str) -> int:
    return ledger.balance(ledger.funds(members.find(name).id))


def test_a_top_up_is_booked_once_for_a_member_and_a_reference(loaded):
    words = ("top-up", "alice", "5.00", "--reference", "statement 17")
    assert loaded(*words) == 0
    assert loaded.out == "Booked 5.00 EUR for alice.\nalice has 25.00 EUR to give."
    assert loaded(*words) == 0
    assert "Nothing was booked now" in loaded.out
    assert has("alice") == EUR("25.00")
    assert loaded("top-up", "bob", "1.00", "--reference", "statement 17") == 0
    assert has("bob") == EUR("3.00")


def test_another_amount_with_the_same_reference_is_refused(loaded):
    assert loaded("top-up", "alice", "5.00", "--reference", "x") == 0
    said = loaded.refused("top-up", "alice", "6.00", "--reference", "x")
    assert "with other content" in said
    assert has("alice") == EUR("25.00")


@pytest.mark.parametrize("reference", ["", " "])
def test_a_top_up_needs_what_names_it(loaded, reference):
    said = loaded.refused("top-up", "alice", "5.00", "--reference", reference)
    assert said.startswith("Give what names this entry at the bank")
    assert has("alice") == EUR("20.00")


@pytest.mark.parametrize("name", ["", " "])
def test_no_name_is_nobodys(loaded, name):
    # Alice and Bob have no address, so an empty one would be theirs.
    said = loaded.refused("top-up", name, "5.00", "--reference", "x")
    assert said == f"Nobody here is called “{name}”."
    assert has("alice") + has("bob") == EUR("22.00")


@pytest.mark.parametrize("amount", ["0", "0.00"])
def test_nothing_cannot_be_topped_up(loaded, amount):
    said = loaded.refused("top-up", "alice", amount, "--reference", "x")
    assert said == "The amount has to be more than nothing. Nothing was booked."


def test_a_top_up_over_the_limit_stands_aside(loaded):
    assert loaded("top-up", "alice", "590.00", "--reference", "x") == 0
    assert "590.00 EUR stands aside: funds have a limit" in loaded.out
    assert has("alice") == EUR("20.00")


def test_a_top_up_that_lets_an_owner_receive_releases_what_waited(mickle, tmp_path):
    world = small()
    world["members"][1]["funds"] = "1.99"
    assert mickle("load", written(tmp_path, world)) == 0
    assert mickle("settle", ago(1)) == 0
    assert mickle("top-up", "bob", "0.01", "--reference", "x") == 0
    assert "2.25 EUR that waited was released." in mickle.out
    assert mickle.json("balance", "bob")["revenue_micros"] == EUR("2.25")


def test_a_member_is_found_by_name_or_address_whatever_the_case(mickle, tmp_path):
    world = small()
    world["members"][0]["email"] = "alice@example.org"
    assert mickle("load", written(tmp_path, world)) == 0
    for name in ("ALICE", " alice@Example.org "):
        assert mickle.json("balance", name)["member"] == "alice"
    assert mickle.refused("balance", "nobody") == "Nobody here is called “nobody”."


def test_a_balance_has_three_figures(loaded):
    assert loaded("settle", ago(1)) == 0
    assert loaded("balance", "alice") == 0
    assert [line.split() for line in loaded.out.splitlines()] == [
        ["to", "give", "15.00", "EUR"],
        ["set", "aside", "2.50", "EUR"],
        ["earned", "0.00", "EUR"],
    ]
    found = loaded.json("balance", "alice")
    assert found == {
        "member": "alice",
        "currency": "EUR",
        "funds": "15.00",
        "funds_micros": 15_000_000,
        "waiting": "2.50",
        "waiting_micros": 2_500_000,
        "revenue": "0.00",
        "revenue_micros": 0,
    }


def test_a_rehearsal_changes_nothing_and_comes_to_what_the_settlement_does(loaded):
    before = picture()
    would = loaded.json("settle", ago(1), "--dry-run")
    assert loaded("settle", ago(1), "--dry-run") == 0
    said = loaded.out.splitlines()
    assert said[0] == f"Nothing was changed. Settled now, {ago(1)} would come to this:"
    assert said[1].startswith("1 member gave 5.00 EUR with 2 nods. 2.50 EUR went to owners")
    assert said[2] == f"Rows: {would['lines']} pages, {would['transfers']} transfers."
    assert said[3] == f"Result SHA-256: {would['result_sha256']}"
    assert picture() == before
    done = loaded.json("settle", ago(1))
    # The root follows from a key that is drawn each time.
    assert len(done.pop("proof_root")) == 64
    assert would == done | {"dry_run": True}
    assert len(done["result_sha256"]) == 64


def test_a_month_is_settled_once(loaded):
    found = loaded.json("settle", ago(1))
    assert (found["month"], found["spent"], found["waiting_micros"]) == (ago(1), "5.00", 2_500_000)
    said = loaded.refused("settle", ago(1))
    assert said == f"{ago(1)} is settled already. Nothing was changed."


def test_settling_says_what_it_came_to(loaded):
    assert loaded("settle", ago(1)) == 0
    assert loaded.out.startswith(
        f"{ago(1)} is settled: 1 member gave 5.00 EUR with 2 nods. 2.50 EUR went to owners"
    )
    assert loaded.out.endswith(f"The root of its proof: {Proof.objects.get().root}")


@pytest.mark.parametrize(
    ("back", "told"), [(0, "has not ended"), (-1, "before it ends"), (9, "before the first month")]
)
def test_a_month_that_cannot_be_settled_is_refused(loaded, back, told):
    said = loaded.refused("settle", ago(back))
    assert ago(back) in said
    assert said.endswith("Nothing was changed.")
    assert not Instance.objects.filter(closed_through__gte=months.parse(ago(0))).exists()


def test_a_statement_tells_every_share(loaded):
    assert loaded("settle", ago(1)) == 0
    given = loaded.json("statement", "alice", ago(1))
    assert (given["state"], given["spent_micros"], given["fee"]) == ("settled", 5_000_000, "0.25")
    assert [(s["thing"], s["amount"], s["state"]) for s in given["shares"]] == [
        (101, "2.50", "paid"),
        (102, "2.50", "waiting"),
    ]
    received = loaded.json("statement", "bob", ago(1))["received"]
    assert (received["gross"], received["fee"], received["net_micros"]) == (
        *("2.50", "0.25", 2_250_000),
    )
    assert loaded("statement", "alice", ago(1)) == 0
    assert "2.50 EUR  waiting   https://nobody.example/" in loaded.out
    assert loaded("statement", "bob", ago(1)) == 0
    assert "Received 2.25 EUR (2.50 EUR less the fee of 0.25 EUR)" in loaded.out


def test_a_statement_of_a_month_that_is_not_settled_is_a_forecast(loaded):
    given = loaded.json("statement", "alice", ago(1))
    assert (given["state"], given["forecast"], given["spent_micros"]) == ("open", True, 5_000_000)
    assert [s["state"] for s in given["shares"]] == ["planned", "waiting"]
    assert loaded("statement", "alice", ago(1)) == 0
    assert "Forecast: what it would come to if it were settled now." in loaded.out
    assert loaded("settle", ago(1)) == 0
    assert loaded.json("statement", "alice", ago(1))["forecast"] is False
    assert "has not begun, so it has no statement." in loaded.refused("statement", "alice", ago(-1))


def test_shares_that_are_no_whole_cents_are_exact(mickle, tmp_path):
    world = small()
    world["things"].append({"id": 103, "url": "https://third.example/"})
    world["nods"].append({"member": "alice", "thing": 103, "month": ago(1)})
    assert mickle("load", written(tmp_path, world)) == 0
    assert mickle("settle", ago(1)) == 0
    shares = mickle.json("statement", "alice", ago(1))["shares"]
    assert [share["amount"] for share in shares] == ["1.666667", "1.666667", "1.666666"]


def test_an_audit_names_each_invariant_with_its_count(loaded):
    assert loaded("settle", ago(1)) == 0
    assert loaded("audit") == 0
    lines = loaded.out.splitlines()
    assert all(line.startswith("ok ") for line in lines[:-1])
    assert lines[-1] == f"{len(lines) - 1} invariants hold."
    assert any(line.endswith("(2)") for line in lines)
    found = loaded.json("audit")
    assert found["ok"] is True
    assert len(found["checks"]) == len(lines) - 1


def test_an_audit_stops_at_the_first_that_fails(loaded):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_account SET balance_micros = balance_micros + 1")
    said = loaded.refused("audit")
    assert said.startswith("The books are not in order: ")
    assert loaded.out.splitlines()[-1].startswith("WRONG ")
    assert loaded("audit", "--json") == 1
    assert json.loads(loaded.out)["ok"] is False


def test_an_audit_asks_every_room_that_keeps_money(loaded, monkeypatch):
    asked = []
    for room in (auditing.ledger, auditing.settlement, auditing.payins, auditing.payouts):
        monkeypatch.setattr(room, "audit", lambda room=room: asked.append(room) or [])
    assert loaded("audit") == 0
    assert asked == [auditing.ledger, auditing.settlement, auditing.payins, auditing.payouts]


@pytest.fixture
def rich(loaded):
    """Bob has earned enough and asked for it."""
    bob = members.find("bob")
    at = instance.now()
    ledger.post(
        key="earned",
        debit=ledger.PROVIDER,
        credit=ledger.revenue(bob.id),
        amount_micros=12_345_678,
        reason="TEST",
        at=at,
    )
    payouts.set_account(member=bob, iban="DE89370400440532013000", holder_name="Bob Creator")
    payouts.request(member=bob, at=at, key="once")
    with BANK:
        yield loaded


def test_a_payout_file_pays_once(rich, tmp_path):
    path = tmp_path / "out.xml"
    assert rich("pay-out", "--file", str(path)) == 0, rich.err
    assert rich.out.endswith(": 1, together 12.34 EUR.")
    assert "DE89370400440532013000" in path.read_text()
    ET.fromstring(path.read_bytes())  # noqa: S314 - our own
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = tmp_path / "again.xml"
    rich.refused("pay-out", "--file", str(again))
    assert not again.exists()
    assert rich("pay-out", "--file", str(again), "--last") == 0
    assert again.read_bytes() == path.read_bytes()
    assert Payout.objects.get().state == Payout.State.SENT


def test_a_file_that_is_there_is_not_written_over(rich, tmp_path):
    path = tmp_path / "out.xml"
    path.write_text("mine")
    assert "is there already" in rich.refused("pay-out", "--file", str(path))
    assert path.read_text() == "mine"
    assert Payout.objects.get().state == Payout.State.REQUESTED


def test_where_no_file_can_be_written_nobody_is_paid(rich, tmp_path):
    assert "No such file" in rich.refused("pay-out", "--file", str(tmp_path / "no" / "out.xml"))
    assert Payout.objects.get().state == Payout.State.REQUESTED


def test_a_file_that_was_made_and_not_written_is_written_by_last(rich, tmp_path, monkeypatch):
    path, again = tmp_path / "out.xml", tmp_path / "again.xml"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    make = payouts.make_file

    def made_as_the_disk_fills(**facts):
        found = make(**facts)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
        return found

    monkeypatch.setattr(payouts, "make_file", made_as_the_disk_fills)
    try:
        said = rich.refused("pay-out", "--file", str(path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert said.startswith(f"{path} cannot be written (File too large). Nothing is lost")
    assert "mickle pay-out --last --file" in said
    assert not path.exists()
    assert rich("pay-out", "--file", str(again), "--last") == 0, rich.err
    assert again.read_bytes() == bytes(PayoutFile.objects.get().content)


def test_there_is_no_last_file_before_the_first(loaded, tmp_path):
    path = tmp_path / "out.xml"
    assert loaded.refused("pay-out", "--file", str(path), "--last") == "No file was made yet."
    assert not path.exists()


def test_the_clock_of_a_test_instance_goes_forward_and_closes_months(loaded):
    instance.become(Instance.Kind.TEST)
    to = months.end(months.of(datetime.now(UTC))) + timedelta(days=3)
    assert loaded("clock", "--to", f"{to:%Y-%m-%d}") == 0, loaded.err
    assert loaded.out.splitlines() == [
        f"{ago(1)} is closed.",
        f"{ago(0)} is closed.",
        f"{to:%Y-%m-%d} 00:00 UTC",
    ]
    assert "only goes forward" in loaded.refused("clock", "--to", "2001-01-01")
    assert loaded("clock") == 0
    assert loaded.out.startswith(f"{to:%Y-%m-%d}")


def test_the_clock_of_a_real_instance_is_the_real_one(loaded):
    assert "Only the clock of a demo or test" in loaded.refused("clock", "--to", "2031-01-01")


def test_due_months_are_closed_and_subscriptions_nod(mickle, tmp_path):
    world = small(subscriptions=[{"member": "alice", "thing": 101, "months": None}])
    assert mickle("load", written(tmp_path, world)) == 0
    assert mickle("close-due") == 0
    assert mickle.out == f"{ago(1)} is closed."
    assert Nod.objects.filter(month=months.parse(ago(0)), source="subscription").count() == 1
    assert mickle("close-due") == 0
    assert mickle.out == f"No month is due: {ago(0)} is open."


def test_nods_that_have_not_left_do_not_come_back(loaded):
    assert f"No nods of {ago(1)} have left" in loaded.refused("nods-return", ago(1))
