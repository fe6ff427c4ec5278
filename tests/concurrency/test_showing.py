"""A page that is added while its place is shown is theirs too; of two at once one has it."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction

from mickle.claims import accounts, proofs
from mickle.claims.accounts import Account
from mickle.things import things
from mickle.things.models import Thing
from tests.claims.signing import HUB, KNOWN, come, leave
from tests.claims.sites import sites_at
from tests.concurrency.together import together
from tests.people import MID_NOVEMBER, creator, instance_at

pytestmark = pytest.mark.django_db(transaction=True)
LATER = MID_NOVEMBER + timedelta(days=1)
_WAITS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


def waits_or_is_done(giver: threading.Thread) -> None:
    """Until who gives the place waits for who adds a page there, or did not wait."""
    while giver.is_alive():
        with connection.cursor() as cursor:
            cursor.execute(_WAITS)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)


HOST = {"kind": "HOST", "text": "blog.example", "host": "blog.example"}
# What an account made may stand at another host.
HANDLE = {
    "kind": "HANDLE",
    "text": "github.com/bob",
    "host": "github.com",
    "maker": "github:bob",
}


@pytest.mark.parametrize(
    ("place", "url"),
    [(HOST, "https://blog.example/essay"), (HANDLE, "https://bob.github.io/essay")],
    ids=["a host", "an account"],
)
def test_a_page_added_meanwhile_is_theirs_too(place, url):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    instance_at("2026-11")
    bob = creator("bob")

    def give() -> None:
        try:
            things.give_scope(**place, owner=bob, at=MID_NOVEMBER)
        finally:
            connection.close()

    giver = threading.Thread(target=give)
    with transaction.atomic():
        things.find_or_add(url=url, at=MID_NOVEMBER)
        giver.start()
        waits_or_is_done(giver)
    giver.join()
    assert Thing.objects.get().owner == bob


def test_of_members_who_sign_in_at_once_as_one_account_one_has_it_and_the_others_wait():
    instance_at("2026-11")
    tool = things.find_or_add(url="https://github.com/bob/tool", at=MID_NOVEMBER)
    account = Account("github", "github.com", "1", "bob")
    cast = [creator(f"bob{turn}") for turn in range(4)]

    came = together(4, lambda turn: accounts.note(member=cast[turn], account=account, at=LATER))

    assert sorted(proof.state for proof in came) == ["ASKED", "ASKED", "ASKED", "SHOWN"]
    has = next(proof.member for proof in came if proof.state == "SHOWN")
    assert Thing.objects.get(id=tool.id).owner == has
    assert [check for check in proofs.audit() if not check.ok] == []


def test_a_way_back_is_used_once_whoever_comes_at_once(settings, tmp_path):
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
