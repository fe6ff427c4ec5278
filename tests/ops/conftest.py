"""A terminal for the tests of the commands."""

import pytest

from tests import databases
from tests.ops.worlds import Terminal, small, written


@pytest.fixture
def mickle(db, capsys) -> Terminal:
    return Terminal(capsys)


@pytest.fixture
def loaded(mickle, tmp_path) -> Terminal:
    """A terminal at an instance that holds the small world."""
    assert mickle("load", written(tmp_path, small())) == 0, mickle.err
    return mickle


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Move an instance in every other way a day: each starts some processes at a database."""
    if not databases.names_some(config):
        moving = [item for item in items if item.path.name == "test_move.py"]
        databases.take_turns(config, items, moving, days=2)
