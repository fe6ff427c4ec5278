"""The two files of a proof, a member's and a month's: written, read strictly, and checked.

A file comes from anybody, so that nothing in it is believed before it is looked at.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mickle.lib import merkle, money, proofs
from mickle.lib.errors import Refused
from mickle.lib.proofs import Head

OF_SHARES, OF_MONTH = "proof of shares", "proof of a month"
# A nod is some 100 bytes here, so this is more than half a million of one member.
LIMIT_BYTES = 64 * 1024 * 1024
# A path is as long as the tree is high.
_HIGHEST = 64


class Malformed(Refused):
    """The file is no proof, so nothing can be said about it."""


class Wrong(Refused):
    """The file is a proof of something else than it says."""


@dataclass(frozen=True)
class OfShares:
    """A member's proof: the texts of the shares, and the way from them to the month's tree."""

    head: Head
    root: str
    salt: bytes
    place: int
    beside: list[bytes]
    shares: list[str]


@dataclass(frozen=True)
class OfMonth:
    """What is published of a month."""

    head: Head
    root: str


def of_shares(
    head: Head, *, salt: bytes, place: int, beside: Sequence[bytes], shares: Sequence[str]
) -> dict[str, Any]:
    """A member's file."""
    return {
        "mickle": OF_SHARES,
        "version": proofs.VERSION,
        "month": head.month,
        "root": head.root,
        "text": head.text,
        "place": place,
        "path": [other.hex() for other in beside],
        "salt": salt.hex(),
        "shares": list(shares),
    }


def of_month(head: Head, **remarks: str) -> dict[str, Any]:
    """A month's file; remarks are no part of what is hashed."""
    return {
        "mickle": OF_MONTH,
        "version": proofs.VERSION,
        "month": head.month,
        "root": head.root,
        "text": head.text,
        "figures": figures(head),
        **remarks,
    }


def figures(head: Head) -> dict[str, str | int | None]:
    """The lines of a month's text by name; amounts in micros."""
    names = proofs.names()
    return {name: getattr(head, name) for name in names if name != "month"}


def read(content: bytes) -> OfShares | OfMonth:
    """The proof in a file; raises Malformed, or Wrong where it contradicts itself."""
    found = _Fields(_parsed(content))
    kind = found.text("mickle")
    if kind not in (OF_SHARES, OF_MONTH):
        raise Malformed(f"This is no proof: its “mickle” says {kind[:40]!r}.")
    if found.number("version") != proofs.VERSION:
        raise Malformed(
            f"This proof is of another version than {proofs.VERSION}. A newer Mickle reads it."
        )
    head = _head(found.text("text"))
    root = found.hash("root").hex()
    if head.root != root:
        raise Wrong(f"The text of the month comes to {head.root}, and the file says {root}.")
    if found.text("month") != head.month:
        raise Wrong("The file names another month than its text.")
    if kind == OF_MONTH:
        if _plain(found.values.get("figures")) != _plain(figures(head)):
            raise Wrong("The figures of the file are not those of its text.")
        return OfMonth(head, root)
    return OfShares(
        head=head,
        root=root,
        salt=found.hash("salt"),
        place=found.number("place"),
        beside=[_hash("path", one) for one in found.texts("path", at_most=_HIGHEST)],
        shares=found.texts("shares", at_most=LIMIT_BYTES),
    )


def sum_micros(proof: OfShares) -> int:
    """What the shares of a proof come to; raises Wrong where one is none of its month."""
    total = 0
    for place, text in enumerate(proof.shares, start=1):
        found = proofs.amount_of(text)
        if found is None:
            raise Wrong(f"Line {place} of the shares is no share: {text[:80]!r}.")
        month, micros = found
        if month != proof.head.month:
            raise Wrong(f"Line {place} of the shares is of {month}, not of {proof.head.month}.")
        total += micros
    return total


def check(proof: OfShares) -> None:
    """Climb from the shares to the tree of the month; raises Wrong where they do not come there."""
    if not proof.shares:
        raise Wrong("The file has no shares, so it proves nothing.")
    own = proofs.lines_root(proof.shares)
    leaf = proofs.member_leaf(proof.salt, own)
    size = proof.head.members
    tree = merkle.climb(leaf, place=proof.place, size=size, beside=proof.beside)
    if tree is None:
        raise Wrong(f"The path does not fit place {proof.place} of a tree of {size}.")
    if tree.hex() != proof.head.tree:
        raise Wrong(
            f"The shares come to the tree {tree.hex()}, and the month has {proof.head.tree}."
        )


def amount(micros: int | None, currency: str) -> str:
    """An amount for people, with all its places."""
    return "withheld" if micros is None else f"{money.exact(micros)} {currency}"


def _parsed(content: bytes) -> Mapping[str, Any]:
    if len(content) > LIMIT_BYTES:
        raise Malformed(f"This is no proof: it has more than {LIMIT_BYTES:,} bytes.")
    try:
        found = json.loads(content.decode(), object_pairs_hook=_once, parse_constant=_constant)
    except UnicodeDecodeError:
        raise Malformed("This is no proof: it is not text in UTF-8.") from None
    except json.JSONDecodeError as error:
        raise Malformed(
            f"This is no whole proof: in line {error.lineno} it stops being JSON."
        ) from None
    except (RecursionError, ValueError):
        raise Malformed("This is no proof: no proof has such JSON.") from None
    if not isinstance(found, dict):
        raise Malformed("This is no proof: it is JSON, and not an object.")
    return found


def _plain(value: object) -> str:
    """A value as text: 1, 1.0 and true are three."""
    return json.dumps(value, sort_keys=True)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object that names nothing twice, so that no two readers read two things."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("This is no proof: it names something twice.")
    return found


def _constant(name: str) -> None:
    raise ValueError(name)


@dataclass(frozen=True)
class _Fields:
    """The fields of a file, each of the kind it has to be."""

    values: Mapping[str, Any]

    def text(self, name: str) -> str:
        return _text(name, self._value(name))

    def number(self, name: str) -> int:
        value = self._value(name)
        if type(value) is not int or not 0 <= value < 1 << 63:
            raise Malformed(f"Its “{name}” is not a whole number of nought or more.")
        return int(value)

    def hash(self, name: str) -> bytes:
        return _hash(name, self._value(name))

    def texts(self, name: str, *, at_most: int) -> list[str]:
        value = self._value(name)
        if not isinstance(value, list) or len(value) > at_most:
            raise Malformed(f"Its “{name}” is not a list, or too long a one.")
        return [_text(name, one) for one in value]

    def _value(self, name: str) -> Any:
        if name not in self.values:
            raise Malformed(f"This is no whole proof: “{name}” is missing.")
        return self.values[name]


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise Malformed(f"Its “{name}” is not text.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Malformed(f"Its “{name}” is half a character.") from None
    return value


def _hash(name: str, value: object) -> bytes:
    text = _text(name, value)
    if not proofs.is_hash(text):
        raise Malformed(f"Its “{name}” is not 64 digits of 0-9 and a-f.")
    return bytes.fromhex(text)


def _head(text: str) -> Head:
    try:
        return proofs.read_head(text)
    except proofs.NotAHead as error:
        raise Malformed(f"Its “text” is not that of a month: {error}.") from None
