"""Which deeds die on which database."""

import pytest

from tests import databases

# What moves money in and out dies in each run on both.
ALWAYS = {
    "test_settlement_survives_death_anywhere",
    "test_a_top_up_survives_death_anywhere",
    "test_a_payout_survives_death_anywhere",
}
TURNS = {"test_dying.py", "test_kill_mailing.py"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let every other deed die on one database a day by turns, and with --long on both."""
    if databases.names_some(config):
        return
    ahead = config.getoption("--database") == "postgresql"
    here = [item for item in items if item.path.parent.name == "crash"]
    dying = [i for i in here if i.path.name in TURNS and i.name not in ALWAYS]
    databases.take_turns(config, items, dying, days=2, ahead=ahead)
