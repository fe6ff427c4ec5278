"""Whose turn it is, among all threads and processes of a machine: files and flock, no table."""

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mickle.lib._fetch_said import failure

# A host is asked once in this time, and over one connection.
GAP_S = 1.0
_STEP_S = 0.05
_IDLE_S = 60


class Turns:
    """Locks by name in a folder; `clock` is the machine's, seconds that all processes share."""

    def __init__(
        self, folder: Path, *, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._folder, self._clock, self._sleep = folder, clock, sleep
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    @contextmanager
    def alone(self, url: str, *, host: str, patience_s: float) -> Iterator[None]:
        """Nobody else asks for the address; raises Unreachable when it takes too long."""
        with self._locked(f"url-{_digest(url)}", host, patience_s) as (path, _held):
            try:
                yield
            finally:
                # Whoever waits sees that the file it opened is no longer there.
                path.unlink(missing_ok=True)

    @contextmanager
    def at_host(self, host: str, *, patience_s: float, gap_s: float = GAP_S) -> Iterator[None]:
        """The one connection to a host, begun no sooner than a gap after the last one ended."""
        with self._locked(f"host-{_digest(host)}", host, patience_s) as (_path, held):
            # A clock that was set back makes nobody wait for longer than the gap.
            wait = min(_ended(held) + gap_s - self._clock(), gap_s)
            if wait > 0:
                self._sleep(wait)
            # Also now: whoever dies on the way has asked all the same.
            self._stamp(held)
            try:
                yield
            finally:
                self._stamp(held)

    @contextmanager
    def _locked(self, name: str, host: str, patience_s: float) -> Iterator[tuple[Path, int]]:
        path = self._folder / name
        waited = 0.0
        while (held := _held(path)) is None:
            if waited >= patience_s:
                raise failure("busy", host=host)
            self._sleep(_STEP_S)
            waited += _STEP_S
        try:
            yield path, held
        finally:
            os.close(held)

    def _stamp(self, held: int) -> None:
        os.pwrite(held, f"{self._clock():020.6f}".encode(), 0)

    def prune(self) -> None:
        """Remove the files of hosts that nobody asked for in a minute."""
        # Files have the machine's time, whatever clock decides whose turn it is.
        before = time.time() - _IDLE_S
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    _remove(path)


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:40]


def _held(path: Path) -> int | None:
    """The file with its lock, or nothing where somebody else has it or took the file away."""
    held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(held).st_ino == path.stat().st_ino:
            return held
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(held)
    return None


def _ended(held: int) -> float:
    try:
        return float(os.pread(held, 40, 0))
    except ValueError:
        return -GAP_S


def _remove(path: Path) -> None:
    """Remove the file unless somebody is in it; who waits for it sees that it is another."""
    if (held := _held(path)) is not None:
        path.unlink(missing_ok=True)
        os.close(held)
