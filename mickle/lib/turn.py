"""First come, first served: the order in which the threads of one process write to SQLite.

SQLite's own busy timeout is unfair: beside a busy writer others waited for seconds (measured).
Between processes it is all there is.
"""

from collections import deque
from threading import Lock
from types import TracebackType


class Turn:
    """A lock that is had in the order in which it was asked for; not to be taken twice."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._taken = False
        self._waiting: deque[Lock] = deque()

    def take(self) -> None:
        """Wait for one's turn."""
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            mine = Lock()
            mine.acquire()
            self._waiting.append(mine)
        mine.acquire()

    def give(self) -> None:
        """Let the next one have it."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False

    def __enter__(self) -> None:
        self.take()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.give()


TURN = Turn()
