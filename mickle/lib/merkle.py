"""Hash trees as RFC 9162 (Certificate Transparency) has them: a root, a path to it, its check."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

HASH_BYTES = 32
# The tree of nothing.
EMPTY = sha256(b"").digest()


def leaf(data: bytes) -> bytes:
    """The hash of what stands at the foot of a tree."""
    return sha256(b"\x00" + data).digest()


def leaves(datas: Iterable[bytes]) -> list[bytes]:
    """The hashes of all that stands at the foot of a tree; a month has millions."""
    return [sha256(b"\x00" + data).digest() for data in datas]


def node(left: bytes, right: bytes) -> bytes:
    """The hash above two."""
    return sha256(b"\x01" + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """The hash above all leaf hashes, in their order.

    Paired from below, one left over going up as it is: the same tree as splitting at the largest
    power of two, without recursion.
    """
    if not hashes:
        return EMPTY
    level = hashes
    while len(level) > 1:
        level = _above(level)
    return level[0]


def path(hashes: Sequence[bytes], place: int) -> list[bytes]:
    """The hashes beside the way from one leaf hash up to the root, lowest first.

    Raises IndexError where there is no such leaf.
    """
    if not 0 <= place < len(hashes):
        raise IndexError(place)
    beside, level = [], hashes
    while len(level) > 1:
        if (other := place ^ 1) < len(level):
            beside.append(level[other])
        level, place = _above(level), place >> 1
    return beside


def _above(level: Sequence[bytes]) -> list[bytes]:
    pairs = zip(level[::2], level[1::2], strict=False)
    found = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
    if len(level) % 2:
        found.append(level[-1])
    return found


def climb(at: bytes, *, place: int, size: int, beside: Sequence[bytes]) -> bytes | None:
    """The root that a leaf hash and its path come to, in a tree of so many leaves.

    None where the path does not fit the place: too long, too short, or no such place. Section
    2.1.3.2 of the RFC.
    """
    if not 0 <= place < size:
        return None
    here, last = place, size - 1
    for other in beside:
        if not last:
            return None
        if here % 2 or here == last:
            at = node(other, at)
            while here and not here % 2:
                here, last = here >> 1, last >> 1
        else:
            at = node(at, other)
        here, last = here >> 1, last >> 1
    return None if last else at
