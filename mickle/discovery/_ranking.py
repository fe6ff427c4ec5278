"""The two rankings that no index gives: what people nod at now, and what was nodded at most."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from time import monotonic

from django.core.cache import cache
from django.db import connection

from mickle.lib.sql import instant
from mickle.nods.models import Count

HALF_LIFE = timedelta(days=3)
# After ten halvings a nod weighs a thousandth.
_LOOKS_BACK = 10 * HALF_LIFE
_NODS_READ = 10_000
# Where there are more, so many of one person's: nobody drives all others out by nodding a lot.
_OF_ONE_READ = 100
_LOOKS_AT_MOST = 5
_TRENDING_AT_MOST = 300
MOST_AT_MOST = 3_000
# A ranking is kept three hundred times as long as it took, so that few pages ever wait for it; on
# a small instance it is always fresh.
_KEPT_TIMES = 300
_KEPT_AT_MOST_S = 600

Given = tuple[int, int, datetime]

# Only who has ever topped up counts, as on the button.
_NEWEST = """
SELECT n.thing_id, n.member_id, n.at
FROM nods_nod n JOIN members_member m ON m.id = n.member_id
WHERE n.at > %s AND n.at <= %s AND n.void IN ('', 'LATER') AND m.funded_month IS NOT NULL
  {others}
ORDER BY n.at DESC LIMIT %s
"""


def trending(at: datetime) -> Sequence[int]:
    """Ids of things by heat: each person who nodded weighs half as much every three days."""
    return _kept("discovery:trending", lambda: _hottest(at))


def most_nodded() -> Sequence[int]:
    """Ids of things by their count."""
    rows = Count.objects.filter(total__gt=0).order_by("-total", "-thing")
    return _kept(
        "discovery:most", lambda: list(rows.values_list("thing_id", flat=True)[:MOST_AT_MOST])
    )


def totals(ids: Collection[int]) -> dict[int, int]:
    """The counts of those of the ids that have one, in the order of the ids."""
    rows = Count.objects.filter(thing__in=ids, total__gt=0).values_list("thing_id", "total")
    found = dict(rows)
    return {one: found[one] for one in ids if one in found}


def _kept(key: str, compute: Callable[[], list[int]]) -> Sequence[int]:
    found: list[int] | None = cache.get(key)
    if found is None:
        began = monotonic()
        found = compute()
        seconds = int((monotonic() - began) * _KEPT_TIMES)
        if seconds:
            cache.set(key, found, min(seconds, _KEPT_AT_MOST_S))
    return found


def _hottest(at: datetime) -> list[int]:
    heat: dict[int, float] = {}
    seen: set[tuple[int, int]] = set()
    for thing, member, given_at in _newest_nods(at):
        # A person who nodded in two months is one person; the newer nod comes first.
        if (thing, member) not in seen:
            seen.add((thing, member))
            heat[thing] = heat.get(thing, 0.0) + 0.5 ** ((at - given_at) / HALF_LIFE)
    return sorted(heat, key=lambda thing: (-heat[thing], -thing))[:_TRENDING_AT_MOST]


def _newest_nods(at: datetime) -> list[Given]:
    """The newest nods of each person; of who crowds the others out, the first of these."""
    kept: list[Given] = []
    crowding: set[int] = set()
    for _look in range(_LOOKS_AT_MOST):
        rows = _read(at, crowding)
        of_each = Counter(member for _thing, member, _at in rows)
        many = {member for member, n in of_each.items() if n > _OF_ONE_READ}
        if len(rows) < _NODS_READ or not many:
            return kept + rows
        kept += _first_of(rows, many)
        crowding |= many
    return kept + [row for row in rows if row[1] not in crowding]


def _first_of(rows: list[Given], members: set[int]) -> list[Given]:
    left = dict.fromkeys(members, _OF_ONE_READ)
    found = []
    for row in rows:
        if left.get(row[1]):
            left[row[1]] -= 1
            found.append(row)
    return found


def _read(at: datetime, without: Collection[int]) -> list[Given]:
    """The newest nods but those of some people."""
    places = ", ".join(["%s"] * len(without))
    text = _NEWEST.format(others=f"AND n.member_id NOT IN ({places})" if without else "")
    with connection.cursor() as cursor:
        cursor.execute(text, [instant(at - _LOOKS_BACK), instant(at), *without, _NODS_READ])
        return [(thing, member, _instant(given_at)) for thing, member, given_at in cursor]


def _instant(value: datetime) -> datetime:
    """An instant as the driver gives it; SQLite's text may name no zone, and is UTC."""
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
