"""The nods and subscriptions of a described world."""

from collections.abc import Iterator
from datetime import UTC, datetime

from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.lib import months
from mickle.lib.errors import Refused
from mickle.members.models import Member
from mickle.nods import nods
from mickle.nods.models import Nod, Subscription
from mickle.ops._loading_people import People
from mickle.ops.progress import bar
from mickle.ops.world import Path_, Row, World
from mickle.things.models import Thing

Pages = dict[int | str, int]
NodRow = tuple[int, int, int, datetime, str]


class _Nods:
    """Reads the nods of a world one by one; keeps those of closed months for a second look."""

    def __init__(self, world: World, people: People, pages: Pages) -> None:
        self.world = world
        self.ids = people
        self.pages = pages
        self.owned = {
            (people[row["owner"].lower()], pages[row["url"]])
            for row in world["things"]
            if "owner" in row
        }
        self.closed = instance.here().closed_through
        self.open = instance.open_month()
        self.months: dict[str, int] = {}
        self.late: dict[int, tuple[int, int, int]] = {}

    def open_ones(self) -> Iterator[NodRow]:
        """The nods that can be recorded."""
        ids, pages, owned = self.ids, self.pages, self.owned
        for place, row in enumerate(self.world["nods"]):
            # The words of a refusal are looked for only where there is one.
            member = ids.get(row["member"]) or who(self.world, ("nods", place), row, ids)
            thing = pages.get(row["thing"]) or where(self.world, ("nods", place), row, pages)
            if (member, thing) in owned:
                why = _("%s owns this, and nobody nods at their own") % row["member"]
                raise self.world.broken(("nods", place), why)
            month = self._month(place, row["month"])
            at = self._at(place, row, month)
            if month <= self.closed:
                self.late[place] = (month, member, thing)
            else:
                yield month, member, thing, at, row.get("source", "load")

    def _month(self, place: int, text: str) -> int:
        month = self.months.get(text)
        if month is None:
            month = self.months[text] = months.parse(text)
        if month > self.open:
            raise self.world.broken(("nods", place, "month"), _("%s is still to come") % text)
        return month

    def _at(self, place: int, row: Row, month: int) -> datetime:
        if "at" not in row:
            return months.start(month)
        try:
            at = datetime.fromisoformat(row["at"]).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise self.world.broken(("nods", place, "at"), _("there is no such instant")) from error
        if at.year * 12 + at.month - 1 != month:
            raise self.world.broken(("nods", place, "at"), _("this is not in %s") % row["month"])
        return at

    def check_late(self) -> None:
        """Nods of a closed month that are there already change nothing; others are refused."""
        there = {
            (month, *pair)
            for month in {month for month, _member, _thing in self.late.values()}
            for pair in Nod.objects.filter(month=month).values_list("member_id", "thing_id")
        }
        for place, nod in self.late.items():
            if nod not in there:
                why = _("%s is closed, so no nod can be added to it") % months.text(nod[0])
                raise self.world.broken(("nods", place, "month"), why)


def who(world: World, path: Path_, row: Row, ids: People) -> int:
    """The id of a row's member."""
    name = row["member"]
    found = ids.get(name) or ids.get(name.lower())
    if found is None:
        raise world.broken((*path, "member"), _("nobody here is called “%s”") % name)
    return found


def where(world: World, path: Path_, row: Row, pages: Pages) -> int:
    """The id of a row's thing."""
    found = pages.get(row["thing"])
    if found is None:
        raise world.broken((*path, "thing"), _("this file has no thing %s") % row["thing"])
    return found


def give(world: World, people: People, pages: Pages) -> int:
    """Record the nods that are new; returns how many."""
    read = _Nods(world, people, pages)
    # In the order of their key, which a database writes faster than any other.
    rows = sorted(read.open_ones())
    written = nods.record_many(bar(rows, len(rows), _("nods   ")))
    read.check_late()
    return written


def subscribe(world: World, people: People, pages: Pages, *, at: datetime) -> int:
    """Begin the subscriptions that are new, each the month after its nod; returns how many."""
    begun = 0
    for place, row in enumerate(world["subscriptions"]):
        path: Path_ = ("subscriptions", place)
        member_id, thing_id = who(world, path, row, people), where(world, path, row, pages)
        if Subscription.objects.filter(member_id=member_id, thing_id=thing_id).exists():
            continue
        last = Nod.objects.filter(member_id=member_id, thing_id=thing_id).order_by("-month").first()
        try:
            nods.subscribe(
                member=Member.objects.get(id=member_id),
                thing=Thing.objects.get(id=thing_id),
                runs_months=row.get("months"),
                at=last.at if last is not None else at,
            )
        except Refused as refused:
            raise world.broken(path, str(refused)) from refused
        begun += 1
    return begun
