"""Hashes a month from the books: every member's shares, and what went into the settlement.

Reads only, in ranges of members, so that nobody waits and memory grows by one hash a member.
Everything that is read is final: spends, splits, nods, identities and owners of that month.
"""

import hashlib
import threading
import time
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import connection

from mickle.instance import instance
from mickle.lib import months, proofs
from mickle.lib.chunks import Report
from mickle.lib.sql import Params
from mickle.settlement import _past
from mickle.settlement._shares import AMOUNTS, TAKEN_WITHIN
from mickle.settlement.models import Spend
from mickle.things.models import Thing

# Members read at once: some 10,000 shares of a busy month.
MEMBERS = 500
# Addresses kept in memory, some 100 MB, and read in one statement.
KNOWN, _AT_ONCE = 500_000, 1_000
# Members hashed at once: a millisecond. Then whoever else serves in this process has the turn.
_A_TURN = 10

_SPENDS = """
SELECT s.member_id, s.amount_micros, COALESCE(s.charity_id, 0), COALESCE(c.slug, '')
FROM settlement_spend s LEFT JOIN members_charity c ON c.id = s.charity_id
WHERE s.month = %(month)s AND s.member_id > %(after)s AND s.member_id <= %(upto)s
ORDER BY s.member_id LIMIT %(most)s
"""
# The one text that says what a nod carries, over a range of members.
_SHARES = f"""
{TAKEN_WITHIN}SELECT q.member, q.thing, q.weight, q.amount {{address}}
FROM ({AMOUNTS}) q {{joined}}
ORDER BY q.member, q.thing
"""
# Of one member with the addresses; of many those are read apart, each once.
_OF_ONE = _SHARES.format(address=", t.identity", joined="JOIN things_thing t ON t.id = q.thing")
_OF_MANY = _SHARES.format(address="", joined="")
_RECEIVERS = """
SELECT thing_id, owner_id FROM settlement_owned WHERE month = %(month)s AND receives
ORDER BY thing_id
"""
# Above every member's number.
_LAST = (1 << 63) - 1


class NotWhole(AssertionError):
    """A member's shares are not their spend; such a month is not proved."""


class Own(NamedTuple):
    """A member's part of a month: the texts of the shares, and what the input has of it."""

    member: int
    texts: list[str]
    given: str


class Hashed(NamedTuple):
    """A month, hashed: the leaves in order of the tree, how many shares, and the input's hash."""

    leaves: list[bytes]
    shares: int
    input: bytes


def hashed(month: int, key: bytes, report: Report) -> Hashed:
    """Hash all of a month; raises NotWhole."""
    digest, leaves, shares = hashlib.sha256(), [], 0
    total = Spend.objects.filter(month=month).count()
    for own in owns(month):
        digest.update(own.given.encode())
        leaves.append(leaf(key, own))
        shares += len(own.texts)
        if not len(leaves) % _A_TURN and threading.active_count() > 1:
            time.sleep(0)
        if not len(leaves) % MEMBERS:
            report("proof", len(leaves), total)
    for rows in _batches(_RECEIVERS, {"month": month}):
        digest.update(b"".join([b"thing %d %d\n" % row for row in rows]))
    digest.update(b"rate %d\n" % instance.fee_basis_points(month))
    leaves.sort()
    report("proof", total, total)
    return Hashed(leaves, shares, digest.digest())


def leaf(key: bytes, own: Own) -> bytes:
    """A member's leaf in the tree of the month."""
    return proofs.member_leaf(proofs.salt(key, own.member), proofs.lines_root(own.texts))


def own_of(month: int, member_id: int) -> Own | None:
    """One member's part of a month; None for who gave nothing."""
    return next(_owns(month, member_id - 1, member_id), None)


def owns(month: int) -> Iterator[Own]:
    """Each member's part of a month, in order of their number; raises NotWhole."""
    return _owns(month, 0, _LAST)


def _owns(month: int, after: int, upto: int) -> Iterator[Own]:
    addresses = _Addresses()
    while True:
        span = {"month": month, "after": after, "upto": upto}
        spends = _rows(_SPENDS, span | {"most": MEMBERS})
        if not spends:
            return
        after = spends[-1][0]
        here = span | {"upto": after}
        shares = _taken(here, addresses)
        seen = {row[0] for row in shares}
        if any(not charity and member not in seen for member, _amount, charity, _slug in spends):
            # What came back between the two looks is seen by the next ones.
            shares = _taken(here, addresses)
        addresses.learn({row[1] for row in shares})
        yield from _joined(months.text(month), spends, shares, addresses)


def _taken(span: dict[str, int], addresses: "_Addresses") -> list[Any]:
    """What the nods of a range carry, in order of member and thing, wherever they are."""
    one = span["upto"] - span["after"] == 1
    shares = _rows(_OF_ONE if one else _OF_MANY, span)
    if one:
        addresses.update((row[1], row[4]) for row in shares)
    if past := _past.shares(span["month"], span["after"], span["upto"]):
        # What leaves the table meanwhile is seen at one of the places.
        there = {row[0] for row in shares}
        shares += [row for row in past if row[0] not in there]
        shares.sort(key=itemgetter(0, 1))
    return shares


class _Addresses(dict[int, str]):
    """The addresses of things by number, which never change; those of the last ranges are kept.

    Most nods are at few things, and to read a thing's row for each took a quarter of a proof.
    """

    def learn(self, things: set[int]) -> None:
        """Read those that are not known yet."""
        missing = sorted(things - self.keys())
        if missing and len(self) + len(missing) > KNOWN:
            self.clear()
            missing = sorted(things)
        for first in range(0, len(missing), _AT_ONCE):
            rows = Thing.objects.filter(id__in=missing[first : first + _AT_ONCE])
            self.update(rows.values_list("id", "identity"))

    def __missing__(self, thing: int) -> str:
        """A damaged archive names whatever it does."""
        raise NotWhole(f"there is no page {thing}")


def _joined(
    month: str, spends: list[Any], shares: list[Any], addresses: dict[int, str]
) -> Iterator[Own]:
    """The spends of a range with the shares of each, both in order of member."""
    of_member = {member: list(rows) for member, rows in groupby(shares, key=itemgetter(0))}
    for member, amount, charity, slug in spends:
        rows = of_member.pop(member, [])
        given = f"member {member} {amount} {charity}\n"
        if charity:
            rows_sum, texts = amount, [proofs.gift(month, amount, slug)]
        else:
            rows_sum = sum([row[3] for row in rows])
            named = [(row[2], row[3], addresses[row[1]]) for row in rows]
            texts = proofs.shares(month, named)
            given += "".join([f"nod {row[1]} {row[2]}\n" for row in rows])
        if rows_sum != amount or bool(charity and rows):
            raise NotWhole(f"{month}: the shares of member {member} are {rows_sum}, not {amount}")
        yield Own(member, texts, given)
    if of_member:
        raise NotWhole(f"{month}: members {sorted(of_member)[:5]} have shares and no spend")


def _batches(query: str, names: Params) -> Iterator[list[Any]]:
    with connection.cursor() as cursor:
        cursor.execute(query, names)
        while rows := cursor.fetchmany(10_000):
            yield rows


def _rows(query: str, names: Params) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, names)
        return list(cursor.fetchall())
