"""What goes wrong in programs of others, such as engines and object stores: told in a sentence."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import dropwhile

from mickle.lib.errors import Refused

_MOST = 300
# The packages whose exceptions say something of this program and of its books.
_OURS = ("builtins", "django", "mickle")
# What Python, and what reaches Java from it, say before what went wrong.
_BEFORE = ("Traceback", " ", "An error occurred while calling")


@contextmanager
def told(refusal: Callable[[str], Refused]) -> Iterator[None]:
    """Raise as a refusal what others raise; our own errors and the database's stay what they are.

    An object store raises what it likes, and an engine too.
    """
    try:
        yield
    except Exception as error:
        whose = type(error).__module__.partition(".")[0]
        if whose in _OURS and not isinstance(error, OSError):
            raise
        raise refusal(in_a_line(error)) from error


def in_a_line(error: BaseException) -> str:
    """What an error says, in one line: below it stand calls, or where in a text that was."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    said = dropwhile(lambda line: line.startswith(_BEFORE), str(error).strip().splitlines())
    return next(said, "").lstrip(": ").strip()[:_MOST] or type(error).__name__
