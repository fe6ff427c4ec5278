"""Who is told that a yes is asked for in a team, and of what: everybody asked, and nobody else."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, Max, OuterRef, QuerySet

from mickle.lib import months
from mickle.members.models import Member
from mickle.notices.models import Kind, Notice, Silence, Topic
from mickle.teams.models import Agreement, Answer, Percent

# However many teams somebody is asked into, one mail a day tells of them.
TOLD_EVERY = timedelta(days=1)
# A row of an older mail is forgotten, and its question is not told anew for it.
ASKED_WITHIN = timedelta(days=365)


@dataclass(frozen=True)
class Question:
    """One who proposed, the name of the team, and the part in percent; 0 through another team."""

    by: str
    team: str
    team_id: int
    percent: int


@dataclass(frozen=True)
class Questions:
    """All that a member is asked for in teams, newest first."""

    all: list[Question]


def _open() -> QuerySet[Answer]:
    return Answer.objects.filter(yes_at=None, agreement__state=Agreement.State.OPEN)


def due(at: datetime) -> QuerySet[Answer]:
    """The newest question for each member who was not told of it, nor of another since yesterday.

    A question has a number above all that were asked before: one at a time changes teams.
    """
    told = Notice.objects.filter(member=OuterRef("member"), kind=Kind.TEAM)
    silent = Silence.objects.filter(member=OuterRef("member"), topic=Topic.TEAMS)
    rows = _open().filter(
        agreement__proposed_at__gt=at - ASKED_WITHIN,
        member__closing_at=None,
        member__closed_at=None,
    )
    return (
        rows.exclude(member__email="")
        .exclude(Exists(silent))
        .exclude(Exists(told.filter(made_at__gt=at - TOLD_EVERY)))
        .exclude(Exists(told.filter(about__gte=OuterRef("id"))))
    )


def plan(at: datetime) -> int:
    """Write a row for each member who is asked; how many that are."""
    asked = due(at).values("member_id").annotate(newest=Max("id")).order_by("member_id")
    rows = [
        Notice(
            member_id=row["member_id"],
            month=months.of(at),
            kind=Kind.TEAM,
            about=row["newest"],
            made_at=at,
            try_at=at,
        )
        for row in asked
    ]
    # Of two who plan at once one writes the row.
    return len(Notice.objects.bulk_create(rows, ignore_conflicts=True))


def questions(member: Member) -> Questions | None:
    """What a member is asked now; None when all is answered or over."""
    asked = _open().filter(member=member).select_related("agreement__team__party")
    rows = [row.agreement for row in asked.select_related("agreement__proposed_by").order_by("-id")]
    mine = Percent.objects.filter(party=member, agreement__in=rows)
    parts = dict(mine.values_list("agreement_id", "percent"))
    found = [
        Question(
            row.proposed_by.shown_name,
            row.team.party.shown_name,
            row.team_id,
            parts.get(row.id, 0),
        )
        for row in rows
    ]
    return Questions(found) if found else None
