"""Passes: which sites a member nods on without being asked."""

from datetime import timedelta

import pytest
from django.db import IntegrityError

from mickle.passes import passes
from mickle.passes.models import SitePass
from mickle.passes.write import KEPT_FOR
from tests import people
from tests.people import MID_NOVEMBER

pytestmark = pytest.mark.django_db
NONCE, SITE = "n" * 22, "blog.example"


@pytest.fixture
def alice():
    people.instance_at()
    return people.member("alice")


def granted(alice):
    return passes.grant(member=alice, site=SITE, nonce=NONCE, at=MID_NOVEMBER)


def test_a_code_becomes_a_secret_that_stands_nowhere_here(alice):
    code = granted(alice)
    got = passes.exchange(code=code, nonce=NONCE, at=MID_NOVEMBER)
    assert got.site == SITE
    assert len(got.token) >= 43
    row = SitePass.objects.get()
    assert not {code, NONCE, got.token} & {str(value) for value in vars(row).values()}
    assert row.expires_at == MID_NOVEMBER + KEPT_FOR


def test_a_code_that_comes_twice_takes_its_pass_with_it(alice):
    code = granted(alice)
    passes.exchange(code=code, nonce=NONCE, at=MID_NOVEMBER)
    with pytest.raises(passes.BadCode):
        passes.exchange(code=code, nonce=NONCE, at=MID_NOVEMBER)
    assert not SitePass.objects.exists()


@pytest.mark.parametrize(
    ("nonce", "later"), [("x" * 22, timedelta(0)), (NONCE, timedelta(minutes=2))]
)
def test_a_code_is_worth_nothing_in_another_window_or_later(alice, nonce, later):
    code = granted(alice)
    with pytest.raises(passes.BadCode):
        passes.exchange(code=code, nonce=nonce, at=MID_NOVEMBER + later)
    assert not passes.listed(member=alice, at=MID_NOVEMBER).exists()


def test_an_unknown_code_is_refused(alice):
    with pytest.raises(passes.BadCode):
        passes.exchange(code="x", nonce=NONCE, at=MID_NOVEMBER)
    with pytest.raises(passes.BadCode):
        passes.exchange(code="", nonce="", at=MID_NOVEMBER)


def test_trust_in_a_link_is_one_for_each_site_and_ends_after_ninety_days(alice):
    for _again in range(2):
        passes.trust_link(member=alice, site=SITE, at=MID_NOVEMBER)
    assert SitePass.objects.count() == 1
    assert passes.link_trusted(member=alice, site=SITE, at=MID_NOVEMBER)
    assert not passes.link_trusted(member=alice, site="other.example", at=MID_NOVEMBER)
    assert not passes.link_trusted(member=alice, site=SITE, at=MID_NOVEMBER + KEPT_FOR)


def test_what_is_taken_back_is_gone_and_only_ones_own(alice):
    bob = people.member("bob")
    passes.exchange(code=granted(alice), nonce=NONCE, at=MID_NOVEMBER)
    (row,) = passes.listed(member=alice, at=MID_NOVEMBER)
    assert not passes.revoke(member=bob, pass_id=row.id)
    assert passes.revoke(member=alice, pass_id=row.id)
    assert not passes.revoke(member=alice, pass_id=row.id)
    passes.trust_link(member=alice, site=SITE, at=MID_NOVEMBER)
    assert passes.revoke_all(member=alice) == 1


def test_the_longest_unused_make_room(alice, monkeypatch):
    monkeypatch.setattr(passes, "AT_MOST", 3)
    for number in range(5):
        at = MID_NOVEMBER + timedelta(minutes=number)
        passes.trust_link(member=alice, site=f"s{number}.example", at=at)
    sites = [row.site for row in passes.listed(member=alice, at=MID_NOVEMBER)]
    assert sites == ["s4.example", "s3.example", "s2.example"]


def test_the_table_keeps_kind_and_secrets_together(alice):
    at = {"made_at": MID_NOVEMBER, "used_at": MID_NOVEMBER, "expires_at": MID_NOVEMBER}
    with pytest.raises(IntegrityError):
        SitePass.objects.create(member=alice, site=SITE, **at)


def test_a_trusted_link_is_used_so_often_a_day_and_each_use_keeps_it(alice, settings):
    settings.PASS_NODS_A_DAY = 2

    def use(at):
        return passes.use_link(member=alice, site=SITE, at=at)

    assert not use(MID_NOVEMBER)
    passes.trust_link(member=alice, site=SITE, at=MID_NOVEMBER)
    assert [use(MID_NOVEMBER) for _nod in range(3)] == [True, True, False]
    tomorrow = MID_NOVEMBER + timedelta(days=1)
    assert use(tomorrow)
    row = SitePass.objects.get()
    assert (row.used, row.expires_at) == (1, tomorrow + KEPT_FOR)
    assert not use(tomorrow + KEPT_FOR)


def test_a_pass_of_buttons_is_no_trust_in_links(alice):
    passes.exchange(code=granted(alice), nonce=NONCE, at=MID_NOVEMBER)
    assert not passes.link_trusted(member=alice, site=SITE, at=MID_NOVEMBER)
    assert not passes.use_link(member=alice, site=SITE, at=MID_NOVEMBER)
