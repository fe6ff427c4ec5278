"""Which year is lived on PostgreSQL."""

import pytest

from tests import databases


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL the year of an economy and the one that is drawn take turns by the day."""
    if config.getoption("--database") != "postgresql" or databases.names_some(config):
        return
    years = [item for item in items if item.path.parent.name == "simulation"]
    out = set(years).difference(databases.drawn(config, years, days=2))
    items[:] = [item for item in items if item not in out]
    config.hook.pytest_deselected(items=list(out))
