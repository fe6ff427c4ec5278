"""Teams within teams, and who leaves: pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mickle.lib import money
from mickle.teams import _flat


def test_parts_multiply_and_meet_again():
    teams = {10: {1: 50, 20: 50}, 20: {1: 10, 2: 90}}
    assert _flat.parts(10, teams) == {1: 11, 2: 9}


def test_what_an_ended_team_would_have_falls_to_the_rest():
    assert _flat.parts(10, {10: {1: 30, 2: 20, 20: 50}, 20: {}}) == {1: 3, 2: 2}
    assert _flat.parts(10, {10: {20: 100}, 20: {}}) == {}


def test_a_circle_is_found_and_so_is_too_deep():
    with pytest.raises(_flat.Circle):
        _flat.parts(10, {10: {1: 50, 20: 50}, 20: {2: 50, 10: 50}})
    with pytest.raises(_flat.Circle):
        _flat.check({10: {20}, 20: {30}, 30: {10}})
    chain = {number: {number + 1} for number in range(_flat.LEVELS - 1)}
    _flat.check(chain)
    with pytest.raises(_flat.TooDeep):
        _flat.check(chain | {_flat.LEVELS - 1: {_flat.LEVELS}})


PERCENTS = st.lists(st.integers(1, 99), min_size=1, max_size=9, unique=True).map(
    lambda cuts: dict(
        enumerate((b - a for a, b in zip([0, *sorted(cuts)], [*sorted(cuts), 100], strict=True)), 1)
    )
)


@given(PERCENTS, st.integers(0, 20))
def test_who_leaves_makes_nobodys_part_smaller(percents, place):
    who = sorted(percents)[place % len(percents)]
    rest = _flat.without(percents, who)
    assert sum(rest.values()) == 100
    assert rest.keys() == percents.keys() - {who}
    assert all(rest[one] >= percents[one] for one in rest)


@given(
    st.integers(0, 10**15), st.dictionaries(st.integers(1, 99), st.integers(1, 10**7), min_size=1)
)
def test_parts_by_weight_sum_to_the_amount_in_any_order(amount, weights):
    parts = money.weighed_parts(amount, weights)
    assert sum(parts.values()) == amount
    assert parts == money.weighed_parts(amount, dict(reversed(weights.items())))
    total = sum(weights.values())
    for member, part in parts.items():
        assert 0 <= part - amount * weights[member] // total <= 1
