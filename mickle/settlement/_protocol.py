"""What a settlement asks of an engine, so that each is a few lines."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

Row = Sequence[int | None]


class Input(NamedTuple):
    """What the texts read under one name: its columns, and the SELECT that gives them."""

    columns: str
    select: str


class Engine(Protocol):
    """Runs the portable texts over one frozen month, whose inputs it was opened with."""

    # As the books and the pages name it, with its version.
    name: str

    def view(self, name: str, select: str) -> None:
        """Give a SELECT a name that later texts read."""

    def keep(self, name: str, select: str, *, key: str) -> None:
        """Compute a SELECT once and keep it under a name; its key is unique."""

    def rows(self, select: str) -> Iterator[Sequence[Row]]:
        """What a SELECT gives, whole numbers and None, in batches."""


# Opens an engine over the inputs of a month by their names.
Opener = Callable[[Mapping[str, Input]], AbstractContextManager[Engine]]
