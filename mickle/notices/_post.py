"""One mail: its headers, handing it over, and what the mail server made of it. Touches no table."""

import smtplib
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.crypto import salted_hmac

from mickle.lib import months
from mickle.members import members
from mickle.notices._texts import Text
from mickle.notices.models import Notice

# From here on a code of the server is its last word.
_FINAL = 500
# It closes the connection with this one, whatever it was asked.
_GOES_AWAY = 421


class Unreachable(Exception):
    """The mail server took nothing, and would not take another mail either: try again later."""


class Later(Exception):
    """The server did not take this mail now; others it may take."""


class Never(Exception):
    """This mail cannot be sent: the server or the address refuses for good."""


class Unknown(Exception):
    """The connection broke while the server was given the mail: it has it, or has it not."""


def message(notice: Notice, text: Text, stop_url: str) -> EmailMessage:
    """The mail with its headers; the address alone names the member. Raises Never."""
    try:
        address = members.check_email(notice.member.email)
    except members.BadEmail as error:
        raise Never("The address is none.") from error
    return letter(_name(notice), text.subject, text.body, address, stop_url)


def letter(name: str, subject: str, body: str, address: str, stop_url: str) -> EmailMessage:
    """A mail of this name to one address; `stop_url`, if there is one, ends such mails."""
    headers = {
        "Message-ID": _message_id(name),
        # RFC 3834: no automatic answers to it.
        "Auto-Submitted": "auto-generated",
    }
    if stop_url.startswith("https://"):
        # RFC 8058: a mail program asks by POST, which needs no sign-in; a GET shows a form.
        headers["List-Unsubscribe"] = f"<{stop_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return EmailMessage(subject, body, settings.DEFAULT_FROM_EMAIL, [address], headers=headers)


def _name(notice: Notice) -> str:
    about = f".{notice.about}" if notice.about else ""
    return f"{notice.kind.lower()}.{months.text(notice.month)}{about}.{notice.member_id}"


def _message_id(name: str) -> str:
    """The same for the same mail, so that one an operator sends again can be told from another."""
    mark = salted_hmac("mickle.notices.message", name).hexdigest()[:24]
    host = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<{name.rpartition('.')[0]}.{mark}@{host}>"


class Line:
    """A connection to the mail server, opened when the first mail needs it and kept for others."""

    def __init__(self, backend: BaseEmailBackend) -> None:
        self._backend = backend
        self._used = False

    def close(self) -> None:
        """Say goodbye, if somebody listens."""
        self._used = False
        try:
            self._backend.close()
        except (smtplib.SMTPException, OSError):
            # It went first.
            return

    def open(self) -> None:
        """Connect and sign in; raises Unreachable."""
        try:
            self._backend.open()
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise Unreachable(f"The mail server cannot be reached ({_code(error)}).") from error

    def hand_over(self, mail: EmailMessage) -> None:
        """Give the server one mail. Raises Unreachable, Later, Never or Unknown.

        A server that hung up since the last mail is called once more: it had not been given this.
        """
        used = self._used
        try:
            self._send(mail)
        except Unreachable:
            if not used:
                raise
            self._send(mail)
        self._used = True

    def _send(self, mail: EmailMessage) -> None:
        self.open()
        connection = getattr(self._backend, "connection", None)
        if connection is not None:
            connection.handed = False
        try:
            self._backend.send_messages([mail])
        except smtplib.SMTPRecipientsRefused as error:
            self.close()
            raise _refusal(next(iter(error.recipients.values()))[0]) from error
        except smtplib.SMTPDataError as error:
            self.close()
            raise _refusal(error.smtp_code) from error
        except (smtplib.SMTPException, OSError) as error:
            handed = getattr(connection, "handed", False)
            self.close()
            kind = Unknown if handed else Unreachable
            raise kind(f"The mail server broke off ({_code(error)}).") from error
        except ValueError as error:
            # A line break in a header, or an address that is none.
            raise Never(f"The address cannot be used ({type(error).__name__}).") from error


def _refusal(code: int) -> Exception:
    if code == _GOES_AWAY:
        return Unreachable(f"The mail server goes away ({code}).")
    if code >= _FINAL:
        return Never(f"The mail server refused it for good ({code}).")
    return Later(f"The mail server did not take it now ({code}).")


def _code(error: Exception) -> str:
    """The kind of failure and the server's code; its words may repeat an address."""
    code = getattr(error, "smtp_code", None) or getattr(error, "errno", None)
    return f"{type(error).__name__}{f' {code}' if code else ''}"
