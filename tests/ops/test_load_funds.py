"""The funds of a described world: booked once, and all that follows from a top-up."""

from datetime import timedelta

from mickle.instance import instance
from mickle.ledger import ledger
from mickle.members import members
from mickle.nods.models import Count
from tests.ops.worlds import ago, small, written
from tests.people import EUR


def balance(name: str) -> int:
    return ledger.balance(ledger.funds(members.find(name).id))


def test_other_funds_for_the_same_month_are_refused(loaded, tmp_path):
    world = small()
    world["members"][0]["funds"] = "21.00"
    assert "with other content" in loaded.refused("load", written(tmp_path, world))
    assert balance("alice") == EUR("20.00")


def test_funds_without_a_month_are_booked_once_whenever_the_file_is_loaded(
    mickle, tmp_path, monkeypatch
):
    world = small(nods=[])
    assert mickle("load", written(tmp_path, world)) == 0
    now = instance._database_now()
    monkeypatch.setattr(instance, "_database_now", lambda: now + timedelta(days=40))
    assert mickle("load", written(tmp_path, world)) == 0, mickle.err
    assert "was here before" in mickle.out
    assert balance("alice") == EUR("20.00")
    world["members"][0]["funds"] = "21.00"
    assert f"alice:{ago(1)}” was booked before" in mickle.refused("load", written(tmp_path, world))
    world["members"][0] |= {"funds": "1.00", "funds_month": ago(0)}
    assert mickle("load", written(tmp_path, world)) == 0, mickle.err
    assert balance("alice") == EUR("21.00")


def test_an_earlier_nod_in_a_longer_file_books_no_funds_again(loaded, tmp_path):
    world = small()
    world["nods"] = [nod | {"month": ago(2)} for nod in world["nods"]]
    assert loaded("load", written(tmp_path, world)) == 0, loaded.err
    assert balance("alice") == EUR("20.00")


def test_funds_release_what_waited_for_their_owner(mickle, tmp_path):
    world = small()
    del world["members"][1]["funds"]
    assert mickle("load", written(tmp_path, world)) == 0
    assert mickle("settle", ago(1)) == 0
    bob = members.find("bob")
    assert ledger.balance(ledger.revenue(bob.id)) == 0
    world["members"][1] |= {"funds": "2.00", "funds_month": ago(1)}
    assert mickle("load", written(tmp_path, world)) == 0, mickle.err
    assert ledger.balance(ledger.revenue(bob.id)) == EUR("2.25")
    assert mickle("audit") == 0


def test_first_funds_count_the_nods_that_were_there_before(mickle, tmp_path):
    world = small()
    del world["members"][0]["funds"]
    assert mickle("load", written(tmp_path, world)) == 0
    assert not Count.objects.filter(total__gt=0).exists()
    world["members"][0] |= {"funds": "5.00", "funds_month": ago(1)}
    assert mickle("load", written(tmp_path, world)) == 0, mickle.err
    assert set(Count.objects.values_list("total", flat=True)) == {1}
    assert mickle("audit") == 0, mickle.out
