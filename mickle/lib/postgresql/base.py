"""The backend that settings name; all but a new connection is Django's own."""

# mypy: disable-error-code=misc
# What a backend has of its own is Django's, and has no types.

from typing import Any

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Sees at each statement what others have committed, and compiles none.

    A server may have another default for the first: a nod that waited at the fence with a snapshot
    from before would not see that its month has closed. For the second, what a range of a
    settlement reads is planned as if all of it were read, and half a second was spent compiling
    what then ran for ten milliseconds.
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection, also for whoever has one without Django's cursors."""
        raw = super().get_new_connection(conn_params)
        # In a transaction it would go with it.
        raw.autocommit = True
        raw.execute("SET default_transaction_isolation = 'read committed'")
        return raw

    def init_connection_state(self) -> None:
        """Say so to the server once."""
        super().init_connection_state()
        with self.cursor() as cursor:
            cursor.execute("SET jit = off")
