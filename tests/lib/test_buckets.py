"""Buckets: all that fits in leaves at once, and what is said about waiting holds."""

import pytest

from mickle.lib.buckets import Buckets

# Where a sum of a hundred parts comes out a little more or less than the whole.
LATE = [1_000 + step * 1_234.567 for step in range(200)]


@pytest.mark.parametrize("an_hour", [10, 500, 1_000, 1_234, 36_000])
def test_a_full_bucket_gives_all_it_holds_at_any_hour(an_hour):
    holds = an_hour // 10
    for now in LATE:
        buckets = Buckets(a_second=an_hour / 3600, burst=holds)
        assert [buckets.take("one", now) for _n in range(holds + 1)] == [True] * holds + [False]


@pytest.mark.parametrize("an_hour", [10, 30, 1_000])
def test_who_waits_as_long_as_was_said_is_let_in(an_hour):
    for now in LATE:
        buckets = Buckets(a_second=an_hour / 3600, burst=an_hour // 10)
        while buckets.take("one", now):
            pass
        assert buckets.take("one", now + buckets.wait_s("one", now))
