"""What is measured on which day."""

import pytest

from tests import databases

# Four processes that start an instance.
DEAR = "test_growth_is_measured_and_agrees_with_numpy"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Measure growth one day in six, and whenever it is named."""
    if databases.names_some(config) or databases.drawn(config, ["today's"], days=6):
        return
    databases.leave_out(config, items, [item for item in items if item.name == DEAR])
