"""Questions to PostgreSQL on the event loop, without a thread: many in one message.

The server answers in order, and while it does the loop goes on: what comes next is sent behind what
is being answered. See https://www.postgresql.org/docs/current/libpq-pipeline-mode.html
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus

from mickle.edge._database import Names, Rows

# Hears the rows of each question of a message, or why there are none.
Heard = Callable[[list[Rows] | Exception], None]
Question = tuple[str, Names]

COMMIT: Question = ("COMMIT", {})
ROLLBACK: Question = ("ROLLBACK", {})
_NAMED = re.compile(r"%\((\w+)\)s")
_INT8_OID = 20
_ANY_OID = 0


class Pipeline:
    """One connection; a message that fails ends it, and whoever waits hears of the failure."""

    def __init__(self, raw: psycopg.Connection[Any]) -> None:
        """Take over a connection that commits by itself and asks nothing more; on its loop."""
        self._raw, self._link = raw, raw.pgconn
        self._adapt = Transformer(raw)
        self._loop = asyncio.get_running_loop()
        # By text: the name it was prepared under, and the names of its values in order.
        self._prepared: dict[str, tuple[bytes, list[str]]] = {}
        # What is under way: the texts that were sent (empty: a preparation), and who hears.
        self._sent: deque[str] = deque()
        self._hearing: deque[Heard] = deque()
        self._answers: list[Rows] = []
        self._writes = False
        self.is_open = True
        self._link.nonblocking = 1
        self._link.enter_pipeline_mode()
        # By its number, which the driver does not say any more when the connection is lost.
        self._socket = self._link.socket
        self._loop.add_reader(self._socket, self._read)

    def ask(self, *questions: Question, heard: Heard) -> None:
        """Send questions as one message; `heard` is called on the loop, never before this ends."""
        if not self.is_open:
            self._loop.call_soon(heard, psycopg.OperationalError("the connection is closed"))
            return
        self._hearing.append(heard)
        try:
            for text, names in questions:
                self._send(text, names)
            self._link.pipeline_sync()
            self._flush()
        except Exception as error:  # noqa: BLE001 - whoever waits hears of it
            # At once: no answer is to come, and whoever reads would look for it for ever.
            self.close()
            self._loop.call_soon(self.fail, error)

    def _send(self, text: str, names: Names) -> None:
        known = self._prepared.get(text)
        order = known[1] if known else list(dict.fromkeys(_NAMED.findall(text)))
        given = [names[name] for name in order]
        values = self._adapt.dump_sequence(given, [PyFormat.TEXT] * len(given))
        if known is None:
            known = self._prepare(text, order, given)
        self._link.send_query_prepared(known[0], values)
        self._sent.append(text)

    def _prepare(self, text: str, order: list[str], given: list[Any]) -> tuple[bytes, list[str]]:
        known = f"mickle_{len(self._prepared)}".encode(), order
        places = {name: f"${place}" for place, name in enumerate(order, 1)}
        numbered = _NAMED.sub(lambda found: places[found[1]], text)
        # A small number says nothing of how large the next one is.
        oids = {int: _INT8_OID, str: _ANY_OID}
        types = [
            oids.get(type(one), kind)
            for one, kind in zip(given, self._adapt.types or (), strict=True)
        ]
        self._link.send_prepare(known[0], numbered.encode(), types)
        self._sent.append("")
        self._prepared[text] = known
        return known

    def _flush(self) -> None:
        """Send what is to be sent; the rest when the server takes more."""
        left = bool(self._link.flush())
        if left and not self._writes:
            self._loop.add_writer(self._socket, self._flush_later)
        elif self._writes and not left:
            self._loop.remove_writer(self._socket)
        self._writes = left

    def _flush_later(self) -> None:
        try:
            self._flush()
        except Exception as error:  # noqa: BLE001 - whoever waits hears of it
            self.fail(error)

    def _read(self) -> None:
        try:
            self._link.consume_input()
            while self.is_open and self._hearing and not self._link.is_busy():
                self._take()
        except Exception as error:  # noqa: BLE001 - whoever waits hears of it
            self.fail(error)

    def _take(self) -> None:
        """One result; raises what the server refuses."""
        result = self._link.get_result()
        # Behind the results of each question stands one that is none.
        if result is None:
            return
        if result.status == ExecStatus.PIPELINE_SYNC:
            heard, self._answers, answers = self._hearing.popleft(), [], self._answers
            heard(answers)
            return
        if result.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
            raise error_from_result(result)
        text = self._sent.popleft()
        if text == COMMIT[0] and result.command_status != COMMIT[0].encode():
            raise psycopg.OperationalError("what was to be committed was undone")
        if text:
            self._adapt.set_pgresult(result)
            self._answers.append(self._adapt.load_rows(0, result.ntuples, tuple))

    def fail(self, error: Exception) -> None:
        """End it, and let everybody who waits hear why."""
        self.close()
        hearing, self._hearing = list(self._hearing), deque()
        for heard in hearing:
            heard(error)

    def close(self) -> None:
        """Give the connection back; what was not answered is undone."""
        if not self.is_open:
            return
        self.is_open = False
        if not self._loop.is_closed():
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
        self._raw.close()
