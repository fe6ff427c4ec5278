"""The backend that settings name; all but the turn is Django's own."""

# mypy: disable-error-code=misc
# The methods of transactions are Django's own for backends, and have no types.

from typing import Any

from django.db.backends.sqlite3 import base

from mickle.lib import turn


class DatabaseWrapper(base.DatabaseWrapper):
    """Takes the turn before BEGIN IMMEDIATE and keeps it until the transaction has ended."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._has_turn = False

    def _start_transaction_under_autocommit(self) -> None:
        turn.TURN.take()
        self._has_turn = True
        try:
            turn.begin(self.connection, super()._start_transaction_under_autocommit)
        except BaseException:
            self._give_turn()
            raise

    def _commit(self) -> None:
        # A commit that fails is followed by a rollback, which gives the turn on.
        super()._commit()
        self._give_turn()

    def _rollback(self) -> None:
        try:
            super()._rollback()
        finally:
            self._give_turn()

    def _close(self) -> None:
        try:
            super()._close()
        finally:
            self._give_turn()

    def _give_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            turn.TURN.give()
