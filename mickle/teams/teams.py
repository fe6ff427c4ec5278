"""The door of the room: found a team, propose, answer, leave, put in, take out, and read."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.ledger.ledger import Check
from mickle.lib.errors import Refused
from mickle.lib.money import WHOLE_PERCENT
from mickle.members import members
from mickle.members.models import Member
from mickle.teams import _flat, _guards, _reading, _writing
from mickle.teams._writing import InACircle, What
from mickle.teams.models import NAME_CHARACTERS, Agreement, Answer, Entry, PutIn, Team
from mickle.things.models import Scope, Thing

__all__ = ["InACircle"]

PARTIES_AT_MOST = 50


class BadPercents(Refused):
    """The parts are no whole percents that sum to 100."""


class NoParty(Refused):
    """Nobody here has this name, or they are leaving."""


class NotInTeam(Refused):
    """Only who is in a team changes it."""


class AlreadyProposed(Refused):
    """Something was proposed and is not decided; one at a time."""


class NotAsked(Refused):
    """The agreement is decided, or this member has nothing to say to it."""


class NotYours(Refused):
    """Only who owns a page or place puts it into a team."""


class BadName(Refused):
    """A team has a name, and not too long a one."""


def party(name: str) -> Member:
    """The member or team with this public name; raises NoParty."""
    row = Member.objects.filter(username__iexact=name.strip(), closed_at=None).first()
    if row is None or row.closing_at is not None:
        raise NoParty(
            _("Nobody here is called “%(name)s”. Write the name that stands in their address.")
            % {"name": name.strip()}
        )
    return row


def found(*, by: Member, name: str, percents: Mapping[Member, int], at: datetime) -> Team:
    """Make a team and ask everybody in it; it begins next month, once all have said yes.

    Raises BadName, BadPercents, NoParty, NotInTeam or InACircle.
    """
    called = " ".join("".join(c for c in name if c.isprintable()).split())
    if not called or len(called) > NAME_CHARACTERS:
        raise BadName(
            _("A team has a name of up to %(limit)s letters. Nothing was changed.")
            % {"limit": NAME_CHARACTERS}
        )
    _check(percents)
    if len(percents) == 1:
        raise BadPercents(_("A team is two or more. Nothing was changed."))
    with transaction.atomic():
        _writing.alone()
        team = Team.objects.create(
            party=members.make_team(name=called, at=at), made_by=by, made_at=at
        )
        _writing.note(team, What.FOUNDED, by, at)
        agreement = _open(team, by, percents, at)
        _before, after = _writing.before_and_after(agreement, _writing.next_month(at))
        if by.id not in after:
            raise NotInTeam(_("You have no part in this yourself. Nothing was changed."))
    return team


def propose(*, team: Team, by: Member, percents: Mapping[Member, int], at: datetime) -> Agreement:
    """Say which parts there should be; they hold from next month on once all asked have agreed.

    Asked is whoever is new and whoever has less than before. Raises BadPercents, NoParty,
    NotInTeam, AlreadyProposed or InACircle.
    """
    _check(percents)
    with transaction.atomic():
        _writing.alone()
        if by.id not in people(team=team, month=_writing.next_month(at)):
            raise NotInTeam(_("You are not in this team. Nothing was changed."))
        if Agreement.objects.filter(team=team, state=Agreement.State.OPEN).exists():
            raise AlreadyProposed(
                _("Something is proposed already. Decide that first. Nothing was changed.")
            )
        return _open(team, by, percents, at)


def _check(percents: Mapping[Member, int]) -> None:
    total = sum(percents.values())
    if len(percents) > PARTIES_AT_MOST:
        raise BadPercents(
            _("A team has up to %(n)s parts. Nothing was changed.") % {"n": PARTIES_AT_MOST}
        )
    if not percents or min(percents.values()) < 1:
        raise BadPercents(_("Each part is 1 % or more. Nothing was changed."))
    if total != WHOLE_PERCENT:
        raise BadPercents(
            _("The parts sum to %(sum)s %% and not to 100 %%. Nothing was changed.")
            % {"sum": total}
        )


def _check_staying(percents: Mapping[Member, int]) -> None:
    """As it stands now: who closes the account is taken out of all teams by who holds the lock."""
    rows = Member.objects.filter(id__in=[one.id for one in percents])
    leaving = rows.exclude(closing_at=None, closed_at=None).order_by("id").first()
    if leaving is not None:
        raise NoParty(
            _("%(name)s is closing the account. Nothing was changed.")
            % {"name": leaving.shown_name}
        )


def _open(team: Team, by: Member, percents: Mapping[Member, int], at: datetime) -> Agreement:
    _check_staying(percents)
    row = _writing.write(team, by, {one.id: part for one, part in percents.items()}, at)
    _writing.note(team, What.PROPOSED, by, at, agreement=row)
    Answer.objects.create(agreement=row, member=by, yes_at=at)
    _writing.settle_open(row, at)
    row.refresh_from_db()
    return row


def answer(*, agreement: Agreement, member: Member, yes: bool, at: datetime) -> Agreement:
    """Say yes or no to what was proposed; a no ends it. Raises NotAsked, NoParty or InACircle."""
    with transaction.atomic():
        _writing.alone()
        row = Agreement.objects.select_related("team__party", "proposed_by").get(id=agreement.id)
        mine = Answer.objects.filter(agreement=row, member=member)
        if row.state != Agreement.State.OPEN or not mine.exists():
            raise NotAsked(_("This is decided, or you are not asked. Nothing was changed."))
        if not yes:
            _writing.end_open(row.team, at)
            _writing.note(row.team, What.NO, member, at, agreement=row)
        elif mine.filter(yes_at=None).update(yes_at=at):
            _writing.note(row.team, What.YES, member, at, agreement=row)
            _writing.settle_open(row, at)
    row.refresh_from_db()
    return row


def leave(*, team: Team, member: Member, at: datetime) -> Agreement:
    """Leave from next month on: one's part goes to the others by theirs; what one put in is back.

    Raises NotInTeam for who is in it through another team, which they leave instead.
    """
    with transaction.atomic():
        _writing.alone()
        month = _writing.next_month(at)
        if member.id not in _reading.percents(month, [team.party_id])[team.party_id]:
            raise NotInTeam(
                _("You have no part of your own in this team from then on. Nothing was changed.")
            )
        return _go(team, member, What.LEFT, month, at)


def _go(team: Team, member: Member, what: Entry.What, month: int, at: datetime) -> Agreement:
    known = _reading.percents(month, [team.party_id])[team.party_id]
    _writing.end_open(team, at)
    row = _writing.write(team, member, _flat.without(known, member.id), at, from_month=month)
    _writing.note(team, what, member, at, from_month=month, agreement=row)
    _writing.take_out_strangers([member.id], month, at)
    return row


def forget(*, member: Member, at: datetime) -> None:
    """Take a member who has closed the account out of every team, and end what asks for them."""
    with transaction.atomic():
        _writing.alone()
        month = _writing.next_month(at)
        named = Agreement.objects.filter(
            Q(percents__party=member) | Q(answers__member=member), state=Agreement.State.OPEN
        )
        for row in named.select_related("team").distinct():
            _writing.end_open(row.team, at)
        holding = _reading.agreements(month).filter(percents__party=member)
        for row in holding.select_related("team").order_by("team_id"):
            _go(row.team, member, What.CLOSED, month, at)
        _writing.take_out_strangers([member.id], month, at)


def put_in(*, team: Team, keeper: Member, what: Thing | Scope, at: datetime) -> PutIn:
    """Share one's thing, or all of a place one shows, with a team from next month on.

    Raises NotYours or NotInTeam.
    """
    with transaction.atomic():
        # Whose it is stands while this is written.
        instance.hold_owners()
        _writing.alone()
        month = _writing.next_month(at)
        _must_keep(what, keeper)
        if keeper.id not in people(team=team, month=month):
            raise NotInTeam(_("You are not in this team from next month on. Nothing was changed."))
        return _writing.say(keeper, team, what, month, at)


def take_out(*, keeper: Member, what: Thing | Scope, at: datetime) -> PutIn:
    """Have one's thing, or all of a place, alone again from next month on; raises NotYours."""
    with transaction.atomic():
        instance.hold_owners()
        _writing.alone()
        _must_keep(what, keeper)
        return _writing.say(keeper, None, what, _writing.next_month(at), at)


