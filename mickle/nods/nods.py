"""The door of the room: give, take back, subscribe, count."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.lib import months
from mickle.lib.chunks import Range
from mickle.lib.errors import Refused
from mickle.lib.sql import Value, instant
from mickle.members.models import Member
from mickle.nods import _bulk, _leaving, _void, write
from mickle.nods.models import Count, Nod, Past, Subscription
from mickle.teams import teams
from mickle.things.models import Thing

SUBSCRIPTION_MONTHS = (3, 6, 12, None)


class OwnThing(Refused):
    """A member cannot nod at what they own."""


class NotNoddable(Refused):
    """The thing was taken down, or its owner refused for ever."""


class Leaving(Refused):
    """The member is closing the account and gives no more."""


class MonthClosed(Refused):
    """The nod's month has closed, so it stays as it is."""


class NoNod(Refused):
    """There is no such nod to take back."""


class BadSubscription(Refused):
    """A subscription runs 3, 6 or 12 months, or until stopped."""


@dataclass(frozen=True)
class Given:
    """The answer to a nod: which month it is in, whether it is new, how many it makes."""

    month: int
    new: bool
    nods_this_month: int


def give(
    *, member: Member, thing: Thing, at: datetime, source: str = "page", key: str = ""
) -> Given:
    """Nod at a thing once a month; a repeat is no second nod, and the same key is the first nod.

    Raises OwnThing, Leaving, or NotNoddable for what was refused or taken down.
    """
    if key:
        before = _keyed(member, key)
        if before is not None:
            return _given(member, before.month, new=False)
    target = _noddable(thing)
    _not_own(target, member, max(months.of(at), instance.here().closed_through + 1))
    row = [member.id, target.id, months.of(at), key, 0]
    names: dict[str, Value] = {"rows": json.dumps([row]), "at": instant(at), "source": source}
    with transaction.atomic(), connection.cursor() as cursor:
        instance.hold_fence()
        _hold_member(cursor, member)
        cursor.execute(_text(write.GIVE), names)
        written = cursor.fetchone()
        if written is not None:
            cursor.execute(_text(write.COUNT_UP), names)
            _tell(cursor)
        # Read while the fence is held: a month that closes now is not the one it stood in.
        month = written[0] if written is not None else _month_of_repeat(member, key, at)
    if written is None:
        _not_leaving(member)
    return _given(member, month, new=written is not None)


def _text(statement: str) -> str:
    return statement.format(rows=write.ROWS[connection.vendor])


def _hold_member(cursor: CursorWrapper, member: Member) -> None:
    if connection.vendor == "postgresql":
        cursor.execute(_text(write.HOLD_MEMBERS), {"rows": json.dumps([[member.id]])})


def _tell(cursor: CursorWrapper) -> None:
    """Let the processes that show counts hear of a change; on SQLite they look."""
    if connection.vendor == "postgresql":
        cursor.execute(write.TELL)


def check(*, thing: Thing, member: Member | None = None) -> None:
    """Raise what `give` would raise now: OwnThing, Leaving or NotNoddable; records nothing."""
    target = _noddable(thing)
    if member is None:
        return
    _not_own(target, member, instance.open_month())
    _not_leaving(member)


def _not_own(thing: Thing, member: Member, month: int) -> None:
    if thing.owner_id == member.id:
        raise OwnThing(_("This is yours, so you cannot nod at it."))
    if teams.shares_in(member=member, thing=thing, month=month):
        raise OwnThing(_("A part of this is yours through a team, so you cannot nod at it."))


def _not_leaving(member: Member) -> None:
    if Member.objects.filter(id=member.id, closing_at__isnull=False).exists():
        raise _closing()


def _closing() -> Leaving:
    return Leaving(_("You are closing your account, so nothing new is recorded."))


def _noddable(thing: Thing) -> Thing:
    target = thing
    if thing.state == Thing.State.MERGED and thing.merged_into is not None:
        target = thing.merged_into
    if target.state == Thing.State.REFUSED:
        raise NotNoddable(_("Its maker does not want nods, so nothing was recorded."))
    if target.state != Thing.State.ACTIVE:
        raise NotNoddable(_("This page was taken down here, so nothing was recorded."))
    return target


def _keyed(member: Member, key: str) -> Nod | None:
    # The index holds keys only, and SQLite takes it where the statement says so, too.
    return Nod.objects.filter(member=member, key=key).exclude(key="").first()


