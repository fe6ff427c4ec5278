"""What is bound to SQL text: the types, and instants in the form the database keeps them in."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache

from django.db import connection

Value = bool | int | str | datetime | date | None
Params = Mapping[str, Value]


# A described world binds the same instant a million times.
@lru_cache(maxsize=1_024)
def instant(at: datetime) -> str | datetime:
    """An aware instant as a parameter: on SQLite the same UTC text that models write."""
    return connection.ops.adapt_datetimefield_value(at) or at


def day(on: date) -> str | date:
    """A day as a parameter: on SQLite the text that models write."""
    return connection.ops.adapt_datefield_value(on) or on
