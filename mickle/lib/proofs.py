"""What a settled month is hashed from, text by text; docs/reference/proof.md says it for anybody.

Pure: no tables, no settings. Who changes a text here changes the version in it.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from mickle.lib import merkle

VERSION = 1
FIRST_LINE = f"settled month, version {VERSION}"
# What stands in place of an amount that is not published, or of a month that is not there.
WITHHELD = "-"

_HEX = r"[0-9a-f]{64}"
_COUNT = r"0|[1-9][0-9]{0,17}"
_VALUES = {
    "month": r"[0-9]{4}-(?:0[1-9]|1[0-2])",
    "currency": r"[A-Z]{3}",
    **dict.fromkeys(("members", "shares", "pool"), _COUNT),
    **dict.fromkeys(("given", "paid", "fee", "waiting", "charity"), f"{_COUNT}|{WITHHELD}"),
    "before": f"{_HEX}|{WITHHELD}",
    **dict.fromkeys(("input", "output", "tree"), _HEX),
}
_OF_MONTH = rf"(?P<month>{_VALUES['month']})"
_AND_TARGET = rf"(?P<micros>{_COUNT}) \S[^\r\n]*"
_SHARE = re.compile(rf"share {_OF_MONTH} [1-9][0-9]{{0,8}} {_AND_TARGET}", re.ASCII)
_GIFT = re.compile(rf"gift {_OF_MONTH} {_AND_TARGET}", re.ASCII)


class NotAHead(ValueError):
    """A text that no month has."""


def shares(month: str, nods: Iterable[tuple[int, int, str]]) -> list[str]:
    """The texts of nods that counted, each of weight, micros it carried, and address."""
    return [f"share {month} {weight} {micros} {address}" for weight, micros, address in nods]


def gift(month: str, amount_micros: int, charity: str) -> str:
    """The text of a spend that went to a charity whole."""
    return f"gift {month} {amount_micros} {charity}"


def amount_of(text: str) -> tuple[str, int] | None:
    """The month and the micros that a share or a gift names; None for another text."""
    found = _SHARE.fullmatch(text) or _GIFT.fullmatch(text)
    return (found["month"], int(found["micros"])) if found else None


def lines_root(texts: Sequence[str]) -> bytes:
    """The root of a member's own tree, one leaf for each text."""
    return merkle.root(merkle.leaves(map(str.encode, texts)))


def salt(key: bytes, member_id: int) -> bytes:
    """What keeps a stranger from guessing a member's shares from their hash."""
    return hmac.digest(key, b"member %d" % member_id, "sha256")


def member_leaf(secret: bytes, own_root: bytes) -> bytes:
    """A member's leaf in the tree of the month."""
    return merkle.leaf(secret + own_root)


def blinded(key: bytes, name: str, digest: bytes) -> str:
    """A hash that binds to another one, and lets nobody without the key try out what it is of."""
    return hmac.digest(key, name.encode() + b" " + digest, "sha256").hex()


@dataclass(frozen=True)
class Head:
    """What is published of a month; amounts in micros, None where it is withheld.

    `before` is the root of the month before, so that the newest root stands for all months.
    """

    month: str
    currency: str
    members: int
    shares: int
    given: int | None
    paid: int | None
    fee: int | None
    waiting: int | None
    charity: int | None
    pool: int
    before: str | None
    input: str
    output: str
    tree: str

    @property
    def text(self) -> str:
        """One line for each fact, in this order; what the root is the hash of."""
        values = [(name, getattr(self, name)) for name in names()]
        rows = [f"{name} {WITHHELD if value is None else value}" for name, value in values]
        return "\n".join([FIRST_LINE, *rows]) + "\n"

    @property
    def root(self) -> str:
        """The root of the month: it stands for the tree, its size, every figure and what was."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def names() -> list[str]:
    """The names of a month's facts, in the order of its text."""
    return [one.name for one in fields(Head)]


def is_hash(text: str) -> bool:
    """Whether a text is a SHA-256 as it is written here: 64 digits, small letters."""
    return re.fullmatch(_HEX, text, re.ASCII) is not None


def read_head(text: str) -> Head:
    """The facts of a month's text; raises NotAHead for anything but such a text, byte by byte."""
    first, *rows = text.split("\n")
    if first != FIRST_LINE or len(rows) != len(names()) + 1 or rows.pop():
        raise NotAHead("it does not begin or end as the text of a month does")
    found: dict[str, str | int | None] = {}
    for name, row in zip(names(), rows, strict=True):
        key, _space, value = row.partition(" ")
        if key != name or not re.fullmatch(_VALUES[name], value, re.ASCII):
            raise NotAHead(f"its line of “{name}” is not one")
        number = re.fullmatch(_COUNT, value)
        found[name] = None if value == WITHHELD else int(value) if number else value
    return Head(**found)  # type: ignore[arg-type]
