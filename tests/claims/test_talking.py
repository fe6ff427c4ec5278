"""Who has begun to talk to a site is not stopped half way, and who may not yet loses nothing."""

import pytest

from mickle.claims import _sites, accounts
from mickle.claims.accounts import TooOften
from mickle.claims.models import App, SignIn
from mickle.ops import deeds
from tests.claims.seeing import AT
from tests.claims.signing import HUB, SOCIAL, come, leave, sign_in
from tests.claims.sites import Sites
from tests.people import creator

pytestmark = pytest.mark.django_db


@pytest.fixture
def sites(sites: Sites) -> Sites:
    """Bob has an account at one."""
    sites.github.add(1, "bob")
    return sites


def others_come() -> int:
    """As many others begin to talk as may; how many that were."""
    count = 0
    while accounts._TALKS.acquire(blocking=False):
        count += 1
    return count


def others_go(count: int) -> None:
    for _turn in range(count):
        accounts._TALKS.release()


def test_who_has_a_token_asks_and_gives_it_back_however_many_come_meanwhile(sites, monkeypatch):
    bob = creator("bob")
    address = sites.github.allow(leave(sites, bob, HUB), 1)
    came: list[int] = []
    read = _sites.token

    def token(text: str, host: str) -> str:
        came.append(others_come())
        return read(text, host)

    monkeypatch.setattr(_sites, "token", token)
    try:
        proof = come(sites, bob, HUB, address)
    finally:
        others_go(sum(came))
    assert proof.state == "SHOWN"
    assert sites.github.tokens == {}


def test_who_comes_back_while_many_talk_may_press_again(sites):
    bob = creator("bob")
    address = sites.github.allow(leave(sites, bob, HUB), 1)
    count = others_come()
    try:
        with pytest.raises(TooOften, match="Try again in a minute"):
            come(sites, bob, HUB, address)
    finally:
        others_go(count)
    assert sites.asked == []
    assert come(sites, bob, HUB, address).state == "SHOWN"


def test_who_went_and_the_secret_of_a_server_are_forgotten_though_nobody_goes_again(sites):
    for site in (HUB, SOCIAL):
        leave(sites, creator(site.kind), site)
    deeds.keep_house(AT + accounts.HOUR / 2)
    assert (SignIn.objects.count(), App.objects.count()) == (2, 1)
    deeds.keep_house(AT + accounts.HOUR)
    assert (SignIn.objects.count(), App.objects.count()) == (0, 1)
    deeds.keep_house(AT + accounts.APP_FOR + accounts.HOUR)
    assert not App.objects.exists()


def test_a_server_that_takes_a_scope_it_does_not_know_is_asked_for_one_it_knows(sites):
    bob, there = creator("bob"), sites.social
    there.takes_any = True
    there.add("9hptFmUF3ztxYh3Svg", "bob")
    proof = sign_in(sites, bob, SOCIAL, "9hptFmUF3ztxYh3Svg")
    assert (proof.state, there.scopes, there.tokens) == ("SHOWN", ["read:accounts"], {})
