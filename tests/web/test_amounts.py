"""Amounts on pages, in fields and in refusals stand as the reader's language writes them."""

import pytest
from django.test import Client

from mickle.nods import nods
from mickle.settlement import settlement
from tests.people import EARLY_DECEMBER, MID_NOVEMBER, NOVEMBER, creator, instance_at, member, thing
from tests.web.browsing import Person

pytestmark = pytest.mark.django_db
ALLAUTH = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def ada() -> Person:
    """She reads German, gave to three pages, and November is settled."""
    instance_at("2026-11")
    who = member("ada", funds="5.00")
    for n in range(3):
        nods.give(member=who, thing=thing(f"page{n}", creator(f"maker{n}")), at=MID_NOVEMBER)
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    person = Person(Client(enforce_csrf_checks=True, headers={"Accept-Language": "de"}))
    person.client.force_login(who, backend=ALLAUTH)
    return person


def test_a_refusal_names_the_limits_of_a_budget_in_german(ada: Person) -> None:
    ada.open("/settings").send("", deed="budget", amount="1")
    assert "Eine Münze ist 2,00 bis 100,00 EUR im Monat." in ada.text


def test_what_is_offered_to_top_up_is_typed_in_german(ada: Person) -> None:
    assert 'name="amount" value="10,00"' in ada.open("/top-up").html
    assert 'name="amount" value="20,00"' in ada.open("/top-up", amount="20,00").html
    assert 'href="?amount=50,00"' in ada.html


def test_the_proof_of_a_month_ends_at_nought_in_german(ada: Person) -> None:
    assert "Übrig im Topf 0,000000" in ada.open("/proof/2026-11").text
