"""Which deeds die on which database."""

import pytest

from tests import databases

# What moves money in and out dies in each run on both.
ALWAYS = {
    "test_settlement_survives_death_anywhere",
    "test_a_top_up_survives_death_anywhere",
    "test_a_payout_survives_death_anywhere",
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let every other deed die on one database a day by turns, and with --long on both."""
    if config.getoption("keyword") or any("::" in str(word) for word in config.args):
        return
    ahead = config.getoption("--database") == "postgresql"
    dying = [i for i in items if i.path.match("crash/test_dying.py") and i.name not in ALWAYS]
    out = set(dying).difference(databases.drawn(config, dying, days=2, ahead=ahead))
    items[:] = [item for item in items if item not in out]
    config.hook.pytest_deselected(items=list(out))
