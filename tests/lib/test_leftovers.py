"""What a killed process left goes, and nothing that somebody is at."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mickle.lib import leftovers

ROOT = Path(__file__).parents[2]
_WORKS = """
import sys, time
from pathlib import Path
from mickle.lib import leftovers
with leftovers.folder(Path(sys.argv[1]), elsewhere=sys.argv[2]) as folder:
    Path(folder, "month.duckdb").write_text("who nodded at what")
    print(folder, flush=True)
    time.sleep(60)
"""
TWO_DAYS_S = 2 * 24 * 60 * 60


@contextmanager
def worker(parent: Path, elsewhere: str = "") -> Iterator[Path]:
    """A process that is at a folder, and is killed at the end of the block."""
    with subprocess.Popen(
        [sys.executable, "-c", _WORKS, parent, elsewhere],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        try:
            yield Path(process.stdout.readline().strip())
        finally:
            process.kill()


def killed(parent: Path, elsewhere: str = "") -> Path:
    """What a process left that was killed."""
    with worker(parent, elsewhere) as path:
        assert path.is_dir()
    return path


def remove_left(parent: Path, kept: Callable[[str], bool] = lambda _folder: False) -> None:
    leftovers.remove_left(parent, kept)


def test_what_a_killed_process_left_goes(tmp_path):
    path = killed(tmp_path)
    assert (path / "month.duckdb").exists()
    remove_left(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_somebody_is_at_stays_until_they_remove_it(tmp_path):
    with worker(tmp_path) as theirs, leftovers.folder(tmp_path) as ours:
        remove_left(tmp_path)
        assert (theirs / "month.duckdb").exists()
        assert Path(ours).is_dir()
    assert list(tmp_path.iterdir()) == [theirs]


@pytest.mark.parametrize(("kept", "left"), [(False, []), (True, ["elsewhere"])])
def test_what_it_left_elsewhere_goes_with_it_unless_it_is_to_be_kept(tmp_path, kept, left):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "nods.parquet").touch()
    asked = []
    killed(tmp_path, str(elsewhere))
    remove_left(tmp_path, lambda folder: not asked.append(folder) and kept)
    assert asked == [str(elsewhere)]
    assert [path.name for path in tmp_path.iterdir()] == left


def test_a_copy_of_what_somebody_was_at_removes_nothing_elsewhere(tmp_path):
    elsewhere, data, copy = (tmp_path / name for name in ("elsewhere", "data", "copy"))
    elsewhere.mkdir()
    data.mkdir()
    with worker(data, str(elsewhere)):
        shutil.copytree(data, copy)
    remove_left(copy)
    assert list(copy.iterdir()) == []
    assert elsewhere.is_dir()


def test_half_a_name_removes_nothing_elsewhere(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    path = killed(tmp_path, str(tmp_path / "elsewhere" / "2026-11"))
    (path / "held").write_text(f'["{tmp_path / "elsewhere"}')
    remove_left(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["elsewhere"]


def test_a_store_that_is_away_keeps_nobody_from_work(tmp_path, caplog):
    path = killed(tmp_path, "nowhere://bucket/mickle")
    other = killed(tmp_path)
    remove_left(tmp_path)
    assert path.is_dir()
    assert not other.is_dir()
    assert f"what was left in {path} cannot be removed" in caplog.text


@pytest.mark.parametrize("age_s", [0, TWO_DAYS_S])
def test_one_without_a_lock_goes_when_nothing_was_written_for_a_day(tmp_path, age_s):
    path = tmp_path / "duckdb-of_an_older_version"
    path.mkdir()
    file = path / "month.duckdb"
    file.touch()
    for one in (file, path):
        os.utime(one, (time.time() - age_s,) * 2)
    remove_left(tmp_path)
    assert path.exists() is not bool(age_s)
