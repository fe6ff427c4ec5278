"""A site's limit for strangers: that we asked too often says nothing of an account."""

from datetime import timedelta

import pytest

from mickle.claims import proofs
from mickle.claims.models import Proof
from tests.claims.seeing import AT
from tests.claims.signing import HUB, look, sign_in
from tests.claims.sites import told
from tests.lib.street import page
from tests.people import creator

pytestmark = pytest.mark.django_db

USER = "api.github.com", "/user/1"
USED_UP = page(
    b"{}", "X-RateLimit-Remaining: 0", status="403 rate limit exceeded", kind="application/json"
)
# What was asked once is not asked again for some minutes.
LATER = timedelta(hours=1)


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (USED_UP, "SHOWN"),
        (told({}, "429 Too Many Requests"), "SHOWN"),
        (told({}, "403 Forbidden"), "LOST"),
        (told({}, "500 Internal Server Error"), "LOST"),
    ],
    ids=["a limit as GitHub says it", "a limit", "a refusal", "trouble"],
)
def test_of_a_month_of_answers_a_limit_alone_takes_nothing_away(sites, said, state):
    sites.github.add(1, "bob")
    proof = sign_in(sites, creator("bob"), HUB, 1)
    sites.instead[USER] = said
    for day in range(30, 60):
        look(sites, proof, AT + timedelta(days=day))
    proof.refresh_from_db()
    assert (proof.state, proof.looked_at) == (state, AT)
    del sites.instead[USER]
    assert look(sites, proof, AT + timedelta(days=60)).state == "SHOWN"


def test_who_presses_again_and_again_asks_a_site_once_in_ten_minutes(sites):
    sites.github.add(1, "bob")
    proof = sign_in(sites, creator("bob"), HUB, 1)
    proof = look(sites, proof, AT + LATER)
    for minutes in (0, 9):
        with pytest.raises(proofs.TooSoon, match="was asked within"):
            proofs.want_look(proof=proof, at=AT + LATER + timedelta(minutes=minutes))
    assert Proof.objects.get().wanted_at is None
    wanted_at = AT + LATER + timedelta(minutes=10)
    proofs.want_look(proof=proof, at=wanted_at)
    assert Proof.objects.get().wanted_at == wanted_at
