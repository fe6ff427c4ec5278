"""The tests are tested: each bug planted here, alone, in a copy, is caught by the test named.

A bug that is no longer there to plant fails too, so this list cannot rot.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.migrated import TEMPLATE
from tests.seeded.bug import Bug
from tests.seeded.bugs import BUGS

HOUSE = Path(__file__).resolve().parents[2]
# What decides how a migrated database looks; a bug in there is planted before it is migrated.
SCHEMA = ("migrations/", "apps.py", "ledger/_guards.py", "things/_search_index.py")


def run_tests(
    tree: Path, *words: str, database: str = "sqlite", **more: str
) -> subprocess.CompletedProcess[str]:
    """Run tests of the tree, in a process that knows nothing of this one."""
    ours = ("PYTEST_", "MICKLE_", "DATABASE_URL", "PYTHONDONTWRITEBYTECODE")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"),
            *("-p", "no:xdist", "--no-header", f"--database={database}", *words),
        ],
        cwd=tree,
        env=env | {"PYTHONPATH": str(tree)} | more,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The house as it is, compiled, with an empty database that has its tables."""
    tree = tmp_path_factory.mktemp("pristine")
    for folder in ("mickle", "tests"):
        ignore = shutil.ignore_patterns("__pycache__", "seeded", "locale")
        shutil.copytree(HOUSE / folder, tree / folder, ignore=ignore)
    shutil.copy(HOUSE / "pyproject.toml", tree)
    # Whatever else is collected is compiled for those to come.
    catching = dict.fromkeys(bug.caught_by.split()[0].partition("::")[0] for bug in BUGS)
    keep = ("tests/migrated.py", *catching, "-k", "a_migrated_database_is_kept")
    made = run_tests(tree, *keep, **{TEMPLATE: str(tree / "made.sqlite3")})
    assert made.returncode == 0, made.stdout[-2000:]
    return tree


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS, ids=[bug.name for bug in BUGS])
def test_a_seeded_bug_is_caught(bug: Bug, pristine: Path, tmp_path: Path):
    tree = tmp_path / "tree"
    # Links are enough: the one file that changes is a new one, and so is any new bytecode.
    shutil.copytree(pristine, tree, copy_function=os.link)
    file = tree / "mickle" / bug.file
    text = file.read_text()
    assert bug.old in text, f"there is no place to plant it in {bug.file}"
    header = "import os\n" if "os.urandom" in bug.new else ""
    file.unlink()
    file.write_text(header + text.replace(bug.old, bug.new))
    more = {}
    if not any(place in bug.file for place in SCHEMA):
        more = {TEMPLATE: str(pristine / "made.sqlite3")}
    run = run_tests(tree, *bug.caught_by.split(), database=bug.database, **more)
    said = run.stdout[-2000:]
    assert run.returncode == 1, f"{bug.caught_by} did not catch it:\n{said}"
    # A test that could not begin has caught nothing.
    assert "1 failed" in said.splitlines()[-1], said
    assert "no such table" not in run.stdout, said
