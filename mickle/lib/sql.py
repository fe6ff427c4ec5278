"""What is bound to SQL text: the types, and instants in the form the database keeps them in."""

from collections.abc import Mapping
from datetime import datetime

from django.db import connection

Value = bool | int | str | datetime | None
Params = Mapping[str, Value]


def instant(at: datetime) -> str | datetime:
    """An aware instant as a parameter: on SQLite the same UTC text that models write."""
    return connection.ops.adapt_datetimefield_value(at) or at
