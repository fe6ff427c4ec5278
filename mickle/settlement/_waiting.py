"""What is set aside: released to an owner, taken back by its member, refused, or expired.

The state of a line changes by one conditional UPDATE; the caller whose update counts posts.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.ledger import ledger
from mickle.ledger.ledger import Kind
from mickle.lib import chunks, money, months
from mickle.lib.chunks import Range, Report
from mickle.lib.errors import Refused
from mickle.lib.sql import Params
from mickle.members import members
from mickle.members.models import Member
from mickle.settlement import _parts, _underway
from mickle.settlement._shares import SHARES, SHARES_WITHIN
from mickle.settlement.models import Line, ReturnedShare, Run
from mickle.teams import teams
from mickle.teams.models import PutIn
from mickle.things import things
from mickle.things.models import Thing

EXPIRES_AFTER_MONTHS = 6


class NotWaiting(Refused):
    """Nothing of this member waits there."""


_EXPIRE = f"""
SELECT 'expire:' || %(text)s || ':' || CAST(s.member_id AS TEXT) AS key,
       '{Kind.WAITING}' AS debit_kind, s.member_id AS debit_holder,
       '{Kind.FUNDS}' AS credit_kind, s.member_id AS credit_holder,
       CAST(SUM(s.amount_micros) AS BIGINT) AS amount_micros
FROM ({SHARES_WITHIN}) s
JOIN settlement_line l ON l.month = s.month AND l.thing_id = s.thing_id AND l.state = 'WAITING'
GROUP BY s.member_id
HAVING SUM(s.amount_micros) > 0
"""


def lines() -> QuerySet[Line]:
    """The lines that wait: those of a month that is expiring wait no more."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT MAX(month) FROM settlement_run")
        begun = cursor.fetchone()[0]
    rows = Line.settled.filter(state=Line.State.WAITING)
    return rows if begun is None else rows.filter(month__gt=begun - EXPIRES_AFTER_MONTHS)


def expire(*, month: int, at: datetime, report: Report) -> None:
    """Return what still waits of a month to its members; safe to run again, until it is noted.

    The run of a later month has begun, so that nothing of it is released or taken back meanwhile.
    """
    names: Params = {"month": month, "text": months.text(month)}

    def give_back(span: Range) -> int:
        bound = {**names, **span._asdict()}
        return ledger.post_from_select(_EXPIRE, bound, reason="RETURN", month=month, at=at)

    if Line.objects.filter(month=month, state=Line.State.WAITING).exists():
        members_of = f"SELECT member_id AS k FROM settlement_split WHERE month = {month:d}"
        chunks.walk(members_of, give_back, label="expire", report=report)


def expires(member: Member, month: int) -> int:
    """What still waits of a member's month and comes back to them as it expires; reads only."""
    if not ledger.balance(ledger.waiting(member.id)):
        return 0
    text = months.text(month)
    bound: Params = {"month": month, "text": text, "after": member.id - 1, "upto": member.id}
    with connection.cursor() as cursor:
        cursor.execute(_EXPIRE, bound)
        found = cursor.fetchone()
    if found is None or ledger.find(found[0]) is not None:
        return 0
    return int(found[-1])


def comes_back_in(member: Member) -> int | None:
    """The month whose settlement is returning what waited, and has not come to the member yet."""
    run = Run.objects.filter(stage=Run.Stage.EXPIRE).order_by("month").first()
    if run is None or not expires(member, run.month - EXPIRES_AFTER_MONTHS):
        return None
    return run.month


def note_expired(*, month: int, at: datetime, report: Report) -> None:
    """Note that the lines of an expired month went back: all of what they held has."""
    rows = Line.objects.filter(month=month, state=Line.State.WAITING)

    def note(span: Range) -> int:
        within = rows.filter(thing__gt=span.after, thing__lte=span.upto)
        return within.update(state=Line.State.RETURNED, decided_at=at)

    things_of = (
        f"SELECT thing_id AS k FROM settlement_line WHERE month = {month:d} AND state = 'WAITING'"
    )
    chunks.walk(things_of, note, label="expired", report=report)


def release(*, thing: Thing, at: datetime) -> int:
    """Pay all that waits for a thing to its owner, less the fee; returns the net in micros.

    What waits of a month in which it was a team's is that team's. The own shares of who owns it go
    back to their funds. Nothing happens while nobody may receive, or while it is taken down.
    """
    with transaction.atomic():
        instance.hold_owners()
        row = Thing.objects.select_related("owner", "scope").get(id=thing.id)
        if row.owner is None or row.state == Thing.State.TAKEN_DOWN:
            return 0
        # From here on nobody leaves; whether they have is asked line by line.
        people = _hold_receivers(row)
        waiting = list(of_thing(thing).select_for_update(of=("self",)))
        _hold_pots(waiting, people)
        return sum(_release_line(line, row, at) for line in waiting)


