"""Whom a kind of mail about a month concerns: a row for each, once, in ranges of members.

It may be somebody too many: the reason is looked at again when the mail is sent. Nobody is too few.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Max

from mickle.instance import instance
from mickle.instance.models import Month
from mickle.ledger import ledger
from mickle.ledger.ledger import Kind as Pot
from mickle.lib import chunks, months
from mickle.lib.chunks import Range
from mickle.lib.sql import Params, instant
from mickle.notices.models import Kind, Round
from mickle.settlement.models import Charge, Run
from mickle.settlement.settlement import IDLE_MONTHS_KEPT

# How long before the end of a month each of these is due.
AHEAD = {
    Kind.IDLE_30: timedelta(days=30),
    Kind.IDLE_7: timedelta(days=7),
    Kind.REMINDER: timedelta(days=3),
}

_INSERT = """
INSERT INTO notices_notice (member_id, month, kind, state, made_at, try_at, tries, why)
SELECT m.id, %(month)s, %(kind)s, 'WAITING', %(at)s, %(at)s, 0, ''
FROM members_member m {joins}
WHERE m.id > %(after)s AND m.id <= %(upto)s
  AND m.closing_at IS NULL AND m.closed_at IS NULL AND m.email <> ''
  AND NOT EXISTS (
    SELECT 1 FROM notices_silence s WHERE s.member_id = m.id AND s.topic = %(topic)s)
  AND ({concerned})
ORDER BY m.id
ON CONFLICT (member_id, month, kind, about) DO NOTHING
"""

_PLANNED = f"""
LEFT JOIN ({ledger.balances_sql(Pot.FUNDS)}) f ON f.holder_id = m.id
LEFT JOIN ({ledger.balances_sql(Pot.WAITING)}) w ON w.holder_id = m.id
LEFT JOIN members_budget b ON b.member_id = m.id AND b.month = (
  SELECT MAX(x.month) FROM members_budget x WHERE x.member_id = m.id AND x.month <= %(month)s)
LEFT JOIN settlement_idlerun r ON r.member_id = m.id
"""

_NODDED = "EXISTS (SELECT 1 FROM nods_nod n WHERE n.member_id = m.id AND n.month = %(month)s)"
_NOT_PAUSED = "COALESCE(b.paused, %(false)s) = %(false)s"
# Funds that earlier months will take are looked at when the mail is sent.
_SHORT = f"""
{_NODDED} AND (%(earlier)s OR COALESCE(f.balance_micros, 0)
               < COALESCE(b.amount_micros, %(default_budget)s))
"""
# What was set aside may come back as the month is settled, and be given.
_IDLE = f"""
COALESCE(f.balance_micros, 0) + COALESCE(w.balance_micros, 0) > 0
AND m.funded_month < %(month)s AND NOT {_NODDED}
"""
_KEPT_LONG_ENOUGH = "r.months + %(month)s - 1 - r.through >= %(kept)s"
_ASKED = """
EXISTS (SELECT 1 FROM settlement_charge c
        WHERE c.member_id = m.id AND c.month = %(month)s AND c.state = 'ASKED')
