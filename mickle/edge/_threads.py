"""One thread with one connection of its own, for the event loop to hand work to."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Concatenate, ParamSpec, TypeVar

from mickle.edge import _database
from mickle.edge._database import Database

Given = ParamSpec("Given")
Input = TypeVar("Input")
Result = TypeVar("Result")


class Worker:
    """Runs one thing at a time on a connection that is opened when it is first needed."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._database: Database | None = None

    async def run(
        self,
        deed: Callable[Concatenate[Database, Given], Result],
        *given: Given.args,
        **named: Given.kwargs,
    ) -> Result:
        """The deed's result; what fails on a connection that was lost is tried once more."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: self._run(deed, *given, **named))

    def hand(
        self,
        deed: Callable[[Database, Input], Result],
        given: Input,
        then: Callable[[Result | Exception], None],
    ) -> None:
        """The same without a task: `then` hears the result, or what was raised, on this loop.

        Raises RuntimeError when the thread has ended.
        """
        loop = asyncio.get_running_loop()

        def handed() -> None:
            said: Result | Exception
            try:
                said = self._run(deed, given)
            except Exception as error:  # noqa: BLE001 - whoever waits hears of it
                said = error
            loop.call_soon_threadsafe(then, said)

        self._thread.submit(handed)

    def _run(
        self,
        deed: Callable[Concatenate[Database, Given], Result],
        *given: Given.args,
        **named: Given.kwargs,
    ) -> Result:
        try:
            return deed(self._connected(), *given, **named)
        except Exception as error:
            if not _database.lost(error):
                raise
            # A server that was restarted meanwhile is worth one more try on a new connection.
            self._disconnect()
            return deed(self._connected(), *given, **named)

    def _connected(self) -> Database:
        if self._database is None:
            self._database = _database.connect()
        return self._database

    def _disconnect(self) -> None:
        if self._database is not None:
            database, self._database = self._database, None
            database.close()

    def close(self) -> None:
        """Let what runs end, give the connection back and end the thread."""
        self._thread.submit(self._disconnect).result()
        self._thread.shutdown()