def _must_keep(what: Thing | Scope, keeper: Member) -> None:
    model = Thing if isinstance(what, Thing) else Scope
    if not model.objects.filter(id=what.id, owner=keeper).exists():
        raise NotYours(_("This is not yours here. Nothing was changed."))


def people(*, team: Team, month: int) -> dict[int, int]:
    """Everybody's part of a team in a month by weight, whoever is in it through another too."""
    return _reading.parts(team.party_id, month)


def percents(*, team: Team, month: int) -> dict[int, int]:
    """What was agreed on for a month, by party."""
    return _reading.percents(month, [team.party_id])[team.party_id]


def team_of(*, thing: Thing, month: int) -> Team | None:
    """The team a thing belongs to in a month; None where it is its owner's alone."""
    return _reading.team_of(thing, month)


def shares_in(*, member: Member, thing: Thing, month: int) -> bool:
    """Whether a member has a part of a thing through a team."""
    return _reading.shares_in(member.id, thing, month)


def staying_people(*, team: Team, month: int) -> dict[int, int]:
    """The same as `people` without who is closing the account: their parts fall to the rest."""
    return _reading.staying(_reading.parts(team.party_id, month))


def receives(*, team: Team, month: int) -> bool:
    """Whether everybody in a team may receive (rule 10), who is leaving left out."""
    return _reading.receives(team.party_id, month)