def _month_of_repeat(member: Member, key: str, at: datetime) -> int:
    if key:
        found = _keyed(member, key)
        if found is not None:
            return found.month
    return max(months.of(at), instance.here().closed_through + 1)


def _given(member: Member, month: int, *, new: bool) -> Given:
    return Given(month, new, Nod.objects.filter(member=member, month=month).count())


def take_back(*, member: Member, thing: Thing, at: datetime, month: int | None = None) -> int:
    """Take a nod back while its month is open; returns the month. Raises MonthClosed or NoNod.

    Nods at what is one thing by now are taken back together.
    """
    open_month = max(months.of(at), instance.here().closed_through + 1)
    wanted = open_month if month is None else month
    taken = wanted >= open_month and _take_back(member, [thing.id], wanted)
    # Looked at once more: it may have closed meanwhile.
    if not taken and wanted < max(open_month, instance.here().closed_through + 1):
        raise MonthClosed(
            _("%(month)s is closed, so this nod stays. Nothing was changed.")
            % {"month": months.text(wanted)}
        )
    if not taken:
        raise NoNod(_("You have not nodded at this in %(month)s.") % {"month": months.text(wanted)})
    return wanted


def take_back_all(*, member: Member, month: int) -> None:
    """Take back all that a member gave in an open month."""
    _take_back(member, [nod.thing_id for nod in of_month(member, month)], month)


def _take_back(member: Member, thing_ids: Iterable[int], month: int) -> bool:
    """Whether there was a nod at any of these things, or at what is one with them."""
    gone: list[int] = []
    with transaction.atomic(), connection.cursor() as cursor:
        instance.hold_fence()
        _hold_member(cursor, member)
        for thing_id in thing_ids:
            names = {"member": member.id, "thing": thing_id, "month": month}
            cursor.execute(write.TAKE_BACK, names)
            gone += [at for _member, at in cursor.fetchall()]
        # After all nods and in order, so that two who change several never wait for each other.
        for thing_id in sorted(gone):
            names = {"member": member.id, "thing": thing_id, "month": month}
            cursor.execute(write.COUNT_DOWN, names)
        if gone:
            _tell(cursor)
    return bool(gone)


def subscribe(
    *, member: Member, thing: Thing, runs_months: int | None, at: datetime
) -> Subscription:
    """Nod each month from the next one on, for 3, 6 or 12 months or (None) until stopped."""
    if runs_months not in SUBSCRIPTION_MONTHS:
        raise BadSubscription(_("Choose 3, 6 or 12 months, or until you stop it."))
    target = _noddable(thing)
    open_month = max(months.of(at), instance.here().closed_through + 1)
    _not_own(target, member, open_month)
    first = open_month + 1
    last = None if runs_months is None else first + runs_months - 1
    with transaction.atomic():
        held = Member.objects.select_for_update(no_key=True).get(id=member.id)
        if held.closing_at is not None:
            raise _closing()
        row = running(member, target)
        if row is None:
            return Subscription.objects.create(
                member=member, thing=target, first_month=first, last_month=last, made_at=at
            )
        row.last_month = last
        row.first_month = min(row.first_month, first)
        row.save(update_fields=["first_month", "last_month"])
    return row


def unsubscribe(*, member: Member, thing: Thing, at: datetime) -> bool:
    """Stop nodding each month; what was given stays. False when nothing was running."""
    rows = Subscription.objects.filter(_at(thing), member=member, ended_at=None)
    return bool(rows.update(ended_at=at))


def running(member: Member, thing: Thing) -> Subscription | None:
    """The running subscription of a member to a thing, or to what was merged into it."""
    return subscriptions(member).filter(_at(thing)).first()


def _at(thing: Thing) -> Q:
    """What stands at a thing, wherever that was merged into, and at all that is one with it."""
    target = thing.merged_into_id or thing.id
    return Q(thing=target) | Q(thing__merged_into=target)


def subscriptions(member: Member) -> QuerySet[Subscription]:
    """The running subscriptions of a member, newest first."""
    rows = Subscription.objects.filter(member=member, ended_at=None)
    return rows.select_related("thing", "thing__owner").order_by("-id")


def resting(*, member: Member, month: int) -> set[int]:
    """The things whose monthly nod rests in a month, as they are the member's own or a team's."""
    shared = _bulk.shared(member_id=member.id, month=month)
    return {
        row.thing_id
        for row in subscriptions(member).select_related("thing__merged_into")
        if row.id in shared or (row.thing.merged_into or row.thing).owner_id == member.id
    }


