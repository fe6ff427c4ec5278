"""A page that is added while its place is shown to be somebody's is theirs too."""

import threading
import time

import pytest
from django.db import connection, transaction

from mickle.things import things
from mickle.things.models import Thing
from tests.people import MID_NOVEMBER, creator, instance_at

pytestmark = pytest.mark.django_db(transaction=True)
_WAITS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


def waits_or_is_done(giver: threading.Thread) -> None:
    """Until who gives the place waits for who adds a page there, or did not wait."""
    while giver.is_alive():
        with connection.cursor() as cursor:
            cursor.execute(_WAITS)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)


def test_a_page_added_meanwhile_is_theirs_too():
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    instance_at("2026-11")
    bob = creator("bob")

    def give() -> None:
        try:
            things.give_scope(
                kind="HOST", text="blog.example", host="blog.example", owner=bob, at=MID_NOVEMBER
            )
        finally:
            connection.close()

    giver = threading.Thread(target=give)
    with transaction.atomic():
        things.find_or_add(url="https://blog.example/essay", at=MID_NOVEMBER)
        giver.start()
        waits_or_is_done(giver)
    giver.join()
    assert Thing.objects.get().owner == bob
