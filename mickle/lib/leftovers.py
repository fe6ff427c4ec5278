"""Folders that go with the process that made them, and what a killed one left.

Whoever works in such a folder holds a lock on a file in it, which goes with its process. What
nobody holds was left, and whoever sees it may remove it.
"""

import fcntl
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from mickle.lib import files

PREFIX = "duckdb-"
_LOCK = "held"
# For one that has no lock: its process was killed before it had, or was of a version without.
_OLD_S = 24 * 60 * 60

log = logging.getLogger(__name__)


@contextmanager
def folder(parent: Path, *, elsewhere: str = "") -> Iterator[str]:
    """A new folder of this process for as long as the block runs.

    `elsewhere` is another one, or one in an object store, that is of no use if it is killed.
    """
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=parent) as path:
        new = Path(path) / "new"
        with new.open("w", encoding="utf-8") as lock:
            json.dump([elsewhere, _number(lock)], lock)
            lock.flush()
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Nobody sees it before it is held.
            new.rename(new.with_name(_LOCK))
            yield path


def remove_left(parent: Path, is_kept: Callable[[str], bool]) -> None:
    """Remove what killed processes left, with what was elsewhere unless that is to be kept."""
    for path in parent.glob(f"{PREFIX}*"):
        try:
            _remove(path, is_kept)
        except FileNotFoundError:
            # Whoever was at it removed it themselves meanwhile.
            continue
        except Exception as error:  # noqa: BLE001 - an object store raises what it likes
            # It stays for the next who looks, and keeps nobody from work.
            log.warning("what was left in %s cannot be removed: %s", path, type(error).__name__)


def _remove(path: Path, is_kept: Callable[[str], bool]) -> None:
    try:
        lock = (path / _LOCK).open("r+", encoding="utf-8")
    except FileNotFoundError:
        if time.time() - _written_at(path) > _OLD_S:
            shutil.rmtree(path, ignore_errors=True)
        return
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        elsewhere = _noted(lock.read(), _number(lock))
        if elsewhere and not is_kept(elsewhere):
            files.remove(elsewhere)
        shutil.rmtree(path, ignore_errors=True)


def _number(lock: TextIO) -> int:
    """The number of a file on its disk; a copy of it has another."""
    return os.fstat(lock.fileno()).st_ino


def _noted(text: str, number: int) -> str:
    """The folder elsewhere; none where a power cut left half a name, which may be another's.

    None either in a copy, such as a backup: whoever it was copied from may need that folder.
    """
    try:
        elsewhere, noted = json.loads(text)
    except ValueError:
        return ""
    return str(elsewhere) if noted == number else ""


def _written_at(path: Path) -> float:
    """When something in a folder was written last."""
    return max((one.lstat().st_mtime for one in [path, *path.rglob("*")]), default=0.0)
