"""A process of its own that asks a fetcher for pages in many threads; time is in a shared file."""

import fcntl
import json
import os
import struct
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import django

from mickle.lib import fetch
from tests.lib.street import AGENT, AT


class SharedClock:
    """Seconds in a file, which pass only while somebody sleeps, in whatever process."""

    def __init__(self, path: Path) -> None:
        self._guard = threading.Lock()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT)
        if not os.fstat(self._file).st_size:
            os.pwrite(self._file, struct.pack("d", 1_000_000.0), 0)

    def read(self) -> float:
        return struct.unpack("d", os.pread(self._file, 8, 0))[0]

    def sleep(self, seconds: float) -> None:
        # The one is for threads, the other for processes.
        with self._guard:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            os.pwrite(self._file, struct.pack("d", self.read() + seconds), 0)
            fcntl.lockf(self._file, fcntl.LOCK_UN)
        # Whoever is waited for needs the processor.
        time.sleep(0.001)

    def close(self) -> None:
        os.close(self._file)


def ask(folder: Path, port: int, pages: int, times: int) -> Counter:
    """Ask for each of the pages so many times, by eight threads; what came of it."""
    clock = SharedClock(folder / "clock")
    came: Counter = Counter()
    guard = threading.Lock()
    reader = fetch.Fetcher(
        folder=folder,
        agent=AGENT,
        allowed=lambda address, at: (address, at) == ("127.0.0.1", port),
        clock=clock.read,
        sleep=clock.sleep,
        limits=fetch.Limits(patience_s=1e9),
    )

    def some(first: int) -> None:
        for number in range(first, times * pages, 8):
            try:
                found = reader.get(f"http://127.0.0.1:{port}/{number % pages}", at=AT)
                said = "kept" if found.from_cache else "read"
            except fetch.Failed as error:
                said = error.code
            with guard:
                came[said] += 1

    threads = [threading.Thread(target=some, args=(first,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clock.close()
    return came


if __name__ == "__main__":
    django.setup()
    place = Path(sys.argv[1])
    (place / f"ready-{os.getpid()}").touch()
    while not (place / "go").exists():
        time.sleep(0.001)
    sys.stdout.write(json.dumps(ask(place, *map(int, sys.argv[2:]))))
