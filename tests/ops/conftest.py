"""A terminal for the tests of the commands."""

import pytest

from tests.ops.worlds import Terminal, small, written


@pytest.fixture
def mickle(db, capsys) -> Terminal:
    return Terminal(capsys)


@pytest.fixture
def loaded(mickle, tmp_path) -> Terminal:
    """A terminal at an instance that holds the small world."""
    assert mickle("load", written(tmp_path, small())) == 0, mickle.err
    return mickle
