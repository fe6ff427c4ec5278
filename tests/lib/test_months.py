from datetime import UTC, datetime, timedelta, timezone

import pytest

from mickle.lib import months


def test_a_month_is_half_open_and_utc():
    november = months.parse("2026-11")
    assert months.of(months.start(november)) == november
    assert months.of(months.end(november)) == november + 1
    assert months.of(months.end(november) - timedelta(microseconds=1)) == november
    malmo = timezone(timedelta(hours=1))
    assert months.of(datetime(2026, 12, 1, 0, 30, tzinfo=malmo)) == november


def test_the_month_after_december_is_january():
    assert months.text(months.parse("2026-12") + 1) == "2027-01"


@pytest.mark.parametrize(
    "text",
    ["2026-13", "2026-00", "26-11", "2026-1", "november", "", "0000-01", "0001-01", "9999-12"],
)
def test_what_is_no_month_is_refused_with_a_sentence(text):
    with pytest.raises(months.BadMonth, match="Write it as 2026-11"):
        months.parse(text)


def test_an_instant_without_a_zone_is_a_defect():
    with pytest.raises(ValueError, match="time zone"):
        months.of(datetime(2026, 11, 1, tzinfo=UTC).replace(tzinfo=None))
