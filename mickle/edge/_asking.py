"""Reads what a request under /b/ asks for. Pure."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl

from mickle.edge import _drawing, _frame
from mickle.lib import urls
from mickle.lib.errors import Refused

AT_MOST = 100
# Longer ones the server refuses before.
QUERY_LIMIT_BYTES = 60_000
OTHERS_AT_MOST = 20
ID_LIMIT = 2**63
ID_DIGITS = 19


class Asked(NamedTuple):
    """One thing somebody wants the count of: by its number, or by its address."""

    thing_id: int | None
    url: str = ""
    identity: str = ""
    # Why nobody can nod at this address; its count is 0. Among a hundred it spoils no other's.
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked; or why it cannot be answered."""

    asked: tuple[Asked, ...] = ()
    size: str = "wide"
    theme: str = "auto"
    language: str = "en"
    title: str = ""
    wrong: str = ""


def read_anew(query: bytes, *, drawn: bool) -> Request:
    """The request of a query string; `wrong` is a sentence when it cannot be answered."""
    try:
        return _read(query, drawn=drawn)
    except Refused as refused:
        return Request(wrong=str(refused))


read = lru_cache(maxsize=4096)(read_anew)


def _read(query: bytes, *, drawn: bool) -> Request:
    pairs = _pairs(query)
    named = [(name, text) for name, text in pairs if name in ("id", "url")]
    if not named:
        raise Refused("Say which page: id=NUMBER or url=ADDRESS.")
    if len(named) > (1 if drawn else AT_MOST):
        raise Refused(f"Ask for {1 if drawn else AT_MOST} at most.")
    asked = tuple(_asked(name, text) for name, text in named)
    if len(asked) == 1 and asked[0].wrong:
        raise Refused(asked[0].wrong)
    chosen = dict(pairs)
    return Request(
        asked,
        size=_one_of(chosen, "size", _drawing.SIZES),
        theme=_one_of(chosen, "theme", _drawing.THEMES),
        language=_one_of(chosen, "lang", _drawing.LANGUAGES),
        title=_frame.clean(chosen.get("title", "")) if drawn else "",
    )


def read_live(query: bytes) -> Request:
    """What a page wants to listen to: ids=1,2,3 and the parameters of a count."""
    try:
        return _read_live(query)
    except Refused as refused:
        return Request(wrong=str(refused))


def _read_live(query: bytes) -> Request:
    pairs = _pairs(query)
    named = [(name, text) for name, text in pairs if name in ("id", "url")]
    for name, text in pairs:
        if name == "ids":
            named += [("id", one) for one in text.split(",", AT_MOST)]
    if not 0 < len(named) <= AT_MOST:
        raise Refused(f"Say which pages: ids=1,2 or url=ADDRESS, {AT_MOST} at most.")
    asked = tuple(_asked(name, text) for name, text in named)
    if all(one.wrong for one in asked):
        raise Refused(asked[0].wrong)
    return Request(tuple(one for one in asked if not one.wrong))


def _pairs(query: bytes) -> list[tuple[str, str]]:
    """The parameters; a long or crowded query is refused before it is read."""
    try:
        if len(query) <= QUERY_LIMIT_BYTES:
            text = query.decode("latin-1")
            return parse_qsl(text, keep_blank_values=True, max_num_fields=AT_MOST + OTHERS_AT_MOST)
    except ValueError as error:
        raise Refused(f"These are too many; ask for {AT_MOST} at most.") from error
    raise Refused(f"The address is too long; ask for {AT_MOST} at most.")


def _asked(name: str, text: str) -> Asked:
    if name == "url":
        try:
            return Asked(None, text, urls.identify(text).identity)
        except Refused as refused:
            return Asked(None, text, wrong=str(refused))
    # More digits than a number of ours has would cost time to read.
    if (
        not (text.isascii() and text.isdecimal() and len(text) <= ID_DIGITS)
        or int(text) >= ID_LIMIT
    ):
        raise Refused("An id is a whole number, as it stands in the page's address here.")
    return Asked(int(text))


def _one_of(chosen: dict[str, str], name: str, known: tuple[str, ...]) -> str:
    value = chosen.get(name, known[0])
    if value not in known:
        raise Refused(f"{name} is one of: {', '.join(known)}.")
    return value
