"""How a line of the log is written: no token of a program stands in one, wherever it was put."""

import logging
from copy import copy

from mickle.programs import secret

# Whoever asks for another host is refused; what lets a host in has another name here.
_REFUSED = "django.security.DisallowedHost"


class Line(logging.Formatter):
    """Strikes tokens out of messages and tracebacks alike; a refused host needs no traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The line without tokens."""
        if record.name != _REFUSED:
            return secret.without(super().format(record))
        short = copy(record)
        short.exc_info = short.exc_text = None
        return secret.without(super().format(short)).replace("ALLOWED_HOSTS", "MICKLE_HOSTS")
