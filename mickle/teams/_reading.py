"""What holds in a month: the percents of teams, whose a thing is, and who has which part of it."""

from collections.abc import Iterable, Iterator, Mapping

from django.db import connection
from django.db.models import Max, OuterRef, Q, QuerySet, Subquery

from mickle.lib import bulk
from mickle.members import members
from mickle.members.models import Member
from mickle.teams import _flat
from mickle.teams.asking import PARTNERS
from mickle.teams.models import Agreement, Percent, PutIn, Team
from mickle.things.models import Thing

PARTIES = """
SELECT thing, keeper, team FROM (
  SELECT thing, keeper, team,
         ROW_NUMBER() OVER (PARTITION BY thing ORDER BY from_month DESC, id DESC) AS place
  FROM (
    SELECT t.id AS thing, p.keeper_id AS keeper, p.team_id AS team, p.from_month, p.id
    FROM teams_putin p JOIN things_thing t ON t.id = p.thing_id AND t.owner_id = p.keeper_id
    WHERE p.from_month <= %(month)s
    UNION ALL
    SELECT t.id, p.keeper_id, p.team_id, p.from_month, p.id
    FROM teams_putin p JOIN things_thing t ON t.scope_id = p.scope_id AND t.owner_id = p.keeper_id
    WHERE p.thing_id IS NULL AND p.from_month <= %(month)s
  ) said
) newest WHERE place = 1 AND team IS NOT NULL
"""

# From one month on, and until before another.
Stay = tuple[int, int]
_ALWAYS: Stay = (0, 2**31)

_ASKED = """
SELECT 0 AS place, CAST(%(thing)s AS BIGINT) AS thing, CAST(%(member)s AS BIGINT) AS member
"""


def agreements(month: int) -> QuerySet[Agreement]:
    """The agreement of each team that holds in a month."""
    same = Agreement.objects.filter(team=OuterRef("team"), state=Agreement.State.AGREED)
    newest = same.filter(from_month__lte=month).order_by("-from_month", "-id").values("id")[:1]
    return Agreement.objects.filter(id=Subquery(newest))


def percents(month: int, teams: Iterable[int]) -> dict[int, dict[int, int]]:
    """The percents of teams in a month, and of all teams within them; of an ended one none."""
    found: dict[int, dict[int, int]] = {}
    wanted = set(teams)
    while wanted:
        found |= {team: {} for team in wanted}
        rows = Percent.objects.filter(agreement__in=agreements(month).filter(team__in=wanted))
        inner = set()
        for team, party, percent, is_team in rows.values_list(
            "agreement__team_id", "party_id", "percent", "party__is_team"
        ):
            found[team][party] = percent
            if is_team:
                inner.add(party)
        wanted = inner - found.keys()
    return found


def parts(team_id: int, month: int) -> dict[int, int]:
    """Each person's part of a team in a month, by weight."""
    return _flat.parts(team_id, percents(month, [team_id]))


def staying(people: Mapping[int, int]) -> dict[int, int]:
    """Those who are not closing their account; their parts fall to the rest."""
    rows = Member.objects.filter(id__in=people, closing_at=None, closed_at=None)
    return {id_: people[id_] for id_ in rows.order_by("id").values_list("id", flat=True)}


def team_of(thing: Thing, month: int) -> Team | None:
    """The team a thing belongs to in a month; None where it is its owner's alone."""
    if thing.owner_id is None or not _keeps(thing.owner_id):
        return None
    named = Q(thing=thing.id)
    if thing.scope_id is not None:
        named |= Q(thing=None, scope=thing.scope_id)
    rows = PutIn.objects.filter(named, keeper=thing.owner_id, from_month__lte=month)
    said = rows.select_related("team__party").order_by("-from_month", "-id").first()
    return said.team if said is not None else None


