"""Django's mail by SMTP, with one thing more: whether a mail was being handed over when it failed.

A connection that breaks before a mail is handed over has taken nothing, and the mail can be sent
again. After that only the server knows.
"""

import smtplib
from typing import Any

from django.core.mail.backends import smtp


class _Plain(smtplib.SMTP):
    """Notes that the server is being given a mail."""

    handed = False

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Give it the mail."""
        self.handed = True
        return super().data(msg)


class _Tls(smtplib.SMTP_SSL):
    """The same on a connection that begins with TLS."""

    handed = False

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Give it the mail."""
        self.handed = True
        return super().data(msg)


class EmailBackend(smtp.EmailBackend):
    """The backend that settings name where there is a mail server."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        """What Django opens."""
        return _Tls if self.use_ssl else _Plain
