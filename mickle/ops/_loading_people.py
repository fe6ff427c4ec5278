"""The people of a described world: members, their funds, where their earnings go."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import TypeVar

from django.conf import settings
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from mickle.instance.models import Month
from mickle.lib import money, months
from mickle.lib.errors import Refused
from mickle.members import members
from mickle.members.models import Charity, Member
from mickle.ops.progress import bar
from mickle.ops.world import Row, World
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.settlement import settlement
from mickle.settlement.models import Line

Item = TypeVar("Item")
People = dict[str, int]
CHUNK = 1_000


def chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    """The items in lists of a size one statement takes."""
    source = iter(items)
    while chunk := list(islice(source, CHUNK)):
        yield chunk


def join(world: World, *, first: int, at: datetime) -> People:
    """Make the members that are new; ids of all the file names, by name in small letters.

    Things may belong to members of the instance that the file does not describe.
    """
    rows = world["members"]
    known = _known({row["username"].lower() for row in rows} | _mentioned(world))
    new = [(place, row) for place, row in enumerate(rows) if row["username"].lower() not in known]
    _check_once(world, new)
    charities = {row.slug: row for row in Charity.objects.filter(listed=True)}
    for place, row in new:
        _check_charity(world, place, row, charities)
    described = (
        _new_member(row, charities, _budget(world, place, row), min(_since(row, first), at))
        for place, row in new
    )
    ids = members.join_many(bar(described, len(new), _("members")), budget_month=first)
    joined = zip((row["username"].lower() for _place, row in new), ids, strict=True)
    return known | dict(joined)


def _mentioned(world: World) -> set[str]:
    owners = {row["owner"].lower() for row in world["things"] if "owner" in row}
    names = {row["member"] for name in ("nods", "subscriptions") for row in world[name]}
    return owners | {name.lower() for name in names}


def _known(names: Iterable[str]) -> People:
    found: People = {}
    if not Member.objects.exists():
        return found
    staying = Member.objects.filter(closed_at=None)
    rows = staying.annotate(small=Lower("username")).values_list("small", "id")
    for chunk in chunks(sorted(names)):
        found.update(rows.filter(small__in=chunk))
    return found


def _check_once(world: World, rows: list[tuple[int, Row]]) -> None:
    """No name and no address twice, in the file or in the instance."""
    names: set[str] = set()
    addresses: dict[str, int] = {}
    for place, row in rows:
        name = row["username"].lower()
        if name in names:
            raise world.broken(("members", place, "username"), _("this name stands here twice"))
        names.add(name)
        if members.is_of_the_closed(name):
            why = _("this is what an account is called that was closed")
            raise world.broken(("members", place, "username"), why)
        if "email" in row:
            address = _email(world, place, row)
            if address in addresses:
                why = _("this address stands here twice")
                raise world.broken(("members", place, "email"), why)
            addresses[address] = place
    for chunk in chunks(addresses):
        taken = Member.objects.filter(email__in=chunk).values_list("email", flat=True).first()
        if taken is not None:
            why = _("another member has this address")
            raise world.broken(("members", addresses[taken], "email"), why)


def _email(world: World, place: int, row: Row) -> str:
    try:
        return members.check_email(row["email"])
    except Refused as refused:
        raise world.broken(("members", place, "email"), str(refused)) from refused


def _check_charity(world: World, place: int, row: Row, charities: dict[str, Charity]) -> None:
    name = row.get("charity")
    if name is not None and name not in charities:
        raise world.broken(("members", place, "charity"), _("“%s” is not listed here") % name)


def _since(row: Row, first: int) -> datetime:
    return months.start(_funds_month(row, first))


def _new_member(
    row: Row, charities: dict[str, Charity], budget_micros: int | None, joined_at: datetime
) -> members.NewMember:
    return members.NewMember(
        username=row["username"],
        joined_at=joined_at,
        email=row.get("email", ""),
        password=row.get("password"),
        name=row.get("name", ""),
        about=row.get("about", ""),
        city=row.get("city", ""),
        country=row.get("country", ""),
        url=row.get("url", ""),
        is_operator=row.get("operator", False),
        public_nods=row.get("public_nods", False),
        budget_micros=budget_micros,
        charity=charities[row["charity"]] if "charity" in row else None,
    )


def _budget(world: World, place: int, row: Row) -> int | None:
    if "budget" not in row:
        return None
    try:
        micros = money.parse(row["budget"], settings.CURRENCY_DECIMALS)
        members.check_budget(micros)
    except Refused as refused:
        raise world.broken(("members", place, "budget"), str(refused)) from refused
    return micros


def _funds_month(row: Row, first: int) -> int:
    return months.parse(row["funds_month"]) if "funds_month" in row else first - 1


def fund(world: World, people: People, *, first: int, at: datetime) -> int:
    """Book the funds that were not booked before; returns how many."""
    described = []
    for place, row in enumerate(world["members"]):
        micros = _funds(world, place, row)
        if not micros:
            continue
        month = _funds_month(row, first)
        if months.start(month) > at:
            raise world.broken(("members", place, "funds_month"), _("this month is still to come"))
        name = row["username"]
        described.append(
            payins.Described(people[name.lower()], name, micros, month, dated="funds_month" in row)
        )
    new = payins.top_up_many(described)
    _release(new, at)
    return len(new)


def _funds(world: World, place: int, row: Row) -> int:
    path = ("members", place, "funds")
    try:
        micros = money.parse(row.get("funds", "0"), settings.CURRENCY_DECIMALS)
    except Refused as refused:
        raise world.broken(path, str(refused)) from refused
    if micros > settings.FUNDS_MAX_MICROS:
        limit = money.plain(settings.FUNDS_MAX_MICROS, settings.CURRENCY_DECIMALS)
        raise world.broken(path, _("funds go up to %s") % limit)
    return micros


def _release(new: list[payins.Described], at: datetime) -> None:
    """Release what waited for owners who may receive from now on."""
    if not Month.objects.exists():
        return
    for chunk in chunks(new):
        waiting = Line.settled.filter(
            state=Line.State.WAITING, thing__owner_id__in=[row.member_id for row in chunk]
        ).values("thing__owner_id")
        for owner in Member.objects.filter(id__in=waiting).order_by("id"):
            settlement.release_owner(member=owner, at=at)


def open_accounts(world: World, people: People) -> None:
    """Say where earnings go, for members who have not said so themselves."""
    for place, row in enumerate(world["members"]):
        if "iban" not in row:
            continue
        member = Member.objects.get(id=people[row["username"].lower()])
        if payouts.account(member) is not None:
            continue
        try:
            payouts.set_account(
                member=member, iban=row["iban"], holder_name=row.get("name") or row["username"]
            )
        except Refused as refused:
            raise world.broken(("members", place, "iban"), str(refused)) from refused