def _hold_receivers(thing: Thing) -> set[int]:
    """Let nobody who may have something of it leave meanwhile; before the lines, as who leaves."""
    found = [_receiver(line, thing) for line in of_thing(thing)]
    people = {id_ for owner, parts in filter(None, found) for id_ in (owner.id, *parts)}
    list(Member.objects.select_for_update(no_key=True).filter(id__in=people).order_by("id"))
    return people


def _hold_pots(waiting: Sequence[Line], people: Iterable[int] = ()) -> None:
    """Whatever pots lines that wait may touch, in the order of every posting.

    Each posting keeps that order for itself; two who post several would wait for each other.
    """
    things = ", ".join(sorted({str(line.thing_id) for line in waiting}))
    if connection.vendor != "postgresql" or not things:
        return
    givers = (
        "SELECT CAST('{kind}' AS TEXT) AS kind, n.member_id AS holder FROM settlement_line l"
        " JOIN nods_nod n ON n.thing_id = l.thing_id AND n.month = l.month"
        f" WHERE l.state = 'WAITING' AND l.thing_id IN ({things})"
        f" AND n.thing_id IN ({things}) AND l.nods <= {_underway.AT_ONCE}"
    )
    each = [givers.format(kind=kind) for kind in (Kind.WAITING, Kind.FUNDS)]
    each += [f"SELECT '{kind}', {id_:d}" for id_ in people for kind in (Kind.FUNDS, Kind.REVENUE)]
    ledger.hold_pots(" UNION ".join([*each, f"SELECT '{Kind.FEE}', 0"]), {})


def _receiver(line: Line, thing: Thing) -> tuple[Member, dict[int, int]] | None:
    """Who has what waits in a line, the owner or a team, and who has a part of it then.

    None where not all of them may receive.
    """
    team = teams.team_of(thing=thing, month=line.month)
    if team is not None:
        found = teams.receives(team=team, month=line.month)
        return (team.party, teams.people(team=team, month=line.month)) if found else None
    if thing.owner is None or not members.may_receive(thing.owner):
        return None
    return thing.owner, {thing.owner.id: 1}


def of_thing(thing: Thing) -> QuerySet[Line]:
    """The lines that wait for a thing, or for one that was merged into it, oldest first."""
    # Asked in a join, SQLite reads every line of the months.
    these = Thing.objects.filter(Q(id=thing.id) | Q(merged_into=thing)).values("id")
    return lines().filter(thing__in=these).order_by("month", "thing_id")


def _release_line(line: Line, thing: Thing, at: datetime) -> int:
    found = _receiver(line, thing)
    if found is None:
        return 0
    owner, people = found
    for member in Member.objects.filter(id__in=people).order_by("id"):
        _return_share(line, member, at)
    line.refresh_from_db(fields=["gross_micros"])
    fee = money.fee(line.gross_micros, instance.fee_basis_points(line.month))
    rows = Line.objects.filter(month=line.month, thing_id=line.thing_id, state=Line.State.WAITING)
    moved = rows.update(state=Line.State.RELEASED, owner=owner, fee_micros=fee, decided_at=at)
    if moved != 1:
        return 0
    decided = Line.objects.get(month=line.month, thing_id=line.thing_id)
    _parts.note(decided)
    _underway.post(decided, at)
    return line.gross_micros - fee


def release_owner(*, member: Member, at: datetime) -> int:
    """Release what waits for everything a member owns, by themselves or in a team; the net."""
    around = teams.around([member.id])[member.id]
    shared = PutIn.objects.filter(team__in=around)
    with transaction.atomic():
        instance.hold_owners()
        if not (around or Thing.objects.filter(owner=member).exists()):
            # Most who put money in own nothing: to ask what waits costs several times as much.
            return 0
        owned = list(waited_for().filter(Q(owner=member) | Q(owner__in=shared.values("keeper"))))
    # Each for itself: who releases several at once would hold the pots of one and wait for those of
    # the next.
    return sum(release(thing=thing, at=at) for thing in owned)


