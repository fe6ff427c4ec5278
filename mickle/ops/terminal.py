"""The terminal, or what stands in its place: closed, full, or with too few letters."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path

from mickle.lib.errors import Refused

_STANDARD = 3


class Untold(Refused):
    """The answer cannot be written."""


class Enough(Exception):
    """Whoever read the answer has had enough."""


def take() -> None:
    """Let a command answer also where an output is closed or has not all letters."""
    while (number := os.open(os.devnull, os.O_RDWR)) < _STANDARD:
        # The next file that is opened, such as the database, would stand in for it.
        os.set_inheritable(number, True)
    os.close(number)
    for name, how in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open(how, encoding="utf-8")  # noqa: SIM115 - it stays
            setattr(sys, name, nowhere)
    for out in (sys.stdout, sys.stderr):
        if isinstance(out, TextIOWrapper):
            out.reconfigure(errors="backslashreplace")


@contextmanager
def told() -> Iterator[None]:
    """Write or flush the answer; raises Enough or Untold."""
    try:
        yield
    except BrokenPipeError:
        raise Enough from None
    except OSError as error:
        raise Untold(
            f"The answer cannot be written ({error.strerror or error}). What was done stays done "
            "and nothing is lost; run it again with another place for the answer."
        ) from error


def leave() -> None:
    """Say nothing more, not even at the exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
