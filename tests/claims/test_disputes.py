"""Of two who show one place nobody has it, until one is gone or an operator decides."""

from datetime import timedelta

import pytest

from mickle.claims import proofs
from tests.claims.seeing import AT, look, owner, page, shown
from tests.people import creator, instance_at, member

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _instance():
    instance_at("2026-11")


def test_of_two_who_show_the_same_nobody_has_it_until_an_operator_decides(web):
    bob, eve, olga = creator("bob"), creator("eve"), member("olga")
    essay = page("https://blog.example/essay")
    first = shown(web, bob, method="DNS")

    second = shown(web, eve, method="FILE")

    first.refresh_from_db()
    assert (first.state, second.state) == ("DISPUTED", "DISPUTED")
    assert owner(essay) is None
    assert owner(page("https://blog.example/new")) is None
    assert list(proofs.disputes()) == [first, second]
    # Looking again changes nothing, and neither may leave quietly.
    assert look(web, first, AT + DAY).state == "DISPUTED"
    with pytest.raises(proofs.Ended):
        proofs.end(proof=second, at=AT + DAY)

    proofs.decide(proof=first, by=olga, at=AT + DAY)
    second.refresh_from_db()
    assert (owner(essay), second.state, second.decided_by) == (bob, "ENDED", olga)
    with pytest.raises(proofs.Ended):
        proofs.decide(proof=first, by=olga, at=AT + DAY)


def test_a_third_who_shows_it_joins_the_dispute(web):
    bob, eve, dan = creator("bob"), creator("eve"), creator("dan")
    essay = page("https://blog.example/essay")
    shown(web, bob, method="DNS")
    shown(web, eve, method="FILE")

    assert shown(web, dan, method="META").state == "DISPUTED"
    assert owner(essay) is None


def test_who_shows_what_another_shows_no_more_has_it(web):
    bob, eve = creator("bob"), creator("eve")
    essay = page("https://blog.example/essay")
    old = shown(web, bob, method="DNS")
    web.records.clear()

    assert shown(web, eve, method="FILE").state == "SHOWN"
    old.refresh_from_db()
    assert old.state == "LOST"
    assert owner(essay) == eve