def _keeps(member_id: int) -> bool:
    """Whether a member ever put something into a team: few did, and each nod asks."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM teams_putin WHERE keeper_id = %s LIMIT 1", [member_id])
        return cursor.fetchone() is not None


def shares_in(member_id: int, thing: Thing, month: int) -> bool:
    """Whether a member has a part of a thing through a team."""
    names = {"thing": thing.id, "member": member_id, "month": month}
    with connection.cursor() as cursor:
        cursor.execute(PARTNERS.format(asked=_ASKED), names)
        return cursor.fetchone() is not None


def receives(team_id: int, month: int) -> bool:
    """Whether everybody who has a part may receive; who is leaving has none any more."""
    people = staying(parts(team_id, month))
    return bool(people) and members.receivers().filter(id__in=people).count() == len(people)


def stage(month: int) -> None:
    """Keep on this connection whose things are shared in a month, and who has which part.

    Tables `teams_party` (thing, keeper, team) and `teams_part` (team, member, weight, staying).
    """
    with connection.cursor() as cursor:
        bulk.stage(cursor, "teams_party", PARTIES, {"month": month}, key="thing")
        cursor.execute("SELECT DISTINCT team FROM teams_party")
        teams = [team for (team,) in cursor.fetchall()]
    known = percents(month, teams)
    rows = []
    for team in teams:
        people = _flat.parts(team, known)
        stay = staying(people)
        rows += [(team, who, weight, int(who in stay)) for who, weight in people.items()]
    columns = ["team", "member", "weight", "staying"]
    bulk.keep("teams_part", columns, [rows], key="team, member")


def forget_stage() -> None:
    """Drop what `stage` kept."""
    with connection.cursor() as cursor:
        for table in ("teams_party", "teams_part"):
            cursor.execute(f"DROP TABLE {table}")


def around(member_ids: Iterable[int]) -> dict[int, set[int]]:
    """The teams each member is or was in, at any depth."""
    return {member: set(teams) for member, teams in _stays(member_ids).items()}


def left_from(member_id: int, team_id: int) -> int | None:
    """The first month a member is not in a team any more; None where their part has no end.

    Of a part that something else came before, the month in which it would have begun.
    """
    stays = _stays([member_id])[member_id].get(team_id, set())
    if not stays:
        given = Percent.objects.filter(party=member_id, agreement__team=team_id)
        agreed = given.filter(agreement__state=Agreement.State.AGREED)
        newest: int | None = agreed.aggregate(month=Max("agreement__from_month"))["month"]
        return newest
    last = max(end for _since, end in stays)
    return last if last < _ALWAYS[1] else None


def _stays(member_ids: Iterable[int]) -> dict[int, dict[int, set[Stay]]]:
    """By member and team: from which month on they are or were in it, and until before which.

    A team they left before it came into another brings them into none.
    """
    found: dict[int, dict[int, set[Stay]]] = {id_: {} for id_ in member_ids}
    inside: dict[int, set[tuple[int, Stay]]] = {id_: {(id_, _ALWAYS)} for id_ in found}
    while inside:
        above: dict[int, set[tuple[int, Stay]]] = {}
        for party, team, first, until in _held_by(inside):
            for member, (since, end) in inside[party]:
                stay = max(first, since), min(until, end)
                held = stay[0] < stay[1]
                # What they agreed to they know, also where something else came before it.
                if not (held or party == member):
                    continue
                known = found[member].setdefault(team, set())
                if held and stay not in known:
                    known.add(stay)
                    above.setdefault(team, set()).add((member, stay))
        inside = above
    return found


def _held_by(parties: Iterable[int]) -> Iterator[tuple[int, int, int, int]]:
    """What gives parties a part: (party, team, from which month on, until before which)."""
    rows = Percent.objects.filter(party__in=parties, agreement__state=Agreement.State.AGREED)
    parts = list(rows.values_list("party_id", "agreement__team_id", "agreement_id"))
    said = Agreement.objects.filter(
        team__in={team for _party, team, _id in parts}, state=Agreement.State.AGREED
    )
    held: dict[int, Stay] = {}
    begins: dict[int, int] = {}
    newest_first = said.order_by("-from_month", "-id").values_list("id", "team_id", "from_month")
    for id_, team, month in newest_first:
        held[id_] = month or 0, begins.get(team, _ALWAYS[1])
        begins[team] = month or 0
    for party, team, id_ in parts:
        yield party, team, *held[id_]


def keepers(member_ids: Iterable[int]) -> dict[int, set[tuple[int, str]]]:
    """Whose proofs, and of which places, brought money to members through a team.

    By member: (keeper's id, text of the place).
    """
    stays = _stays(member_ids)
    every: set[int] = set().union(*stays.values())
    put = PutIn.objects.filter(team__in=every, scope__isnull=False)
    rows = list(put.values_list("team_id", "keeper_id", "scope__text", "from_month").distinct())
    return {
        member: {
            (keeper, text)
            for team, keeper, text, month in rows
            if keeper != member and any(month < end for _since, end in mine.get(team, ()))
        }
        for member, mine in stays.items()
    }
