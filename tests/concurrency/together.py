"""Many clients doing the same at once, each in a thread with its own connection."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connection


def together(clients: int, deed: Callable[[int], object]) -> list[object]:
    """Run `deed(client)` in all clients at once; an exception is a result, like an answer."""
    gate = Barrier(clients)

    def one(client: int) -> object:
        try:
            gate.wait()
            return deed(client)
        except Exception as error:  # noqa: BLE001 - the caller looks at what came back
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(one, range(clients)))
