"""Programs: what acts for a member, by a token that is told once."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from mickle.members import members
from mickle.programs import programs, secret
from mickle.programs.models import Program
from tests import people
from tests.people import MID_NOVEMBER

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    people.instance_at()
    return people.member("alice")


def made(member, name="my feed reader"):
    return programs.make(member=member, name=name, at=MID_NOVEMBER)


def test_a_token_finds_its_member_and_stands_nowhere_here(alice):
    token = made(alice, "  my \n feed  reader ")
    assert secret.is_token(token)
    assert token != made(alice, "other")
    found = programs.find(token=token, at=MID_NOVEMBER)
    assert (found.member, found.name) == (alice, "my feed reader")
    assert token not in {
        str(value) for value in vars(Program.objects.get(name=found.name)).values()
    }


def test_its_last_use_is_a_day(alice):
    token = made(alice)
    assert programs.listed(member=alice).get().used_date is None
    for later in (timedelta(0), timedelta(hours=5), timedelta(days=2)):
        programs.find(token=token, at=MID_NOVEMBER + later)
    assert programs.listed(member=alice).get().used_date == (MID_NOVEMBER + later).date()


@pytest.mark.parametrize(
    "token",
    ["", "mickle_", "mickle_" + "a" * 43, "mickle_" + "a" * 44, "x" * 50, "mickle_" + "ä" * 43],
)
def test_what_is_no_token_finds_nobody(alice, token):
    made(alice)
    with pytest.raises(programs.Unknown):
        programs.find(token=token, at=MID_NOVEMBER)


def test_what_is_taken_back_is_gone_at_once_and_only_ones_own(alice):
    bob = people.member("bob")
    token, kept = made(alice), made(alice, "other")
    row = Program.objects.get(name="my feed reader")
    assert not programs.revoke(member=bob, program_id=row.id)
    assert programs.revoke(member=alice, program_id=row.id)
    assert not programs.revoke(member=alice, program_id=row.id)
    with pytest.raises(programs.Unknown):
        programs.find(token=token, at=MID_NOVEMBER)
    theirs = made(bob)
    assert programs.find(token=kept, at=MID_NOVEMBER).member == alice
    assert programs.revoke_all(member=alice) == 1
    assert programs.find(token=theirs, at=MID_NOVEMBER).member == bob


def test_no_program_acts_for_who_is_suspended_until_they_go_on(alice):
    token = made(alice)
    members.suspend(member=alice, at=MID_NOVEMBER)
    with pytest.raises(programs.Suspended):
        programs.find(token=token, at=MID_NOVEMBER)
    members.suspend(member=alice, at=None)
    assert programs.find(token=token, at=MID_NOVEMBER).member == alice


def test_who_is_leaving_makes_no_token(alice):
    members.note_closing(member=alice, at=MID_NOVEMBER)
    with pytest.raises(programs.Leaving):
        made(alice)


@pytest.mark.parametrize("name", ["", " \t", "x" * 61, "a\u202eb", "a\0b"])
def test_a_name_is_short_and_can_be_shown(alice, name):
    with pytest.raises(programs.BadName, match="1 to 60 letters that can be seen"):
        made(alice, name)


def test_a_name_is_given_once_by_each_member(alice):
    made(alice)
    with pytest.raises(programs.NameTaken):
        made(alice)
    assert made(people.member("bob"))


def test_a_member_has_twenty_at_most(alice, monkeypatch):
    assert programs.AT_MOST == 20
    monkeypatch.setattr(programs, "AT_MOST", 2)
    made(alice, "1"), made(alice, "2")
    with pytest.raises(programs.TooMany):
        made(alice, "3")
    assert Program.objects.count() == 2


def test_the_table_takes_no_token_and_no_hash_twice(alice):
    given = {"member": alice, "made_at": MID_NOVEMBER}
    kept = secret.hashed("x")
    Program.objects.create(name="1", token_hash=kept, **given)
    for name, text in (("2", kept), ("3", secret.new()), ("4", ""), ("", "other")):
        with transaction.atomic(), pytest.raises(IntegrityError):
            Program.objects.create(name=name, token_hash=text, **given)


def test_tokens_are_struck_out_of_a_text():
    token = secret.new()
    assert secret.holds_token(f"/api?x={token}&y")
    assert secret.without(f"GET /{token} and {token}") == "GET /mickle_*** and mickle_***"
    assert secret.without("mickle_nods mickle_") == "mickle_nods mickle_"
