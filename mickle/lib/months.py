"""Months as one integer, `year * 12 + month - 1`, so that the next month is always `+ 1`."""

import re
from datetime import UTC, datetime
from functools import lru_cache

from django.utils.translation import gettext as _

from mickle.lib.errors import Refused

# Of years with a month before and after that has a beginning, too.
_MONTH = re.compile(r"([1-8][0-9]{3})-(0[1-9]|1[0-2])", re.ASCII)


class BadMonth(Refused):
    """The text is no month."""


def parse(text: str) -> int:
    """The month of `"2026-11"`; raises BadMonth for anything else."""
    match = _MONTH.fullmatch(text.strip())
    if match is None:
        raise BadMonth(_("“%(text)s” is not a month. Write it as 2026-11.") % {"text": text})
    return int(match[1]) * 12 + int(match[2]) - 1


def text(month: int) -> str:
    """`"2026-11"`, the form used in files, URLs and commands."""
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def of(at: datetime) -> int:
    """The UTC month of an aware instant."""
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    there = at.astimezone(UTC)
    return there.year * 12 + there.month - 1


# A described world asks a million times for the start of the same few months.
@lru_cache(maxsize=1_024)
def start(month: int) -> datetime:
    """The first instant of a month, UTC."""
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)


def end(month: int) -> datetime:
    """The first instant that is no longer in the month (months are half-open)."""
    return start(month + 1)
