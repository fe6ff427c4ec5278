"""The door of the room: one page of the catalogue."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from mickle.discovery import _ranking
from mickle.instance import instance
from mickle.things import things
from mickle.things.models import Tag, Thing

PAGE_ROWS = 30
# No list goes deeper, so that the last page costs about as much as the first one.
DEEPEST = 3_000


@dataclass(frozen=True)
class Page:
    """A page of things: rows `first` to `last` of `total`, or of even more if `total_is_more`."""

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
    shown = _Shown(category, language)
    start = (max(page, 1) - 1) * PAGE_ROWS
    if q.strip() or tag.strip():
        ids, total = _within(_wanted(q, tag), shown, order, start, at)
    else:
        ids, total = _everywhere(shown, order, start, at)
    found = Thing.objects.select_related("owner").in_bulk(ids)
    rows = [found[one] for one in ids if one in found]
    return Page(
        things=rows,
        total=total,
        total_is_more=total >= DEEPEST,
        first=start + 1 if rows else 0,
        last=start + len(rows),
        has_next=start + len(ids) < total,
    )


@dataclass(frozen=True)
class _Shown:
    """What may stand in a list: what takes nods and is not hidden, of a category and language."""

    category: str
    language: str

    def rows(self) -> QuerySet[Thing]:
        """All of it, for lists along an index."""
        rows = Thing.objects.filter(state=Thing.State.ACTIVE, hidden=False)
        if self.category:
            rows = rows.filter(category=self.category)
        return rows.filter(language=self.language) if self.language else rows

    def of(self, ids: Collection[int]) -> list[int]:
        """What of the ids is among it, newest first.

        Read by primary key alone: with more conditions in the text SQLite, which does not know that
        nearly all things are active, would rather read all of them.
        """
        facts = Thing.objects.filter(id__in=ids).values_list(
            "created_at", "id", "state", "hidden", "category", "language"
        )
        kept = [
            (created_at, thing_id)
            for created_at, thing_id, state, hidden, category, language in facts
            if state == Thing.State.ACTIVE
            and not hidden
            and self.category in ("", category)
            and self.language in ("", language)
        ]
        return [thing_id for _created_at, thing_id in sorted(kept, reverse=True)]


def _wanted(q: str, tag: str) -> set[int]:
    """Ids found by words, by tag, or by both."""
    found: list[set[int]] = []
    if q.strip():
        found.append(set(things.matching(q)))
    if tag.strip():
        tagged = Tag.objects.filter(name=tag.strip().lower()).order_by("-thing")
        found.append(set(tagged.values_list("thing", flat=True)[:DEEPEST]))
    return set.intersection(*found)


def _within(
    wanted: set[int], shown: _Shown, order: str, start: int, at: datetime | None
) -> tuple[list[int], int]:
    """A page and the length of the list of what was found."""
    listed = shown.of(wanted)
    if order == "most":
        totals = _ranking.totals(listed)
        # Sorting keeps the newest first among equals.
        listed = sorted(totals, key=lambda one: -totals[one])
    elif order == "none":
        totals = _ranking.totals(listed)
        listed = [one for one in listed if one not in totals]
    elif order != "new":
        heat = {one: place for place, one in enumerate(_ranking.trending(_now(at)))}
        listed.sort(key=lambda one: heat.get(one, len(heat)))
    return listed[start : start + PAGE_ROWS], len(listed)


def _everywhere(
    shown: _Shown, order: str, start: int, at: datetime | None
) -> tuple[list[int], int]:
    """A page and the length (at most DEEPEST) of the list of everything."""
    if order == "most":
        ranking = _ranking.most_nodded()
        kept = set(shown.of(ranking))
        listed = [one for one in ranking if one in kept]
        return listed[start : start + PAGE_ROWS], len(listed)
    rows = shown.rows()
    if order == "none":
        # Among the newest, so that few hits in a large catalogue are not looked for everywhere.
        newest = _newest(rows, 0, DEEPEST)
        totals = _ranking.totals(newest)
        listed = [one for one in newest if one not in totals]
        return listed[start : start + PAGE_ROWS], len(listed)
    total = rows.order_by()[:DEEPEST].count()
    if order == "new":
        return _newest(rows, start, PAGE_ROWS), total
    hot = _ranking.trending(_now(at))
    kept = set(shown.of(hot))
    ids = [one for one in hot if one in kept]
    page = ids[start : start + PAGE_ROWS]
    others = rows.exclude(id__in=kept)
    return page + _newest(others, max(start - len(ids), 0), PAGE_ROWS - len(page)), total


def _newest(rows: QuerySet[Thing], start: int, length: int) -> list[int]:
    ordered = rows.order_by("-created_at", "-id").values_list("id", flat=True)
    return list(ordered[start : min(start + length, DEEPEST)])


def _now(at: datetime | None) -> datetime:
    return instance.now() if at is None else at
