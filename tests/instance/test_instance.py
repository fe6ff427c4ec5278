from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from mickle.instance import instance
from mickle.instance.models import FeeRate, Instance, Month
from mickle.lib import months
from tests.people import MID_NOVEMBER, NOVEMBER, instance_at

pytestmark = pytest.mark.django_db

END = months.end(NOVEMBER)


def test_a_month_closes_when_it_has_ended_and_once():
    instance_at("2026-11")
    with pytest.raises(instance.NotYet, match="has not ended; it does on 2026-12-01"):
        instance.close(month=NOVEMBER, at=END - timedelta(microseconds=1))
    assert instance.close(month=NOVEMBER, at=END).fee_basis_points == 1000
    with pytest.raises(instance.NotYet, match="in order"):
        instance.close(month=NOVEMBER, at=END)
    assert Month.objects.count() == 1


def test_no_month_is_skipped():
    instance_at("2026-11")
    with pytest.raises(instance.NotYet, match="in order"):
        instance.close(month=NOVEMBER + 1, at=months.end(NOVEMBER + 1))


def test_a_fresh_instance_begins_with_its_month_on_the_real_clock():
    instance.here()
    now = months.of(datetime.now(UTC))
    assert instance.open_month() == now
    assert instance.state(now) == "open"
    assert instance.state(now + 1) == "future"
    assert instance.state(now - 1) == "before"


def test_the_books_of_an_unused_instance_may_begin_earlier_but_not_later():
    instance_at("2026-11")
    instance.begin(month=NOVEMBER - 2)
    assert instance.here().first_month == NOVEMBER - 2
    instance.begin(month=NOVEMBER)
    assert instance.here().first_month == NOVEMBER - 2
    instance.close(month=NOVEMBER - 2, at=END)
    with pytest.raises(instance.NotYet, match="first one is final"):
        instance.begin(month=NOVEMBER - 5)


def test_only_the_clock_of_a_demo_or_test_instance_moves_and_only_forward():
    instance_at("2026-11", kind="REAL")
    later = instance.now() + timedelta(days=40)
    with pytest.raises(instance.ClockRefused, match="demo or test"):
        instance.move_clock(to=later)
    instance.become(Instance.Kind.DEMO)
    assert instance.move_clock(to=later) >= later
    with pytest.raises(instance.ClockRefused, match="only goes forward"):
        instance.move_clock(to=later - timedelta(days=1))
    with pytest.raises(instance.ClockRefused, match="too far"):
        instance.move_clock(to=datetime(3000, 1, 1, tzinfo=UTC))


def test_a_real_instance_cannot_have_a_moved_clock_in_the_database():
    instance_at("2026-11", kind="REAL")
    with pytest.raises(IntegrityError), transaction.atomic():
        Instance.objects.update(clock_offset_s=1)


def test_what_an_instance_has_become_it_stays():
    instance_at("2026-11", kind="REAL")
    instance.become(Instance.Kind.TEST)
    instance.become(Instance.Kind.TEST)
    with pytest.raises(instance.KindRefused):
        instance.become(Instance.Kind.DEMO)


def test_a_new_fee_starts_two_whole_months_after_it_is_announced():
    instance_at("2026-11")
    with pytest.raises(instance.FeeRefused, match="2027-02"):
        instance.announce_fee(from_month=NOVEMBER + 2, basis_points=1200, at=MID_NOVEMBER)
    with pytest.raises(instance.FeeRefused):
        instance.announce_fee(from_month=NOVEMBER + 3, basis_points=10_001, at=MID_NOVEMBER)
    instance.announce_fee(from_month=NOVEMBER + 3, basis_points=1200, at=MID_NOVEMBER)
    assert instance.fee_basis_points(NOVEMBER + 2) == 1000
    assert instance.fee_basis_points(NOVEMBER + 3) == 1200


def test_the_fee_of_a_closed_month_is_final(settings):
    instance_at("2026-11")
    instance.close(month=NOVEMBER, at=END)
    settings.FEE_BASIS_POINTS = 2000
    FeeRate.objects.create(from_month=NOVEMBER, basis_points=3000, announced_at=END)
    assert instance.fee_basis_points(NOVEMBER) == 1000
    assert instance.fee_basis_points(NOVEMBER + 1) == 3000


def test_the_setting_is_only_the_fee_to_begin_with(settings):
    instance.here()
    settings.FEE_BASIS_POINTS = 2000
    assert instance.fee_basis_points(instance.open_month()) == 1000


def test_a_setup_token_works_once():
    token = instance.new_setup_token()
    assert instance.knows_setup_token(token)
    assert not instance.use_setup_token("guess")
    assert not instance.use_setup_token("")
    assert instance.use_setup_token(token)
    assert not instance.use_setup_token(token)
    assert not instance.knows_setup_token(token)


def test_the_fence_is_held_and_taken_in_transactions_only(transactional_db):
    for deed in (instance.hold_fence, instance.take_fence):
        with pytest.raises(RuntimeError, match="inside a transaction"):
            deed()
