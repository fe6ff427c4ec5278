"""The few deeds of the edge that go through other rooms' doors, in threads, seldom."""

from django.db import connection

from mickle.instance import instance
from mickle.lib import urls
from mickle.passes import passes
from mickle.passes.models import SitePass
from mickle.passes.passes import Exchanged
from mickle.things import things


def exchange(code: str, nonce: str) -> Exchanged:
    """A code for the pass; raises passes.BadCode."""
    try:
        return passes.exchange(code=code, nonce=nonce, at=instance.now())
    finally:
        connection.close()


def make_thing(url: str, secrets: tuple[str, ...]) -> bool:
    """Make the thing of an address nobody has nodded at; False without a pass for its site."""
    try:
        return _make_thing(url, secrets)
    finally:
        connection.close()


def _make_thing(url: str, secrets: tuple[str, ...]) -> bool:
    found = urls.admit(url)
    at = instance.now()
    rows = SitePass.objects.filter(token_hash__in=secrets, site=found.host, expires_at__gt=at)
    held = rows.exclude(token_hash="").select_related("member").first()
    if held is None:
        return False
    things.find_or_add(url=url, at=at, added_by=held.member)
    return True
