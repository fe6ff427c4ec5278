"""A worker: looks what the clock has made due, does it by way of the queue, and waits."""

import logging
import os
import secrets
import socket
import threading

from django.db import connections
from django_tasks import DEFAULT_TASK_BACKEND_ALIAS, DEFAULT_TASK_QUEUE_NAME
from django_tasks_db.management.commands.db_worker import Worker as Queue

from mickle.instance import instance
from mickle.jobs import jobs
from mickle.ops import deeds

EVERY_S = 60
# Somebody may watch a page for what a worker does.
SOON_S = 3
# How long a stop waits for the step that is under way; what it cuts off goes on at the next start.
STOPS_WITHIN_S = 3
# As the queue keeps it.
_ID_LENGTH = 64

log = logging.getLogger(__name__)


class Worker(threading.Thread):
    """Works at once and then whenever something is due, until it is stopped."""

    def __init__(self) -> None:
        super().__init__(name="worker", daemon=True)
        self._end = threading.Event()
        self._queue: Queue | None = None
        self._unasked: set[str] = set()
        where = f"{socket.gethostname()[:40]}-{os.getpid()}"
        self._id = f"{where}-{secrets.token_hex(4)}"[:_ID_LENGTH]

    def run(self) -> None:
        """Work; no connection is kept while there is nothing to do."""
        while not self._end.is_set():
            busy = self._round()
            connections.close_all()
            if not busy and self._rest():
                return

    def _rest(self) -> bool:
        """Wait until it is time to look again, or somebody waits; True when it is told to end."""
        for _turn in range(int(EVERY_S / SOON_S)):
            if self._end.wait(SOON_S):
                return True
            if self._is_waited_for():
                return False
        return False

    def _is_waited_for(self) -> bool:
        try:
            return deeds.proofs_to_look_at(instance.now())
        except Exception:  # noqa: BLE001 - the next round says what is wrong
            return False
        finally:
            connections.close_all()

    def _round(self) -> bool:
        """One look that survives whatever happens, such as a database that is away."""
        try:
            return self.look()
        except Exception as error:  # noqa: BLE001 - looks again in a while
            log.error("worker: %s", jobs.sentence(error))  # noqa: TRY400
            return False

    def look(self) -> bool:
        """Ask for what is due, and do what stands in the queue; False when nothing was due."""
        jobs.works_until(self._end)
        self._unasked.clear()
        asked = deeds.ask_for_what_is_due(instance.now(), self._unasked)
        if jobs.waiting():
            # Until the queue is empty: only then does it take the lock of a writer to look.
            queue = self._queue = Queue(
                queue_names=[DEFAULT_TASK_QUEUE_NAME],
                interval=1,
                batch=True,
                backend_name=DEFAULT_TASK_BACKEND_ALIAS,
                startup_delay=False,
                max_tasks=None,
                worker_id=self._id,
                excluded_queue_names=[],
            )
            queue.running = not self._end.is_set()
            queue.run()
        return asked > 0

    def failing(self) -> list[str]:
        """What could not be asked for at the last look, and what failed when it was last done."""
        return sorted(self._unasked | jobs.failing())

    def stop(self) -> None:
        """Let the step that is under way finish, for at most three seconds, and no other begin."""
        self._end.set()
        if self._queue is not None:
            self._queue.running = False
        if self.is_alive():
            self.join(STOPS_WITHIN_S)
