"""A month's tree on record: its leaves in blocks, so that one member's path is read in no time."""

import time
from collections.abc import Iterator

from django.db import transaction

from mickle.lib import chunks, merkle
from mickle.settlement.models import ProofBlock

# Leaves in a block: a power of two, so that a block is a tree within the tree.
BLOCK = 1_024
# Blocks written in one transaction, 256 kB.
_AT_ONCE = 8


class NoSuchLeaf(AssertionError):
    """What a member's shares come to is not in the tree on record."""


def write(month: int, leaves: list[bytes]) -> None:
    """Put the leaves on record, a few blocks in a transaction; those that are there stay."""
    rows = [
        ProofBlock(
            month=month,
            place=place,
            first=block[0],
            root=merkle.root(block),
            leaves=b"".join(block),
        )
        for place, block in enumerate(_blocks(leaves))
    ]
    with chunks.durable_together():
        for first in range(0, len(rows), _AT_ONCE):
            began = time.perf_counter()
            with transaction.atomic():
                some = rows[first : first + _AT_ONCE]
                ProofBlock.objects.bulk_create(some, ignore_conflicts=True)
            chunks.let_others(time.perf_counter() - began)


def _blocks(leaves: list[bytes]) -> Iterator[list[bytes]]:
    for first in range(0, len(leaves), BLOCK):
        yield leaves[first : first + BLOCK]


def on_record(month: int) -> str:
    """The root of the leaves as they stand in the table, in hex; "" where a block is damaged."""
    tops: list[bytes] = []
    for block in ProofBlock.objects.filter(month=month).order_by("place").iterator(chunk_size=64):
        leaves = _leaves(block)
        top = merkle.root(leaves)
        whole = (len(tops), leaves[0], top)
        if (block.place, bytes(block.first), bytes(block.root)) != whole:
            return ""
        tops.append(top)
    return merkle.root(tops).hex()


def _leaves(block: ProofBlock) -> list[bytes]:
    size, whole = merkle.HASH_BYTES, bytes(block.leaves)
    return [whole[at : at + size] for at in range(0, max(len(whole), 1), size)]


def way(month: int, leaf: bytes) -> tuple[int, list[bytes]]:
    """The place of a leaf in the month's tree, and the hashes beside its way to the root.

    Reads one block and the roots of the others; raises NoSuchLeaf.
    """
    rows = ProofBlock.objects.filter(month=month).order_by("place")
    listed = [(bytes(first), bytes(top)) for first, top in rows.values_list("first", "root")]
    place = sum(1 for first, _top in listed if first <= leaf) - 1
    leaves = _leaves(rows.get(place=place)) if place >= 0 else []
    if leaf not in leaves:
        raise NoSuchLeaf(f"month {month} has no such leaf on record")
    within = leaves.index(leaf)
    beside = merkle.path(leaves, within) + merkle.path([top for _first, top in listed], place)
    return place * BLOCK + within, beside
