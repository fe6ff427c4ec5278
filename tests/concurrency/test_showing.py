"""A page that is added while its place is shown is theirs too; of two at once one has it."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction

from mickle.claims import accounts, proofs
from mickle.claims.accounts import Account
from mickle.claims.models import Proof, SignIn
from mickle.members.models import Member
from mickle.things import things
from mickle.things.models import Thing
from mickle.things.things import NewThing
from tests.claims.signing import HUB, KNOWN, come, leave
from tests.claims.sites import sites_at
from tests.concurrency.together import together
from tests.people import MID_NOVEMBER, creator, instance_at

pytestmark = pytest.mark.django_db(transaction=True)
LATER = MID_NOVEMBER + timedelta(days=1)
_WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted"


def waits_or_is_done(other: threading.Thread) -> None:
    """Until the other waits for this transaction, or did not wait; SQLite has one writer anyway."""
    while other.is_alive() and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_WAITS)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)


def meanwhile(first: Callable[[], object], second: Callable[[], object]) -> None:
    """Do the first in a transaction that is not over when another client begins the second."""

    def do() -> None:
        try:
            with transaction.atomic():
                second()
        finally:
            connection.close()

    other = threading.Thread(target=do)
    with transaction.atomic():
        first()
        other.start()
        waits_or_is_done(other)
    other.join()


HOST = {"kind": "HOST", "text": "blog.example", "host": "blog.example"}
# What an account made may stand at another host.
HANDLE = {
    "kind": "HANDLE",
    "text": "github.com/bob",
    "host": "github.com",
    "maker": "github:bob",
}
ESSAYS = [(HOST, "https://blog.example/essay"), (HANDLE, "https://bob.github.io/essay")]


def add(url: str) -> None:
    things.find_or_add(url=url, at=MID_NOVEMBER)


def load(url: str) -> None:
    things.bulk_add([NewThing(url, MID_NOVEMBER)])


@pytest.mark.parametrize("adds", [add, load])
@pytest.mark.parametrize("added_first", [True, False], ids=["added first", "shown first"])
@pytest.mark.parametrize(("place", "url"), ESSAYS, ids=["a host", "an account"])
def test_a_page_added_meanwhile_is_theirs_too(place, url, added_first, adds):
    instance_at("2026-11")
    bob = creator("bob")
    deeds = [
        lambda: adds(url),
        lambda: things.give_scope(**place, owner=bob, at=MID_NOVEMBER),
    ]

    meanwhile(*(deeds if added_first else reversed(deeds)))

    assert Thing.objects.get().owner == bob


@pytest.mark.parametrize("adds", [add, load])
@pytest.mark.parametrize("added_first", [True, False], ids=["added first", "lost first"])
def test_a_page_added_while_its_place_is_lost_is_nobodys(added_first, adds):
    instance_at("2026-11")
    things.give_scope(**HOST, owner=creator("bob"), at=MID_NOVEMBER)
    deeds = [
        lambda: adds("https://blog.example/essay"),
        lambda: things.withdraw_scope(text="blog.example", at=MID_NOVEMBER),
    ]

    meanwhile(*(deeds if added_first else reversed(deeds)))

    assert Thing.objects.get().owner is None


def test_of_members_who_sign_in_at_once_as_one_account_one_has_it_and_the_others_wait():
    instance_at("2026-11")
    tool = things.find_or_add(url="https://github.com/bob/tool", at=MID_NOVEMBER)
    account = Account("github", "github.com", "1", "bob")
    bob, *cast = [creator(f"bob{turn}") for turn in range(4)]
    others = [signing_in(one, account) for one in cast]

    def pause(execute, sql, params, many, context):
        """Once it was seen that nobody else has it, the others come."""
        done = execute(sql, params, many, context)
        asked = sql.startswith("SELECT") and ' AS "a" FROM "claims_proof"' in sql
        for other in others:
            if asked and other.ident is None:
                other.start()
                waits_or_is_done(other)
        return done

    with connection.execute_wrapper(pause):
        accounts.note(member=bob, account=account, at=LATER)
    for other in others:
        other.join()

    came = [(proof.member, proof.state) for proof in Proof.objects.order_by("member")]
    assert came == [(bob, "SHOWN"), *((one, "ASKED") for one in cast)]
    assert Thing.objects.get(id=tool.id).owner == bob
    assert [check for check in proofs.audit() if not check.ok] == []


def signing_in(member: Member, account: Account) -> threading.Thread:
    """A client that does it in its own time."""

    def do() -> None:
        try:
            accounts.note(member=member, account=account, at=LATER)
        finally:
            connection.close()

    return threading.Thread(target=do)


def test_a_way_back_is_used_once_whoever_comes_at_once(settings, tmp_path, monkeypatch):
    # As many as come here may talk.
    monkeypatch.setattr(accounts, "_TALKS", threading.BoundedSemaphore(4))
    for name, value in KNOWN.items():
        setattr(settings, name, value)
    instance_at("2026-11")
    bob = creator("bob")
    with sites_at(tmp_path) as sites:
        sites.github.add(1, "bob")
        address = sites.github.allow(leave(sites, bob, HUB), 1)
        came = together(4, lambda _turn: come(sites, bob, HUB, address))
        assert len(sites.github.issued) == 1
    assert sorted(type(one).__name__ for one in came) == ["Expired"] * 3 + ["Proof"]


def test_nobody_begins_more_often_by_pressing_at_once(settings, tmp_path):
    for name, value in KNOWN.items():
        setattr(settings, name, value)
    instance_at("2026-11")
    bob = creator("bob")
    with sites_at(tmp_path) as sites:
        for _turn in range(accounts.STARTS_AN_HOUR - 1):
            leave(sites, bob, HUB)
        together(8, lambda _turn: leave(sites, bob, HUB))
    assert SignIn.objects.count() == accounts.STARTS_AN_HOUR