def stage(*, month: int) -> None:
    """Keep what holds in a month in tables of this connection, for settling.

    `teams_party` (thing, keeper, team) and `teams_part` (team, member, weight, staying).
    """
    _reading.stage(month)


def forget_stage() -> None:
    """Drop what `stage` kept."""
    _reading.forget_stage()


def put_in_of(thing: str = "id") -> Exists:
    """Whether a thing, its owner's, was ever put into a team, by itself or with its place."""
    rows = PutIn.objects.filter(keeper=OuterRef("owner"))
    return Exists(rows.filter(Q(thing=OuterRef(thing)) | Q(thing=None, scope=OuterRef("scope"))))


def around(member_ids: Iterable[int]) -> dict[int, set[int]]:
    """The teams each member is or was in, at any depth."""
    return _reading.around(member_ids)


def keepers(member_ids: Iterable[int]) -> dict[int, set[tuple[int, str]]]:
    """Whose proofs of which places bring money to members: (keeper's id, text) by member."""
    return _reading.keepers(member_ids)


def of(member: Member) -> QuerySet[Team]:
    """The teams a member is or was in at any depth, and those that ask for a yes."""
    asked = Answer.objects.filter(member=member, agreement__state=Agreement.State.OPEN)
    wanted = Q(party_id__in=_reading.around([member.id])[member.id])
    wanted |= Q(party_id__in=asked.values("agreement__team_id"))
    return Team.objects.filter(wanted).select_related("party").order_by("party_id")


def left_from(*, team: Team, member: Member) -> int | None:
    """The first month a member of before is not in a team any more; None where no end is known."""
    return _reading.left_from(member.id, team.party_id)


def open_agreement(team: Team) -> Agreement | None:
    """What is proposed and not decided."""
    rows = Agreement.objects.filter(team=team, state=Agreement.State.OPEN)
    return rows.select_related("proposed_by").first()


def history(team: Team, *, until: datetime | None = None) -> QuerySet[Entry]:
    """Everything that was done, or was before an instant, newest first."""
    done = Q(team=team) if until is None else Q(team=team, at__lt=until)
    rows = Entry.objects.filter(done).select_related(
        "by", "agreement__proposed_by", "put_in__thing", "put_in__scope"
    )
    return rows.prefetch_related("agreement__percents__party").order_by("-id")


def kept_in(keeper: Member) -> list[PutIn]:
    """What a member has put into teams, as they last said; not what is another's by now."""
    rows = _writing.in_teams(keeper)
    return [row for row in rows if row.owner_id in (keeper.id, None)]


def audit() -> list[Check]:
    """What has to be true of teams, by name."""
    agreements = Agreement.objects.exclude(percents=None).annotate(sum=Sum("percents__percent"))
    wrong = agreements.exclude(sum=WHOLE_PERCENT).values_list("id", flat=True)
    rows = Agreement.objects.filter(state=Agreement.State.AGREED, percents__party__is_team=True)
    months_said = rows.values_list("from_month", flat=True).distinct()
    circles = []
    for month in months_said:
        ids = _reading.agreements(month or 0).values_list("team_id", flat=True)
        known = _reading.percents(month or 0, ids)
        edges = {team: {one for one in parts if one in known} for team, parts in known.items()}
        try:
            _flat.check(edges)
        except ValueError:
            circles.append(month)
    unguarded = _guards.missing()
    names = ", ".join(f"agreement {id_}" for id_ in wrong[:3])
    return [
        Check("Parts of teams sum to 100 %", agreements.count(), not names, names),
        Check("No team is a part of itself", len(months_said), not circles, str(circles or "")),
        Check(
            "Triggers guard the history of teams",
            Entry.objects.count(),
            not unguarded,
            ", ".join(sorted(unguarded)),
        ),
    ]