def renew(*, month: int, at: datetime) -> int:
    """Give the nods of all subscriptions for a month that is open; safe to run again."""
    with transaction.atomic():
        instance.hold_fence()
        if month <= instance.here().closed_through:
            return 0
        Subscription.objects.filter(ended_at=None, last_month__lt=month).update(ended_at=at)
        return _bulk.renew(month=month, at=at)


def to_renew(*, month: int) -> bool:
    """Whether a subscription has not given its nod of a month yet, or has ended before it."""
    rows = Subscription.objects.filter(ended_at=None, first_month__lte=month)
    return rows.filter(renewed_through__lt=month).exists()


def record_many(rows: Iterable[_bulk.NodRow]) -> int:
    """Record described nods `(month, member_id, thing_id, at, source)`; returns how many were new.

    A sixth value is the weight, 1 to 100; without it 1. Raises MonthClosed when one belongs to a
    month that has closed.
    """
    with transaction.atomic():
        instance.hold_fence()
        closed = instance.here().closed_through
        return _bulk.record(_open_only(rows, closed))


def _open_only(rows: Iterable[_bulk.NodRow], closed: int) -> Iterable[_bulk.NodRow]:
    for row in rows:
        if row[0] <= closed:
            raise MonthClosed(
                _("%(month)s is closed, so no nod can be recorded in it. Nothing was changed.")
                % {"month": months.text(row[0])}
            )
        yield row


def count_in(*, member: Member, month: int) -> None:
    """Add the nods of a month to the public counts; once, with the member's first top-up."""
    _bulk.count_in(member_id=member.id, month=month)


def void_at_freeze(*, month: int, owned: str) -> Counter[str]:
    """Mark the nods of a closed month that do not count, and why; returns how many by reason.

    `owned` is a SELECT giving thing and owner, as they count. In short transactions of its own;
    run again, it goes on.
    """
    return _void.mark(month=month, owned=owned)


def put_off_at_freeze(*, month: int, received: str) -> int:
    """Mark the nods of a closed month that are charged when somebody may receive for them.

    `received` is a SELECT of `thing`, for which somebody may now; returns how many nods.
    """
    return _void.put_off(month=month, received=received)


def let_go(*, month: int, span: Range) -> int:
    """Let a settled month's nods of a range of members leave the table; how many.

    The caller has looked that an archive has them all, and that nothing is decided of them any
    more. Their counts stay.
    """
    return _leaving.let_go(month, span)


def put_back(*, month: int, span: Range, rows: Sequence[Sequence[Any]]) -> int:
    """Put the nods of a range of members back that have left; how many, 0 where they are there.

    Rows of month, member, thing, weight, instant, source, void and evidence: all that left of these
    members, or AssertionError.
    """
    return _leaving.put_back(month, span, rows)


def givers(month: int) -> str:
    """A SELECT of the members with nods of a month in the table, for `chunks.walk`."""
    return _void.givers(month)


def months_of(member: Member) -> set[int]:
    """The months in which a member nodded, whether or not the nods have left."""
    there = Nod.objects.filter(member=member).values_list("month", flat=True).distinct()
    return {*there, *Past.objects.filter(member=member).values_list("month", flat=True)}


def count(thing_id: int) -> int:
    """The number on the button of a thing; 0 for an unknown one."""
    return count_many([thing_id]).get(thing_id, 0)


def count_many(thing_ids: Iterable[int]) -> dict[int, int]:
    """The numbers on many buttons; things nobody nodded at are left out."""
    rows = Count.objects.filter(thing_id__in=list(thing_ids))
    return dict(rows.values_list("thing_id", "total"))


def of_month(member: Member, month: int) -> QuerySet[Nod]:
    """A member's nods of a month with their things, in order of thing id (the order of shares)."""
    rows = Nod.objects.filter(member=member, month=month)
    return rows.select_related("thing", "thing__owner").order_by("thing_id")


def has(member: Member, thing: Thing, month: int) -> bool:
    """Whether the member nodded at the thing in the month, or at what was merged into it."""
    return Nod.objects.filter(_at(thing), member=member, month=month).exists()


def given_at(member: Member, thing: Thing, month: int) -> datetime | None:
    """When the member nodded in the month at the thing, or last at what is one with it."""
    rows = Nod.objects.filter(_at(thing), member=member, month=month)
    return rows.order_by("-at").values_list("at", flat=True).first()


def wrong_counts() -> list[tuple[int, int, int]]:
    """Things whose count differs from its nods: (thing id, count, recomputed). For the audit."""
    return _bulk.wrong_counts()
