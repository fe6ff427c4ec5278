import json
from pathlib import Path

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from mickle.lib import money
from mickle.lib.money import BadAmount

CASES = json.loads((Path(__file__).parents[1] / "settlement" / "split.json").read_text())["cases"]


@pytest.mark.parametrize(
    ("text", "decimals", "micros"),
    [
        ("5", 2, 5_000_000),
        ("5.00", 2, 5_000_000),
        ("5,5", 2, 5_500_000),
        (" 12.34 ", 2, 12_340_000),
        ("500", 0, 500_000_000),
        ("3.001", 3, 3_001_000),
        ("0.000007", 6, 7),
    ],
)
def test_an_amount_is_read_as_typed(text, decimals, micros):
    assert money.parse(text, decimals) == micros


@pytest.mark.parametrize(
    "text", ["ten", "5.001", "", "-1", "1e3", "٥", "5.0.0", "1 000", "9" * 10, "+5", ".5", "€5"]
)
def test_what_is_no_amount_is_refused_with_a_sentence(text):
    with pytest.raises(BadAmount, match=r"for example"):
        money.parse(text)


def test_whole_units_only_where_the_currency_has_no_minor_unit():
    with pytest.raises(BadAmount, match="Whole units only"):
        money.parse("500.5", 0)


@pytest.mark.parametrize(
    ("micros", "text", "exact"),
    [
        (416_667, "0.41", "0.416667"),
        (0, "0.00", "0.000000"),
        (-3_750_000, "-3.75", "-3.750000"),
        (-4, "0.00", "-0.000004"),
        (10**15, "1000000000.00", "1000000000.000000"),
    ],
)
def test_amounts_are_written_rounded_down(micros, text, exact):
    assert (money.plain(micros), money.exact(micros)) == (text, exact)


@pytest.mark.parametrize(
    ("language", "amount", "example"), [("en", "0.41", "12.50"), ("de", "0,41", "12,50")]
)
def test_what_people_read_has_the_decimal_sign_of_their_language(language, amount, example):
    with translation.override(language):
        assert money.typed(416_667) == amount
        with pytest.raises(BadAmount, match=example):
            money.parse("5.001")


FEES = [
    (int(gross), case.get("fee_basis_points"), fee)
    for case in CASES
    for gross, fee in case.get("fee_micros_by_gross", {}).items()
]


@pytest.mark.parametrize(("gross", "basis_points", "fee"), FEES)
def test_the_fee_is_rounded_down(gross, basis_points, fee):
    assert money.fee(gross, basis_points) == fee


@given(st.integers(0, 2**63), st.integers(0, 10_000))
def test_the_fee_in_two_parts_equals_the_fee_in_one(gross, basis_points):
    assert money.fee(gross, basis_points) == gross * basis_points // 10_000


TEAMS = [case for case in CASES if "percents" in case]


@pytest.mark.parametrize("case", TEAMS, ids=[str(case["percents"]) for case in TEAMS])
def test_a_team_shares_the_net_by_percent(case):
    fee = money.fee(case["gross_micros"], 1000)
    assert fee == case["fee_micros"]
    percents = dict(enumerate(case["percents"], start=1))
    parts = money.team_parts(case["gross_micros"] - fee, percents)
    assert list(parts.values()) == case["received_micros"]


@given(st.integers(0, 10**15), st.lists(st.integers(1, 60), min_size=1, max_size=9))
def test_a_team_loses_no_micro(net, weights):
    percents = dict(enumerate(weights))
    percents[99] = 100 - sum(weights)
    if percents[99] < 1:
        with pytest.raises(ValueError, match="sum to 100"):
            money.team_parts(net, percents)
        return
    assert sum(money.team_parts(net, percents).values()) == net


@given(st.integers(0, 10**12), st.sets(st.integers(1, 10**9), max_size=300))
def test_shares_are_equal_to_a_micro_and_sum_to_the_spend(spend, things):
    shares = money.share_out(spend, things)
    assert set(shares) == things
    if things:
        ordered = [shares[thing] for thing in sorted(things)]
        assert sum(ordered) == spend
        assert ordered == sorted(ordered, reverse=True)
        assert ordered[0] - ordered[-1] <= 1


WEIGHTS = st.dictionaries(st.integers(1, 10**9), st.integers(1, 100), min_size=1, max_size=100)


@given(st.integers(0, 10**12), WEIGHTS)
def test_shares_follow_the_weights_to_a_micro_and_sum_to_the_spend(spend, weights):
    shares = money.share_out(spend, weights)
    total = sum(weights.values())
    assert list(shares) == sorted(weights)
    assert sum(shares.values()) == spend
    for thing, share in shares.items():
        assert abs(share * total - spend * weights[thing]) < total
    ordered = sorted(weights, key=lambda one: (weights[one], shares[one]))
    assert [shares[thing] for thing in ordered] == sorted(shares.values())


@given(st.integers(0, 10**12), st.sets(st.integers(1, 10**9), max_size=100), st.integers(1, 100))
def test_equal_weights_share_as_none(spend, things, weight):
    assert money.share_out(spend, dict.fromkeys(things, weight)) == money.share_out(spend, things)


@pytest.mark.parametrize(
    ("spend", "weights", "shares"),
    [
        (5_000_000, {1: 3, 2: 1, 3: 1}, [3_000_000, 1_000_000, 1_000_000]),
        # 10 / 7: remainders 3, 6, 5 of 7; two micros more.
        (10, {1: 1, 2: 2, 3: 4}, [1, 3, 6]),
        # Equal remainders: the lowest id.
        (1, {1: 1, 2: 1, 3: 2}, [0, 0, 1]),
        (3, {1: 1, 2: 1, 3: 2}, [1, 1, 1]),
        (1, {2: 1, 1: 1}, [1, 0]),
        (0, {1: 5, 2: 9}, [0, 0]),
        (7, {}, []),
    ],
)
def test_what_is_left_over_goes_to_the_largest_remainders_then_the_lowest_ids(
    spend, weights, shares
):
    assert list(money.share_out(spend, weights).values()) == shares


PAYOUTS = next(case for case in CASES if "payouts" in case)["payouts"]


@pytest.mark.parametrize("case", PAYOUTS)
def test_what_leaves_is_whole_minor_units(case):
    whole = money.whole_minor(case["revenue_micros"], case["decimals"])
    paid = whole if whole >= money.parse(case["minimum"], case["decimals"]) else 0
    assert (paid, case["revenue_micros"] - paid) == (case["paid_micros"], case["left_micros"])


def test_yen_are_split_to_the_micro():
    case = next(case for case in CASES if case.get("currency") == "JPY")
    shares = money.share_out(money.parse(case["budget"], 0), range(case["nods"]))
    assert list(shares.values()) == case["each_gross_micros"]
    assert [money.fee(share, 1000) for share in shares.values()] == case["fee_micros_each"]
