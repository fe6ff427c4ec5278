"""Which year is lived on which database."""

import pytest

from tests import databases


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Each year is lived on one database a day by turns, and with --long on both."""
    if databases.names_some(config):
        return
    ahead = config.getoption("--database") == "postgresql"
    years = [item for item in items if item.path.parent.name == "simulation"]
    databases.take_turns(config, items, years, days=2, ahead=ahead)
