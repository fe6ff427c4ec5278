"""What owners read of a month, what they have of their teams’ lines with it. Reads only."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import F, QuerySet, Sum

from mickle.instance.models import Month
from mickle.members.models import Member
from mickle.settlement._statements import GIVERS_SHOWN
from mickle.settlement.models import Line, Part, Received
from mickle.things.models import Thing


@dataclass(frozen=True)
class OwnerLine:
    """One thing of an owner in one month; `thing` is None for those summed in “other”.

    Of a team's line the amounts are the member's own; `team_micros` is the net of all of it.
    """

    thing: Thing | None
    nods: int
    gross_micros: int
    fee_micros: int
    state: str
    team: str = ""
    team_micros: int = 0

    @property
    def net_micros(self) -> int:
        """What the owner has of it."""
        return self.gross_micros - self.fee_micros


@dataclass(frozen=True)
class OwnerStatement:
    """What an owner's things received for one month."""

    member: Member
    month: int
    lines: list[OwnerLine]
    gross_micros: int
    fee_micros: int

    @property
    def net_micros(self) -> int:
        """What the owner has of the month."""
        return self.gross_micros - self.fee_micros


def statement(*, member: Member, month: int) -> OwnerStatement:
    """Lines with three givers or more one by one, the rest summed in one line without a thing."""
    rows = [*_own(member, month), *_of_teams(member, month)]
    rows.sort(key=lambda row: (-row.gross_micros, row.thing.id if row.thing else 0))
    rest = [line for line in rows if line.nods < GIVERS_SHOWN]
    lines = [line for line in rows if line.nods >= GIVERS_SHOWN]
    if rest:
        lines.append(
            OwnerLine(
                thing=None,
                nods=sum(line.nods for line in rest),
                gross_micros=sum(line.gross_micros for line in rest),
                fee_micros=sum(line.fee_micros for line in rest),
                state="paid",
            )
        )
    return OwnerStatement(
        member=member,
        month=month,
        lines=lines,
        gross_micros=sum(line.gross_micros for line in rows),
        fee_micros=sum(line.fee_micros for line in rows),
    )


def _own(member: Member, month: int) -> Iterator[OwnerLine]:
    for kind in (Line.settled, Received.objects):
        row: Line | Received
        for row in kind.filter(month=month, owner=member).select_related("thing"):
            yield OwnerLine(
                row.thing, row.nods, row.gross_micros, row.fee_micros, row.state.lower()
            )


def _of_teams(member: Member, month: int) -> Iterator[OwnerLine]:
    """Each line's part; in arrears of what has come so far."""
    parts = list(_parts(member).filter(month=month).select_related("thing", "owner"))
    named = {"month": month, "thing__in": [part.thing_id for part in parts]}
    wholes: dict[tuple[int, int | None], Line | Received] = {}
    for kind in (Line.settled, Received.objects):
        wholes |= {(row.thing_id, row.owner_id): row for row in kind.filter(**named)}
    for part in parts:
        whole = wholes[part.thing_id, part.owner_id]
        yield OwnerLine(
            part.thing,
            whole.nods,
            part.gross_micros,
            part.fee_micros,
            whole.state.lower(),
            team=part.owner.shown_name,
            team_micros=whole.net_micros,
        )


def _parts(member: Member) -> QuerySet[Part]:
    """What a member has of lines of teams, in months that are settled."""
    done = Month.objects.filter(settled_at__isnull=False)
    return Part.objects.filter(member=member, net_micros__gt=0, month__in=done.values("month"))


def months(member: Member) -> list[tuple[int, int]]:
    """Months in which a member or a team of theirs received: (month, net micros), in order."""
    sums: dict[int, int] = {}
    net = F("gross_micros") - F("fee_micros")
    for rows, amount in (
        (Line.settled.filter(owner=member), net),
        (Received.objects.filter(owner=member), net),
        (_parts(member), F("net_micros")),
    ):
        for month, micros in rows.values_list("month").annotate(net=Sum(amount)):
            sums[month] = sums.get(month, 0) + micros
    return sorted(sums.items())
