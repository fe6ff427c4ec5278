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
    if databases.names_some(config):
        return
    moving = [item for item in items if item.path.name == "test_move.py"]
    out = set(moving).difference(databases.drawn(config, moving, days=2))
    items[:] = [item for item in items if item not in out]
    config.hook.pytest_deselected(items=list(out))
