"""How agreements, what is put in and the history are written, under the lock of all teams."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.lib import months
from mickle.lib.errors import Refused
from mickle.members.models import Member
from mickle.teams import _flat, _reading
from mickle.teams.models import Agreement, Answer, Entry, Percent, PutIn, Team
from mickle.things.models import Scope, Thing

# Two agreements that each put the other's team into their own would make a circle together.
TEAMS_LOCK = 12
State, What = Agreement.State, Entry.What


class InACircle(Refused):
    """A team would be a part of itself, or lie too deep in others."""


def alone() -> None:
    """Let one at a time change teams, in months that stand; in the caller's transaction.

    On SQLite the writer's own lock does this already.
    """
    instance.hold_fence()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TEAMS_LOCK])


def next_month(at: datetime) -> int:
    """The month from which on a change holds; the caller holds the fence."""
    return max(months.of(at), instance.here().closed_through + 1) + 1


def note(team: Team, what: Entry.What, by: Member, at: datetime, **more: object) -> None:
    """A line in the history."""
    Entry.objects.create(team=team, what=what, by=by, at=at, **more)


def write(
    team: Team, by: Member, percents: Mapping[int, int], at: datetime, from_month: int | None = None
) -> Agreement:
    """An agreement with its percents: open, or with a month agreed at once."""
    agreed = {"state": State.AGREED, "from_month": from_month, "decided_at": at}
    row = Agreement.objects.create(
        team=team, proposed_by=by, proposed_at=at, **(agreed if from_month is not None else {})
    )
    Percent.objects.bulk_create(
        Percent(agreement=row, party_id=party, percent=percent)
        for party, percent in percents.items()
    )
    return row


def end_open(team: Team, at: datetime) -> None:
    """What was proposed and is not agreed on is over."""
    Agreement.objects.filter(team=team, state=State.OPEN).update(state=State.ENDED, decided_at=at)


def percents_of(agreement: Agreement) -> dict[int, int]:
    """By party."""
    return dict(agreement.percents.order_by("party_id").values_list("party_id", "percent"))


def before_and_after(agreement: Agreement, month: int) -> tuple[dict[int, int], dict[int, int]]:
    """Everybody's part as it is and as it would be, by weight; raises InACircle."""
    team = agreement.team_id
    wanted = percents_of(agreement)
    _check_circle(team, wanted, month)
    inner = Member.objects.filter(id__in=wanted, is_team=True).values_list("id", flat=True)
    known = _reading.percents(month, [team, *inner])
    before = _flat.parts(team, known)
    return before, _flat.parts(team, known | {team: wanted})


def _check_circle(team: int, wanted: Mapping[int, int], month: int) -> None:
    """Of all that holds now or later; what is over may have been the other way round."""
    later = Agreement.objects.filter(state=State.AGREED, from_month__gte=month)
    known = Q(agreement__in=_reading.agreements(month - 1)) | Q(agreement__in=later)
    rows = Percent.objects.filter(known, party__is_team=True)
    edges: dict[int, set[int]] = {}
    for above, inner in rows.values_list("agreement__team_id", "party_id"):
        edges.setdefault(above, set()).add(inner)
    teams = Team.objects.filter(party_id__in=wanted).values_list("party_id", flat=True)
    edges.setdefault(team, set()).update(teams)
    try:
        _flat.check(edges)
    except _flat.Circle as circle:
        raise InACircle(
            _("This team would be a part of itself then. Nothing was changed.")
        ) from circle
    except _flat.TooDeep as deep:
        raise InACircle(
            _("At most %(levels)s teams can lie in each other. Nothing was changed.")
            % {"levels": _flat.LEVELS}
        ) from deep


def asked(before: Mapping[int, int], after: Mapping[int, int]) -> set[int]:
    """Who has to say yes: whoever is new, and whoever has less than before."""
    was, will = sum(before.values()), sum(after.values())
    return {
        person
        for person in {*before, *after}
        if person not in before or after.get(person, 0) * was < before[person] * will
    }


def settle_open(agreement: Agreement, at: datetime) -> bool:
    """Agree once everybody asked has said yes; who is asked is looked at anew."""
    month = next_month(at)
    before, after = before_and_after(agreement, month)
    wanted = set(_reading.staying(dict.fromkeys(asked(before, after), 1)))
    yes = set(
        Answer.objects.filter(agreement=agreement, yes_at__isnull=False).values_list(
            "member_id", flat=True
        )
    )
    rows = [Answer(agreement=agreement, member_id=id_) for id_ in sorted(wanted - yes)]
    Answer.objects.bulk_create(rows, ignore_conflicts=True)
    if wanted - yes:
        return False
    open_still = Agreement.objects.filter(id=agreement.id, state=State.OPEN)
    if not open_still.update(state=State.AGREED, from_month=month, decided_at=at):
        return False
    note(
        agreement.team, What.AGREED, agreement.proposed_by, at,
        from_month=month, agreement=agreement,
    )  # fmt: skip
    take_out_strangers(before.keys() - after.keys(), month, at)
    return True


def say(keeper: Member, team: Team | None, what: Thing | Scope, month: int, at: datetime) -> PutIn:
    """The newest word on whose a thing, or all of a place, is from a month on."""
    thing, scope = (None, what) if isinstance(what, Scope) else (what, what.scope)
    had = _teams_with(keeper, thing, scope)
    row = PutIn.objects.create(
        keeper=keeper, team=team, thing=thing, scope=scope, from_month=month, at=at
    )
    for one in had:
        if one != team:
            note(one, What.TAKEN_OUT, keeper, at, from_month=month, put_in=row)
    if team is not None:
        note(team, What.PUT_IN, keeper, at, from_month=month, put_in=row)
    return row


def _teams_with(keeper: Member, thing: Thing | None, scope: Scope | None) -> list[Team]:
    """The teams that a thing, or a place with all there is in it, is in by the last word."""
    rows = in_teams(keeper)
    if thing is not None:
        own = [row for row in rows if row.thing == thing]
        found = own or [row for row in rows if row.thing is None and row.scope == scope]
    else:
        found = [row for row in rows if scope is not None and place_of(row) == scope.id]
    return list({row.team_id: row.team for row in found if row.team is not None}.values())


def take_out_strangers(people: Iterable[int], month: int, at: datetime) -> None:
    """Give those who are no longer in a team what they had put into it."""
    for keeper in Member.objects.filter(id__in=people).order_by("id"):
        for row in in_teams(keeper):
            if row.team is not None and keeper.id not in _reading.parts(row.team_id or 0, month):
                what = row.thing or row.scope
                if what is not None:
                    say(keeper, None, what, month, at)


def place_of(row: PutIn) -> int | None:
    """By which proof somebody has what was put in; of a thing, by which they have it now."""
    return row.thing.scope_id if row.thing is not None else row.scope_id


def in_teams(keeper: Member) -> list[PutIn]:
    """The newest word of a keeper on everything that is in a team, from whichever month on."""
    newest: dict[tuple[int | None, int | None], PutIn] = {}
    rows = PutIn.objects.filter(keeper=keeper).select_related("team__party", "thing", "scope")
    for row in rows.order_by("from_month", "id"):
        if row.thing_id is None:
            # All of a place, with what was said of its things before.
            newest = {key: one for key, one in newest.items() if place_of(one) != row.scope_id}
        newest[row.thing_id, None if row.thing_id else row.scope_id] = row
    return [row for row in newest.values() if row.team is not None]
