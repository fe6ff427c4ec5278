"""How a line of the log is written: no token of a program stands in one, wherever it was put."""

import logging

from mickle.programs import secret


class Line(logging.Formatter):
    """Strikes tokens out of messages and tracebacks alike."""

    def format(self, record: logging.LogRecord) -> str:
        """The line without tokens."""
        return secret.without(super().format(record))
