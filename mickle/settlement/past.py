"""The door to nods of months long settled: they leave the table, and their archive has them."""

from datetime import datetime

from mickle.instance import instance
from mickle.lib import months
from mickle.lib.chunks import Report, untold
from mickle.members.models import Member
from mickle.settlement import _leaving, _past
from mickle.settlement._leaving import WouldLeave
from mickle.settlement._past import ListedNod

__all__ = ["ListedNod", "WouldLeave", "let_go", "months_to_let_go", "nods_of", "put_back"]


def months_to_let_go(*, at: datetime) -> list[int]:
    """The months whose nods leave the table now, by the settings; reads only."""
    return _leaving.due(max(months.of(at), instance.open_month()))


def let_go(*, month: int, report: Report = untold) -> int:
    """Let the nods of such a month leave; how many. Raises NoArchive, with none gone."""
    return _leaving.leave(month=month, report=report)


def put_back(*, month: int, report: Report = untold) -> int:
    """Put the nods of a month back that have left; how many. Raises NoArchive or WouldLeave.

    What stopped goes on. They stay unless the settings let them leave again.
    """
    return _leaving.put_back(month=month, report=report)


def nods_of(*, member: Member, month: int) -> list[ListedNod]:
    """A member's nods of a month that have left, in order of thing; raises NoArchive."""
    return _past.listed(member, month)
