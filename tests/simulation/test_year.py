"""One seed drives app, database, bank and clock through a year; a failing seed is lived again.

Half of the seeds are charged afterwards. A few in every run, a thousand with --long.
"""

import pytest
from django.db import connection
from django.test import override_settings

from mickle.ledger import ledger
from tests.crash.dying import picture
from tests.emptying import empty
from tests.simulation.year import Year

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    # A dead process closes no cursor.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

QUICK, LONG, TOGETHER = {"sqlite": 2, "postgresql": 1}, 1_000, 25


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A few years; with --long a thousand in lots, which several processes share out."""
    if "seeds" in metafunc.fixturenames:
        long = metafunc.config.getoption("--long")
        upto = LONG if long else QUICK[connection.vendor]
        lots = [range(at, min(at + TOGETHER, upto + 1)) for at in range(1, upto + 1, TOGETHER)]
        metafunc.parametrize("seeds", lots, ids=[f"{lot[0]} to {lot[-1]}" for lot in lots])


def live(seed: int, days: int = 365) -> Year:
    """A year from the beginning, and its invariants whenever a month has gone."""
    empty()
    modes = {
        "MODE": ("prepaid", "arrears")[seed % 2],
        "IDLE_POLICY": ("keep", "charity")[seed % 3 // 2],
    }
    with override_settings(BANK_IBAN="DE89370400440532013000", BANK_NAME="Mickle", **modes):
        year = Year(seed)
        for _month in range(0, days, 30):
            year.live(30)
            assert year.checks() == [], f"seed {seed}, {year.at}"
    return year


def test_every_seed_keeps_the_books(seeds):
    deaths = faults = 0
    for seed in seeds:
        year = live(seed)
        # Some years are quieter than others.
        assert 0 not in (year.deaths, year.faults), f"seed {seed}"
        deaths += year.deaths
        faults += year.faults
        assert ledger.total("REVENUE") + ledger.total("FEE") > 0
    assert deaths > 8 * len(seeds)
    assert faults > 6 * len(seeds)


def test_a_seed_lives_the_same_year_again():
    live(7, days=60)
    first = picture()
    live(7, days=60)
    assert picture() == first
