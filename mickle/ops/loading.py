"""Writes a described world into the instance: all of it in one transaction, or nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.instance.models import Instance, Month
from mickle.lib import months, urls
from mickle.lib.errors import Refused
from mickle.members import members
from mickle.members.models import Charity, Member
from mickle.ops import _loading_nods, _loading_people
from mickle.ops.progress import bar
from mickle.ops.world import Row, World
from mickle.payins.models import Payin
from mickle.things import things
from mickle.things.languages import LANGUAGES
from mickle.things.models import Thing


class RealInstance(Refused):
    """The instance keeps real accounts, so nobody gets a password that stands in a file."""


@dataclass(frozen=True)
class Loaded:
    """How much of the world was new."""

    charities: int
    members: int
    things: int
    nods: int
    subscriptions: int
    payins: int


def load(world: World, *, kind: Instance.Kind = Instance.Kind.TEST) -> Loaded:
    """Write what is new of a world; what is there already stays as it is.

    A world with passwords makes an empty instance one of `kind`. Raises world.Broken with the line
    of what cannot be, or RealInstance.
    """
    with transaction.atomic():
        # Before any account is locked: a settlement that runs wants those, and a release waits for
        # it to end.
        instance.hold_owners()
        _admit(world, kind)
        at = instance.now()
        first = _begin(world)
        before = _counted()
        _charities(world)
        people = _loading_people.join(world, first=first, at=at)
        funded = _loading_people.fund(world, people, first=first, at=at)
        _loading_people.open_accounts(world, people)
        pages = _things(world, people, at)
        given = _loading_nods.give(world, people, pages)
        repeated = _loading_nods.subscribe(world, people, pages, at=at)
        after = _counted()
    return Loaded(
        charities=after[0] - before[0],
        members=after[1] - before[1],
        things=after[2] - before[2],
        nods=given,
        subscriptions=repeated,
        payins=funded,
    )


def _counted() -> tuple[int, int, int]:
    return Charity.objects.count(), Member.objects.count(), Thing.objects.count()


def is_empty() -> bool:
    """Whether nobody has used this instance yet."""
    rows = (Member.objects, Thing.objects, Payin.objects, Month.objects)
    return not any(table.exists() for table in rows)


def _admit(world: World, kind: Instance.Kind) -> None:
    """Passwords that stand in a file are for play: they make an empty instance a test one."""
    if not any(row.get("password") for row in world["members"]):
        return
    if instance.here().is_real:
        if not is_empty():
            raise RealInstance(
                _(
                    "This instance is real and not empty, so no password of a file is taken. "
                    "Nothing was loaded."
                )
            )
        instance.become(kind)


def _begin(world: World) -> int:
    """Let the books begin with the earliest nod; returns its month, or the open one."""
    given = {row["month"] for row in world["nods"]}
    first = months.parse(min(given)) if given else instance.open_month()
    if not Month.objects.exists() and first < instance.here().first_month:
        instance.begin(month=first)
    return first


def _charities(world: World) -> None:
    known = set(Charity.objects.values_list("slug", flat=True))
    for row in world["charities"]:
        if row["slug"] not in known:
            members.list_charity(slug=row["slug"], name=row["name"], url=row.get("url", ""))


def _things(world: World, people: _loading_people.People, at: datetime) -> dict[int | str, int]:
    """The ids here of the file's things, by the file's ids and addresses."""
    rows = world["things"]
    new = bar(_new_things(world, people, at), len(rows), _("things "))
    try:
        ids = things.bulk_add(new)
    except Refused as refused:
        raise _culprit(world, refused) from refused
    found: dict[int | str, int] = {}
    owners: dict[int, str] = {}
    for place, (row, thing_id) in enumerate(zip(rows, ids, strict=True)):
        owner = row.get("owner", "").lower()
        if owners.setdefault(thing_id, owner) != owner and owner:
            why = _("this page stands here before, and not as theirs")
            raise world.broken(("things", place, "owner"), why)
        found[row["url"]] = thing_id
        if "id" in row:
            found[row["id"]] = thing_id
    return found


def _new_things(
    world: World, people: _loading_people.People, at: datetime
) -> Iterator[things.NewThing]:
    for place, row in enumerate(world["things"]):
        owner = row.get("owner")
        if owner is not None and owner.lower() not in people:
            raise world.broken(("things", place, "owner"), _("nobody here is called “%s”") % owner)
        language = row.get("language", "")
        if language and language not in LANGUAGES:
            raise world.broken(("things", place, "language"), _("“%s” is not known") % language)
        yield things.NewThing(
            url=row["url"],
            created_at=_created_at(world, place, row, at),
            thing_id=row.get("id"),
            title=row.get("title", ""),
            description=row.get("description", ""),
            category=row.get("category", Thing.Category.REST.value),
            language=language,
            tags=row.get("tags", ()),
            hidden=row.get("hidden", False),
            owner_id=people[owner.lower()] if owner is not None else None,
        )


def _created_at(world: World, place: int, row: Row, at: datetime) -> datetime:
    if "created_at" not in row:
        return at
    try:
        found = datetime.fromisoformat(row["created_at"]).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise world.broken(("things", place, "created_at"), _("there is no such day")) from error
    if found > at:
        # It would be the newest of all until then.
        raise world.broken(("things", place, "created_at"), _("this day is still to come"))
    return found


def _culprit(world: World, refused: Refused) -> Refused:
    """The line of the thing that the door of things refused."""
    seen: dict[int, str] = {}
    for place, row in enumerate(world["things"]):
        try:
            identity = urls.admit(row["url"]).identity
        except Refused as why:
            return world.broken(("things", place, "url"), str(why))
        if "id" not in row:
            continue
        other = seen.setdefault(row["id"], identity) != identity
        taken = Thing.objects.filter(id=row["id"]).exclude(identity=identity)
        if other or taken.exists():
            return world.broken(("things", place, "id"), str(refused))
    return refused
