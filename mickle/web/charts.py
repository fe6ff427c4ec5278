"""What charts of a maker show: bars from counts, and the peak in words."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Count
from django.db.models.functions import TruncDate

from mickle.lib import months
from mickle.members.models import Member
from mickle.nods.models import Nod
from mickle.web import drawing, wording

_LABELLED = (1, 8, 15, 22)
# So many days beside the running one stay without a label, or the two would touch on a phone.
_APART = 2


@dataclass(frozen=True)
class Days:
    """Nods by day of a month that runs, from its first day through today."""

    month: int
    counts: list[int]

    @property
    def total(self) -> int:
        """All of them so far."""
        return sum(self.counts)

    @property
    def most(self) -> int:
        """The nods of the day with the most."""
        return max(self.counts)

    @property
    def peak(self) -> datetime:
        """The first day with the most."""
        return self._at(self.counts.index(self.most))

    @property
    def listed(self) -> list[tuple[datetime, int]]:
        """Each day with its nods."""
        return [(self._at(place), count) for place, count in enumerate(self.counts)]

    @property
    def bars(self) -> list[drawing.Bar]:
        """A bar for each day of the whole month; the running day is drawn as such."""
        today = len(self.counts)
        last = (months.end(self.month) - months.start(self.month)).days
        return [
            drawing.Bar(
                label=wording.number(day) if _is_labelled(day, today, last) else "",
                value=self.counts[day - 1] if day <= today else 0,
                kind="now" if day == today else "",
            )
            for day in range(1, last + 1)
        ]

    def _at(self, place: int) -> datetime:
        return months.start(self.month) + timedelta(days=place)


def _is_labelled(day: int, today: int, last: int) -> bool:
    return day == today or (day in (*_LABELLED, last) and abs(day - today) > _APART)


def nods_a_day(*, owner: Member, month: int, now: datetime) -> Days:
    """Others' nods at what a member owns, by day in UTC."""
    first = months.start(month).date()
    today = min(max(now, months.start(month)), months.end(month) - timedelta(seconds=1))
    counts = [0] * today.day
    rows = (
        Nod.objects.filter(month=month, thing__owner=owner)
        .exclude(member=owner)
        .values_list(TruncDate("at", tzinfo=UTC))
        .annotate(Count("thing_id"))
        .order_by()
    )
    for day, count in rows:
        # A nod that met a closed month at midnight counts in the next one, so on its first day.
        counts[min(max((day - first).days, 0), today.day - 1)] += count
    return Days(month, counts)
