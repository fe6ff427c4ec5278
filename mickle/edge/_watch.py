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

    def begin(self) -> None:
        """Watch, if nothing does yet."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self._stopped.is_set() and self._listening():
            try:
                self._watch()
            except _database.FAILURES:
                # Counts are read twice a second all the same; being told comes back by itself.
                self._stopped.wait(LOOK_S)

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
