"""Nods that have left the table, read from the archive of their month. Reads only."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from mickle.members.models import Member
from mickle.nods.models import Past
from mickle.settlement import _archive
from mickle.settlement.models import Split
from mickle.things.models import Thing


class PastNod(NamedTuple):
    """A nod as its archive has it."""

    member_id: int
    thing_id: int
    weight: int
    at: datetime
    void: str


class ListedNod(NamedTuple):
    """The same with its thing, as lists of nods show it."""

    thing: Thing
    at: datetime
    void: str


def of(member: Member, month: int) -> list[PastNod]:
    """A member's nods of a month that have left, in order of thing id; raises NoArchive."""
    left = _left(month=month, member=member)
    if not left:
        return []
    found = list(_read(month, left))
    ids = {nod.thing_id for nod in found}
    if Thing.objects.filter(id__in=ids).count() != len(ids):
        raise _archive.differs(month)
    return found


def listed(member: Member, month: int) -> list[ListedNod]:
    """The same with their things and owners."""
    found = of(member, month)
    things = Thing.objects.select_related("owner").in_bulk([nod.thing_id for nod in found])
    return [ListedNod(things[nod.thing_id], nod.at, nod.void) for nod in found]


def _left(**names: Any) -> dict[int, int]:
    """How many nods of which members have left."""
    return dict(Past.objects.filter(**names).values_list("member_id", "nods"))


def _read(month: int, left: Mapping[int, int]) -> Iterator[PastNod]:
    """The nods of members, in order of member and thing; raises NoArchive."""
    for member, thing, weight, at, void in _archive.nods_of(month, left):
        yield PastNod(member, thing, weight, at.replace(tzinfo=UTC), void)


def shares(month: int, after: int, upto: int) -> list[tuple[int, int, int, int]]:
    """What the nods of a range that have left carry: member, thing, weight, amount."""
    names = {"month": month, "member__gt": after, "member__lte": upto}
    left = _left(**names)
    if not left:
        return []
    splits = {split.member_id: split for split in Split.objects.filter(**names)}
    return [
        (
            nod.member_id,
            nod.thing_id,
            nod.weight,
            splits[nod.member_id].share_micros(nod.thing_id, nod.weight),
        )
        for nod in _read(month, left)
        if not nod.void and nod.member_id in splits
    ]