def _free() -> Iterator[Thing]:
    """The things for which something waits and need not, or, of refused ones, may not.

    Those of teams are asked line by line.
    """
    # Asked of each owner by number: a list of all of them is looked through for each thing by
    # PostgreSQL, once it is longer than fits into the memory of one statement.
    receives = Exists(members.receivers().filter(id=OuterRef("owner_id")))
    decided = receives | Q(state=Thing.State.REFUSED)
    rows = waited_for().filter(decided).exclude(state=Thing.State.TAKEN_DOWN)
    rows = rows.select_related("owner", "scope")
    for thing in rows.annotate(shared=teams.put_in_of()).iterator():
        if (
            thing.state == Thing.State.REFUSED
            or not thing.shared
            or any(_receiver(line, thing) is not None for line in of_thing(thing))
        ):
            yield thing


def waited_for() -> QuerySet[Thing]:
    """The things for which something waits, by themselves or by one merged into them."""
    waits = lines()
    own, merged = (
        waits.filter(thing=OuterRef("id")),
        waits.filter(thing__merged_into=OuterRef("id")),
    )
    return Thing.objects.filter(Exists(own) | Exists(merged)).order_by("id")


def release_due(*, at: datetime) -> int:
    """Release and return all that waits though it no longer has to; returns how many things.

    A top-up in the middle of a settlement, a suspension lifted, a refund that failed, a merge:
    each makes somebody receive for what waits already.
    """
    _underway.go_on(at=at)
    done = 0
    for thing in list(_free()):
        if thing.state == Thing.State.REFUSED:
            refuse(thing=thing, at=at)
            done += 1
        else:
            done += bool(release(thing=thing, at=at))
    _underway.go_on(at=at)
    return done


def has_to_release() -> bool:
    """Whether something waits that `release_due` would release, return or go on with."""
    return _underway.is_there() or next(_free(), None) is not None


def waiting_givers(thing: Thing) -> int:
    """How many members have a share in what waits for a thing."""
    lines = of_thing(thing).values("month", "thing_id")
    found: set[int] = set()
    with connection.cursor() as cursor:
        for line in lines:
            cursor.execute(
                f"SELECT member_id FROM ({SHARES}) s"
                " WHERE month = %s AND thing_id = %s AND amount_micros > 0 LIMIT 3",
                [line["month"], line["thing_id"]],
            )
            found.update(member for (member,) in cursor.fetchall())
    return len(found)


def take_back(*, member: Member, month: int, thing: Thing, at: datetime) -> int:
    """Return a member's own waiting share to their funds; returns it in micros."""
    with transaction.atomic():
        instance.hold_owners()
        line = lines().select_for_update().filter(month=month, thing=thing).first()
        amount = _return_share(line, member, at) if line is not None else 0
        if not amount:
            raise NotWaiting(_("Nothing of yours waits there any more. Nothing was changed."))
        return amount


def take_back_all(*, member: Member, at: datetime) -> int:
    """Return everything of a member that waits to their funds; returns it in micros."""
    # Theirs among the shares of long lines has gone to its owner then.
    _underway.go_on(at=at)
    with transaction.atomic():
        instance.hold_owners()
        keys = (
            lines()
            .filter(thing__nods__member=member, thing__nods__month=F("month"))
            .order_by("month", "thing_id")
        )
        return sum(_return_share(line, member, at) for line in keys.select_for_update(of=("self",)))


def _return_share(line: Line, member: Member, at: datetime) -> int:
    """Return the member's share of a line that the caller has locked; 0 when there is none."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT amount_micros FROM ({SHARES}) s"
            " WHERE month = %s AND thing_id = %s AND member_id = %s",
            [line.month, line.thing_id, member.id],
        )
        found = cursor.fetchone()
    if found is None or found[0] == 0:
        return 0
    amount = int(found[0])
    ReturnedShare.objects.create(
        month=line.month, member=member, thing_id=line.thing_id, amount_micros=amount, at=at
    )
    Line.objects.filter(month=line.month, thing_id=line.thing_id, state=Line.State.WAITING).update(
        gross_micros=F("gross_micros") - amount, nods=F("nods") - 1
    )
    ledger.post(
        key=f"return:{months.text(line.month)}:{line.thing_id}:{member.id}",
        debit=ledger.waiting(member.id),
        credit=ledger.funds(member.id),
        amount_micros=amount,
        reason="RETURN",
        month=line.month,
        at=at,
    )
    return amount


def refuse(*, thing: Thing, at: datetime) -> None:
    """The owner wants nothing, for ever: all that waits for the thing goes back to its members."""
    with transaction.atomic():
        instance.hold_owners()
        things.refuse(thing=thing, at=at)
        waiting = list(of_thing(thing).select_for_update(of=("self",)))
        _hold_pots(waiting)
        for line in waiting:
            rows = Line.objects.filter(month=line.month, thing_id=line.thing_id)
            rows.update(state=Line.State.RETURNED, decided_at=at)
            _underway.post(rows.get(), at)