"""
_IN_A_STATEMENT = """
EXISTS (SELECT 1 FROM settlement_spend p WHERE p.member_id = m.id AND p.month = %(month)s)
OR EXISTS (SELECT 1 FROM settlement_line l WHERE l.owner_id = m.id AND l.month = %(month)s)
OR EXISTS (SELECT 1 FROM settlement_part t WHERE t.member_id = m.id AND t.month = %(month)s)
"""


def due(at: datetime) -> Iterator[tuple[int, Kind]]:
    """The mails that are due and not planned yet, oldest month first.

    None is about a month that ended before this instance was made: a described world is old news.
    """
    here = instance.here()
    planned = set(Round.objects.values_list("month", "kind"))
    for month, kind in _all_due(at, here.closed_through):
        new = months.end(month) > here.made_at and (month, kind) not in planned
        if new and (not kind.asks or _is_asked(month, kind)):
            yield month, kind


def _all_due(at: datetime, closed_through: int) -> Iterator[tuple[int, Kind]]:
    # In arrears nothing has to be there beforehand, and no idle month gives.
    prepaid = settings.MODE == "prepaid"
    for row in Month.objects.order_by("month"):
        if prepaid:
            yield row.month, Kind.CLOSE
        if row.settled_at is not None:
            yield row.month, Kind.STATEMENT
            yield from ((row.month, kind) for kind in _asking(row.month, at - row.settled_at))
    if prepaid:
        yield from _coming(at, closed_through)


def _coming(at: datetime, closed_through: int) -> Iterator[tuple[int, Kind]]:
    # Thirty days before February ends it is January.
    for month in range(max(months.of(at), closed_through + 1), months.of(at) + 2):
        for kind, ahead in AHEAD.items():
            keeps = settings.IDLE_POLICY == "keep"
            if at >= months.end(month) - ahead and (keeps or kind == Kind.REMINDER):
                yield month, kind


def _asking(month: int, since: timedelta) -> Iterator[Kind]:
    """The mails that ask for the charges of a month, so long after they were made."""
    if Run.objects.filter(month=month, arrears=True).exists():
        for kind in (Kind.CHARGE, Kind.CHARGE_2, Kind.CHARGE_3)[: settings.CHARGE_TRIES]:
            if since >= timedelta(days=settings.CHARGE_DAYS) * (kind.asks - 1):
                yield kind


def _is_asked(month: int, kind: Kind) -> bool:
    """Whether what is open of a month was asked for so often by now; nothing open waits for none.

    After a standstill that is later than the days say.
    """
    charges = Charge.objects.filter(month=month, state=Charge.State.ASKED)
    tries = charges.aggregate(most=Max("tries"))["most"]
    return tries is None or tries >= kind.asks


def plan(month: int, kind: Kind, at: datetime) -> int:
    """Write a row for each member it concerns, then that all are there; how many rows are new."""
    closed = Month.objects.filter(month=month).first()
    made = 0
    # What is being settled can no longer be topped up for, and nobody is told that it could.
    if kind != Kind.CLOSE or (closed is not None and closed.frozen_at is None):
        text = _text(kind)
        names: Params = {
            "month": month,
            "kind": kind.value,
            "topic": kind.topic.value if not kind.asks else "",
            "at": instant(at),
            "false": False,
            "earlier": Month.objects.filter(month__lt=month, settled_at=None).exists(),
            "default_budget": settings.BUDGET_DEFAULT_MICROS,
            "kept": IDLE_MONTHS_KEPT,
        }
        made = chunks.walk(
            "SELECT id AS k FROM members_member", lambda span: _insert(text, names, span)
        )
    Round.objects.bulk_create([Round(month=month, kind=kind, planned_at=at)], ignore_conflicts=True)
    return made


def _text(kind: Kind) -> str:
    if kind == Kind.STATEMENT:
        return _INSERT.format(joins="", concerned=_IN_A_STATEMENT)
    if kind.asks:
        return _INSERT.format(joins="", concerned=_ASKED)
    idle = _IDLE
    if settings.IDLE_POLICY == "keep":
        # Told 30 and 7 days before, so not three days before once more.
        idle += " AND 1 = 0" if kind == Kind.REMINDER else f" AND {_KEPT_LONG_ENOUGH}"
    concerned = f"({idle})" if kind in (Kind.IDLE_30, Kind.IDLE_7) else f"({_SHORT}) OR ({idle})"
    return _INSERT.format(joins=_PLANNED, concerned=f"{_NOT_PAUSED} AND ({concerned})")


def _insert(text: str, names: Params, span: Range) -> int:
    with connection.cursor() as cursor:
        cursor.execute(text, {**names, **span._asdict()})
        return int(cursor.rowcount)
