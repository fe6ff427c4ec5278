"""Things as lists show them: with their count, and whether the member who looks nodded."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q

from mickle.instance import instance
from mickle.members.models import Member
from mickle.nods import nods
from mickle.nods.models import Nod
from mickle.things.models import Thing


@dataclass(frozen=True)
class ThingRow:
    """One row of a list of things."""

    id: int
    title: str
    description: str
    host: str
    by: str
    by_username: str
    nods: int
    nodded: bool
    mine: bool


def of(listed: Iterable[Thing], viewer: Member | AnonymousUser) -> list[ThingRow]:
    """Rows in the order given; three queries whatever the length."""
    found = list(listed)
    ids = [thing.id for thing in found]
    counts = nods.count_many(ids)
    mine = _nodded_by(viewer, ids)
    return [
        ThingRow(
            id=thing.id,
            title=title_of(thing),
            description=thing.description,
            host=thing.host,
            by=thing.owner.shown_name if thing.owner else "",
            by_username=thing.owner.username if thing.owner else "",
            nods=counts.get(thing.id, 0),
            nodded=thing.id in mine,
            mine=thing.owner_id is not None and thing.owner_id == viewer.pk,
        )
        for thing in found
    ]


def title_of(thing: Thing) -> str:
    """The title, or for a page nobody has described its address without the scheme."""
    return thing.title or short(thing.url)


def short(url: str) -> str:
    """An address without its scheme, as people write it."""
    return url.partition("://")[2].rstrip("/") or url


def _nodded_by(viewer: Member | AnonymousUser, ids: list[int]) -> set[int]:
    if not viewer.is_authenticated:
        return set()
    rows = Nod.objects.filter(month=instance.open_month(), member=viewer)
    rows = rows.filter(Q(thing__in=ids) | Q(thing__merged_into__in=ids))
    both = rows.values_list("thing_id", "thing__merged_into")
    return {id_ for pair in both for id_ in pair if id_ is not None}
