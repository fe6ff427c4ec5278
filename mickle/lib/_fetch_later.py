"""For how long a host asks to be left alone: the header Retry-After (RFC 9110, 10.2.3). Pure.

And what GitHub and others say in its place, of a limit that is used up: when it begins anew.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

SAYS_WHEN = (429, 503)
# Whoever says more is asked again all the same.
AT_MOST_S = 86_400.0
_DIGITS_AT_MOST, _INSTANT_DIGITS_AT_MOST = 9, 12


def seconds(said: str, *, date: str, now: float) -> float:
    """Seconds to wait, 0 for none that can be read; `date` is the host's own word for now."""
    text = said.strip()
    if text.isascii() and text.isdecimal():
        # So many digits are more than a day whatever they say.
        wait = float(text) if len(text) <= _DIGITS_AT_MOST else AT_MOST_S
    else:
        until = _instant(text)
        wait = until - (_instant(date) or now) if until else 0.0
    return min(max(wait, 0.0), AT_MOST_S)


def until(said: str, *, now: float) -> float:
    """The same of the instant a limit begins anew; 0 for what is none.

    In seconds since 1970 (GitHub, GitLab), or by ISO 8601 (Mastodon).
    """
    text = said.strip()
    if text.isascii() and text.isdecimal():
        begins = float(text) if len(text) <= _INSTANT_DIGITS_AT_MOST else 0.0
    else:
        try:
            found = datetime.fromisoformat(text)
            begins = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            return 0.0
    return min(max(begins - now, 0.0), AT_MOST_S)


def _instant(text: str) -> float:
    """Seconds since 1970; 0 for what is no date."""
    try:
        found = parsedate_to_datetime(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0
