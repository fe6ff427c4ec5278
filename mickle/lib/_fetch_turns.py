"""Whose turn it is, among all threads and processes of a machine: files and flock, no table."""

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from mickle.lib._fetch_later import AT_MOST_S
from mickle.lib._fetch_said import failure

# A host is asked once in this time, and over one connection.
GAP_S = 1.0
_STEP_S = 0.05
_IDLE_S = 60
# What one party of a host asks for holds the others for so long at most, and then not soon again:
# whoever has a page there would else decide when theirs are read.
OTHERS_S, FREE_S = 600.0, 3_000.0
# A file says when the last request ended, until when the host (or the party that it is of) asked to
# be left alone, and until when all of the host are.
_WIDTH = 20
_LAST, _OWN, _ALL = 0, _WIDTH, 2 * _WIDTH

Rests = Callable[[float], None]


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
    def at_host(
        self, host: str, *, speaker: str, patience_s: float, gap_s: float = GAP_S
    ) -> Iterator[Rests]:
        """The one connection to a host, begun no sooner than a gap after the last one ended.

        What is yielded takes for how many seconds whoever speaks for the page asks to be left
        alone. Nobody waits for that: until it is over Unreachable is raised, unless a member waits
        for it (`gap_s` is 0).
        """
        with ExitStack() as locks:
            lock = self._locked(f"host-{_digest(host)}", host, patience_s)
            _path, held = locks.enter_context(lock)
            own = held
            if speaker != host:
                lock = self._locked(f"party-{_digest(speaker)}", host, patience_s)
                _path, own = locks.enter_context(lock)
            if gap_s and (self._rests(own, _OWN) or self._rests(held, _ALL)):
                raise failure("later", host=host)
            # A clock that was set back makes nobody wait for longer than the gap.
            wait = min(_read(held, _LAST) + gap_s - self._clock(), gap_s)
            if wait > 0:
                self._sleep(wait)
            # Also now: whoever dies on the way has asked all the same.
            self._stamp(held)
            try:
                yield lambda seconds: self._rest(held, own, seconds)
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
        _write(held, _LAST, self._clock())

    def _rest(self, held: int, own: int, seconds: float) -> None:
        if seconds:
            now = self._clock()
            _write(own, _OWN, now + seconds)
            if self._may_hold_others(held):
                _write(held, _ALL, now + min(seconds, OTHERS_S))

    def _rests(self, held: int, which: int) -> bool:
        """Whether somebody asked to be left alone; nobody asks for longer than is believed."""
        return 0 < _read(held, which) - self._clock() <= AT_MOST_S

    def _may_hold_others(self, held: int) -> bool:
        """Whether the others are free, and have been for long enough to be held again."""
        return not -OTHERS_S <= self._clock() - _read(held, _ALL) < FREE_S

    def prune(self) -> None:
        """Remove the files of hosts that nobody asked for in a minute, and that wish nothing."""
        # Files have the machine's time, whatever clock decides whose turn it is.
        before = time.time() - _IDLE_S
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    self._remove(path)

    def _remove(self, path: Path) -> None:
        """Remove the file unless somebody is in it; who waits for it sees that it is another."""
        if (held := _held(path)) is not None:
            if not self._rests(held, _OWN) and self._may_hold_others(held):
                path.unlink(missing_ok=True)
            os.close(held)


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


def _write(held: int, start: int, instant: float) -> None:
    os.pwrite(held, f"{instant:0{_WIDTH}.6f}".encode(), start)


def _read(held: int, start: int) -> float:
    """An instant in the file; long ago where there is none."""
    try:
        return float(os.pread(held, _WIDTH, start))
    except ValueError:
        return -GAP_S
