"""A team in few words: who is in it from November on, and what it has."""

from collections.abc import Mapping
from datetime import UTC, datetime

from mickle.ledger import ledger
from mickle.members.models import Member
from mickle.settlement import settlement
from mickle.teams import teams
from mickle.teams.models import Agreement, PutIn, Team
from mickle.things.models import Scope, Thing
from tests.people import NOVEMBER
from tests.settlement.test_cases import in_month
from tests.settlement.test_settle import all_hold

OCTOBER = NOVEMBER - 1
MID_OCTOBER = datetime(2026, 10, 15, 12, tzinfo=UTC)


def agreed(agreement: Agreement, at: datetime = MID_OCTOBER) -> Agreement:
    """Everybody who is asked says yes."""
    for answer in agreement.answers.filter(yes_at=None).order_by("member_id"):
        agreement = teams.answer(agreement=agreement, member=answer.member, yes=True, at=at)
    agreement.refresh_from_db()
    return agreement


def a_team(
    percents: Mapping[Member, int], *, name: str = "Band", at: datetime = MID_OCTOBER
) -> Team:
    """A team of the first of them, that everybody has said yes to."""
    by = next(one for one in percents if not one.is_team)
    team = teams.found(by=by, name=name, percents=percents, at=at)
    row = teams.open_agreement(team)
    assert row is None or agreed(row, at).state == "AGREED"
    return team


def holding_from(month: int, percents: Mapping[Member, int], *pages: Thing) -> Team:
    """A team that has had these pages from a month on, the open one too, whoever owns them then."""
    team = a_team(percents)
    keeper = next(iter(percents))
    PutIn.objects.bulk_create(
        PutIn(keeper=keeper, team=team, thing=page, from_month=month, at=MID_OCTOBER)
        for page in pages
    )
    Agreement.objects.filter(team=team).update(from_month=month)
    return team


def put_in(team: Team, what: Thing | Scope, at: datetime = MID_OCTOBER) -> None:
    """By whoever owns it."""
    teams.put_in(team=team, keeper=what.owner, what=what, at=at)


def settle(month: int = NOVEMBER) -> None:
    """A month, after those before it."""
    for one in (OCTOBER, month):
        if one >= OCTOBER:
            try:
                settlement.settle(month=one, at=in_month(month + 1, 4))
            except settlement.AlreadySettled:
                continue
    holds()


def holds() -> None:
    """Every check of the money and of teams."""
    all_hold([*ledger.audit(), *settlement.audit(), *teams.audit()])


def earned(who: Member) -> int:
    """Micros."""
    return ledger.balance(ledger.revenue(who.id))
