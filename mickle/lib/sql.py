"""The types of what is bound by name to SQL text."""

from collections.abc import Mapping
from datetime import datetime

Value = bool | int | str | datetime | None
Params = Mapping[str, Value]
