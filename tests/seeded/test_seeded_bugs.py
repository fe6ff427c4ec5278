"""The tests are tested: each bug planted here, alone, in a copy, is caught by the test named.

A run plants one of twenty, each day others, so that all are planted within as many days; all at
once with --long. A bug that is no longer there to plant fails every run, so the list cannot rot.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import databases
from tests.migrated import TEMPLATE, kept
from tests.once import made_once
from tests.seeded.bug import Bug
from tests.seeded.bugs import BUGS
from tests.seeded.forks import Forks, Ran

HOUSE = Path(__file__).resolve().parents[2]
# What decides how a migrated database looks; a bug in there is planted before it is migrated.
SCHEMA = (
    "migrations/",
    "apps.py",
    "ledger/_guards.py",
    "teams/_guards.py",
    "things/_search_index.py",
)
# In how many days each bug was planted once.
DAYS = 20
# The libraries' own assertions need no rewriting.
QUIETLY = ("-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning")


def run_tests(forks: Forks, tree: Path, *words: str, database: str = "sqlite", **more: str) -> Ran:
    """Run tests of the tree, in a process that knows nothing of this one."""
    few = ("-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header")
    words = (*few, "--hypothesis-profile=unshrunk", *QUIETLY, f"--database={database}", *words)
    return forks.pytest(tree, *words, said=tree.with_name("said.txt"), **more)


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """Where the runs come from."""
    found = Forks()
    yield found
    found.stop()


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory, forks: Forks) -> Path:
    """The house as it is, compiled."""
    return made_once(tmp_path_factory, "pristine", lambda tree: _house(tree, forks))


def _house(tree: Path, forks: Forks) -> None:
    for folder in ("mickle", "tests"):
        ignore = shutil.ignore_patterns("__pycache__", "seeded")
        shutil.copytree(HOUSE / folder, tree / folder, ignore=ignore)
    shutil.copy(HOUSE / "pyproject.toml", tree)
    # Whatever is collected is compiled for those to come.
    catching = dict.fromkeys(bug.caught_by.split()[0].partition("::")[0] for bug in BUGS)
    collected = run_tests(forks, tree, *catching, "--collect-only")
    assert collected.returncode == 0, collected.stdout[-2000:]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Draw the bugs of the day."""
    if "bug" in metafunc.fixturenames:
        drawn = databases.drawn(metafunc.config, BUGS, days=DAYS)
        metafunc.parametrize("bug", drawn, ids=[bug.name for bug in drawn])


def test_each_bug_has_a_place_and_a_test():
    for bug in BUGS:
        text = (HOUSE / "mickle" / bug.file).read_text()
        assert bug.old in text, f"there is no place to plant it in {bug.file}: {bug.name}"
        catching = HOUSE / bug.caught_by.split()[0].partition("::")[0]
        assert catching.exists(), f"{catching} is not there to catch it: {bug.name}"


@pytest.mark.slow
def test_a_seeded_bug_is_caught(bug: Bug, pristine: Path, forks: Forks, tmp_path: Path):
    tree = tmp_path / "tree"
    # Links are enough: the one file that changes is a new one, and so is any new bytecode.
    shutil.copytree(pristine, tree, copy_function=os.link)
    file = tree / "mickle" / bug.file
    text = file.read_text()
    header = "import os\n" if "os.urandom" in bug.new else ""
    file.unlink()
    file.write_text(header + text.replace(bug.old, bug.new))
    more = {}
    if not any(place in bug.file for place in SCHEMA):
        more = {TEMPLATE: str(kept())}
    run = run_tests(forks, tree, *bug.caught_by.split(), database=bug.database, **more)
    said = run.stdout[-2000:]
    assert run.returncode == 1, f"{bug.caught_by} did not catch it:\n{said}"
    # A test that could not begin has caught nothing.
    assert "1 failed" in said.splitlines()[-1], said
    assert "no such table" not in run.stdout, said
