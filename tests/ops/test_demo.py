"""The demo: real projects, made-up people, three months."""

import re
import subprocess

import pytest
from django.db.models import Count, Sum

from mickle.instance import instance
from mickle.instance.models import Month
from mickle.ledger import ledger
from mickle.lib import months
from mickle.members import members
from mickle.nods.models import Nod
from mickle.ops import demonstration
from mickle.payouts.models import BankAccount
from mickle.settlement.models import Line
from mickle.things.models import Thing
from tests.migrated import begin_with_tables
from tests.ops.test_run import MICKLE, environment
from tests.ops.worlds import ago, small, written
from tests.people import EUR


@pytest.fixture
def shown(mickle):
    assert mickle("demo") == 0, mickle.err
    return mickle


def test_the_catalogue_is_the_software_installed_here(shown):
    assert Thing.objects.filter(title="Django", url="https://www.djangoproject.com/").exists()
    assert Thing.objects.count() > 20
    assert set(Thing.objects.values_list("category", flat=True)) == {"software"}


def test_people_nod_with_skew_over_three_months_and_two_are_settled(shown):
    by_month = dict(Nod.objects.values_list("month").annotate(n=Count("thing_id")))
    assert sorted(by_month) == [months.parse(ago(n)) for n in (2, 1, 0)]
    assert min(by_month.values()) > 100
    settled = Month.objects.filter(settled_at__isnull=False)
    assert [str(row) for row in settled.order_by("month")] == [ago(2), ago(1)]
    totals = sorted(
        Nod.objects.values("thing").annotate(n=Count("member")).values_list("n", flat=True)
    )
    assert sum(totals[-len(totals) // 5 :]) > sum(totals) / 2


def test_some_waits_some_is_paid_and_somebody_can_withdraw(shown):
    states = dict(Line.objects.values_list("state").annotate(sum=Sum("gross_micros")))
    assert states["PAID"] > 0
    assert states["WAITING"] > 0
    (account,) = BankAccount.objects.all()
    assert ledger.balance(ledger.revenue(account.member_id)) >= EUR("12.34")
    assert shown("audit") == 0


def test_it_is_a_demo_instance_whose_operator_can_sign_in(shown):
    assert instance.here().kind == "DEMO"
    password = re.search(r"olga@demo\.example with the password (\S+)\.\n", shown.out)[1]
    assert members.find("olga@demo.example").is_operator
    assert members.find("olga@demo.example").check_password(password)
    assert len(password) >= 12
    everybody = members.Member.objects.values_list("username", "name")
    assert all(name.startswith("demo-") and "(demo)" in shown_ for name, shown_ in everybody)


def test_a_second_time_nothing_changes(shown):
    count = Nod.objects.count()
    assert shown("demo") == 0
    assert shown.out == "The demo world is here already. Nothing was changed."
    assert Nod.objects.count() == count


def test_of_two_that_begin_at_once_one_fills_it_and_says_who_may_sign_in(tmp_path):
    begin_with_tables(tmp_path)
    both = [
        subprocess.Popen([*MICKLE, "demo"], env=environment(tmp_path), stdout=-1, stderr=-2)
        for _one in range(2)
    ]
    said = sorted(one.communicate(timeout=120)[0].decode() for one in both)
    assert [one.returncode for one in both] == [0, 0], said
    assert said[0] == "The demo world is here already. Nothing was changed.\n"
    assert "with the password" in said[1]


def test_who_stops_it_while_it_settles_knows_the_password(mickle, monkeypatch):
    def stopped(**_facts: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as then:
        then.setattr(demonstration.settlement, "settle", stopped)
        assert mickle("demo") == 1
    password = re.search(r"with the password (\S+)\.\n", mickle.out)[1]
    assert members.find("olga@demo.example").check_password(password)
    assert mickle("demo") == 0
    assert "is here already" in mickle.out


def test_an_instance_in_use_is_refused(loaded):
    assert "needs an empty instance" in loaded.refused("demo")
    assert instance.here().is_real
    assert not members.Member.objects.filter(username__startswith="demo-").exists()


def test_a_test_instance_is_refused(mickle, tmp_path):
    world = small()
    world["members"][0]["password"] = "correct-horse-1"
    assert mickle("load", written(tmp_path, world)) == 0
    assert "needs an empty instance" in mickle.refused("demo")


def test_the_same_environment_gives_the_same_world(db):
    now = instance.now()
    first, second = (demonstration._described(now, "x") for _time in range(2))
    assert first == second
