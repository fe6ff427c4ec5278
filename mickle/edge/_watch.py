"""Hears of what other connections and processes wrote, while somebody listens."""

import threading
from collections.abc import Callable

from mickle.edge import _database

# How long a wait goes on before the thread looks whether anybody listens still.
LOOK_S = 1.0


class Watch:
    """A thread that waits for changes and tells of them; none while nobody listens."""

    def __init__(self, changed: Callable[[], None], listening: Callable[[], bool]) -> None:
        """Both are called in the thread."""
        self._changed, self._listening = changed, listening
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self._guard, self._running = threading.Lock(), False

    def begin(self) -> None:
        """Watch, if nothing does yet."""
        with self._guard:
            if not self._running:
                self._running = True
                self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while self._goes_on():
            try:
                self._watch()
            except _database.FAILURES:
                # Counts are read twice a second all the same; being told comes back by itself.
                self._stopped.wait(LOOK_S)

    def _goes_on(self) -> bool:
        # Whoever begins to listen while the thread decides to end waits, and begins another.
        with self._guard:
            self._running = not self._stopped.is_set() and self._listening()
            return self._running

    def _watch(self) -> None:
        database = _database.connect()
        try:
            while not self._stopped.is_set() and self._listening():
                if database.wait(LOOK_S):
                    self._changed()
        finally:
            database.close()

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
