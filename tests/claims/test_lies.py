"""What a server makes up about its accounts is kept, or refused, alike on every database."""

import json
from datetime import UTC, datetime

import pytest

from mickle.claims import accounts
from mickle.claims._sites import Odd, Site
from mickle.claims.models import EVIDENCE_CHARACTERS
from mickle.lib import rdap
from tests.claims.seeing import AT, Web, look, shown
from tests.claims.signing import EVIL
from tests.people import creator, instance_at

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _instance():
    instance_at("2026-11")


def told_of(name: str = "bob", **more: object) -> str:
    """What a server of the fediverse says of an account of its own."""
    page = f"https://evil.example/@{name}"
    return json.dumps({"id": "1", "username": name, "acct": name, "url": page} | more)


ZONES = {
    "2020-01-01T12:00:00+23:30": datetime(2019, 12, 31, 12, 30, tzinfo=UTC),
    "2020-01-01T12:00:00-16:00": datetime(2020, 1, 2, 4, tzinfo=UTC),
}


@pytest.mark.parametrize(("since", "since_at"), ZONES.items())
def test_a_date_in_a_zone_that_no_place_is_in_is_an_instant(web: Web, since, since_at):
    account = EVIL.read(told_of(created_at=since))
    web.silent = {account.host}
    proof = look(web, accounts.note(member=creator("bob"), account=account, at=AT))
    assert (proof.state, proof.since_at) == ("SHOWN", since_at)


@pytest.mark.parametrize(("since", "since_at"), ZONES.items())
def test_so_it_is_with_the_date_of_a_domain(web: Web, since, since_at):
    told = {
        "objectClassName": "domain",
        "ldhName": "blog.example",
        "events": [{"eventAction": "registration", "eventDate": since}],
    }
    web.domains["blog.example"] = rdap.registered_at(json.dumps(told), "blog.example")
    assert shown(web, creator("bob")).since_at == since_at


# Four labels of it are as long as a host may be.
LABEL = "x" * 60


def test_a_name_too_long_to_be_a_makers_is_odd():
    host = f"{LABEL}.{LABEL}.{LABEL}.{LABEL}.example"
    told = told_of("b" * 100, url=f"https://{host}/@bob")
    with pytest.raises(Odd):
        Site("mastodon", host).read(told)


def test_a_long_host_with_a_long_number_is_on_record_as_far_as_it_fits(web: Web):
    host = f"{LABEL}.{LABEL}.{LABEL}.{LABEL}.example"
    told = told_of("b" * 40, id="1" * 40, url=f"https://{host}/@bob")
    account, web.silent = Site("mastodon", host).read(told), {host}
    proof = look(web, accounts.note(member=creator("bob"), account=account, at=AT))
    assert (proof.state, proof.account) == ("SHOWN", f"mastodon:{host}:{'1' * 40}")
    assert len(proof.said) == EVIDENCE_CHARACTERS
