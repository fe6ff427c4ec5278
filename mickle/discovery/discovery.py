"""The door of the room: one page of the catalogue."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from mickle.discovery import _ranking
from mickle.instance import instance
from mickle.nods.models import Count
from mickle.things import things
from mickle.things.models import Tag, Thing

PAGE_ROWS = 30
# No list goes deeper, so that the last page costs about as much as the first one.
DEEPEST = 3_000


@dataclass(frozen=True)
class Page:
    """A page of things: rows `first` to `last` of `total`, or of more when `total_is_more`."""

    things: Sequence[Thing]
    total: int
    total_is_more: bool
    first: int
    last: int
    has_next: bool


def catalogue(
    *,
    q: str = "",
    category: str = "",
    language: str = "",
    tag: str = "",
    order: str = "trending",
    page: int = 1,
    at: datetime | None = None,
) -> Page:
    """A page of what can be nodded at; an unknown order is "trending".

    Orders: "trending" (people who nodded lately, halving every three days, then the newest), "new",
    "most" (most nodded), "none" (nobody nodded yet).
    """
    start = (max(page, 1) - 1) * PAGE_ROWS
    rows = _listed(q, category, language, tag)
    ids, total = _ORDERS.get(order, _trending)(rows, start, at)
    found = Thing.objects.select_related("owner").in_bulk(ids)
    shown = [found[one] for one in ids if one in found]
    return Page(
        things=shown,
        total=min(total, DEEPEST),
        total_is_more=total > DEEPEST,
        first=start + 1 if shown else 0,
        last=start + len(shown),
        has_next=start + len(ids) < min(total, DEEPEST),
    )


def _listed(q: str, category: str, language: str, tag: str) -> QuerySet[Thing]:
    rows = things.matching(q) if q.strip() else Thing.objects.all()
    rows = rows.filter(state=Thing.State.ACTIVE, hidden=False)
    if category:
        rows = rows.filter(category=category)
    if language:
        rows = rows.filter(language=language)
    if tag:
        tagged = Tag.objects.filter(name=tag.strip().lower()).order_by("-thing")
        rows = rows.filter(id__in=tagged.values("thing")[:DEEPEST])
    return rows


def _count(rows: QuerySet[Thing]) -> int:
    """The number of rows, but one more than DEEPEST for any larger number."""
    return rows.order_by()[: DEEPEST + 1].count()


def _newest(rows: QuerySet[Thing], start: int, length: int = PAGE_ROWS) -> list[int]:
    ordered = rows.order_by("-created_at", "-id").values_list("id", flat=True)
    return list(ordered[start : min(start + length, DEEPEST)])


def _ranked(rows: QuerySet[Thing], ranking: Sequence[int]) -> list[int]:
    """What is listed of a ranking, in its order."""
    kept = set(rows.filter(id__in=ranking).values_list("id", flat=True))
    return [one for one in ranking if one in kept]


def _trending(rows: QuerySet[Thing], start: int, at: datetime | None) -> tuple[Sequence[int], int]:
    ranked = _ranked(rows, _ranking.trending(instance.now() if at is None else at))
    ids = ranked[start : start + PAGE_ROWS]
    if len(ids) < PAGE_ROWS:
        others = rows.exclude(id__in=ranked)
        ids += _newest(others, max(start - len(ranked), 0), PAGE_ROWS - len(ids))
    return ids, _count(rows)


def _new(rows: QuerySet[Thing], start: int, _at: datetime | None) -> tuple[Sequence[int], int]:
    return _newest(rows, start), _count(rows)


def _most(rows: QuerySet[Thing], start: int, _at: datetime | None) -> tuple[Sequence[int], int]:
    ranked = _ranked(rows, _ranking.most_nodded())
    return ranked[start : start + PAGE_ROWS], len(ranked)


def _none(rows: QuerySet[Thing], start: int, _at: datetime | None) -> tuple[Sequence[int], int]:
    # Among the newest, so that few hits in a large catalogue are not looked for everywhere.
    newest = rows.order_by("-created_at", "-id").values("id")[:DEEPEST]
    nodded = Count.objects.filter(thing=OuterRef("id"), total__gt=0)
    without = Thing.objects.filter(~Exists(nodded), id__in=newest)
    return _newest(without, start), _count(without)


_ORDERS: dict[str, Callable[[QuerySet[Thing], int, datetime | None], tuple[Sequence[int], int]]] = {
    "trending": _trending,
    "new": _new,
    "most": _most,
    "none": _none,
}
