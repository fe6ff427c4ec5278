"""The backend that settings name; all but the state of a new connection is Django's own."""

# mypy: disable-error-code=misc
# What a backend has of its own is Django's, and has no types.

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Compiles no statement.

    What a range of a settlement reads is planned as if all of it were read, and half a second was
    spent compiling what then ran for ten milliseconds.
    """

    def init_connection_state(self) -> None:
        """Say so to the server once."""
        super().init_connection_state()
        with self.cursor() as cursor:
            cursor.execute("SET jit = off")
