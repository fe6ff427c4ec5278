"""Lines that were decided and have more shares than one transaction should post.

The line's own state is the decision, in one step; its shares follow in ranges of members, each with
how far they have come, and the fee at the end. What stopped goes on from there.
"""

from datetime import datetime

from django.db import transaction

from mickle.instance import instance
from mickle.ledger import ledger
from mickle.ledger.ledger import Kind
from mickle.lib import chunks, months
from mickle.lib.chunks import Range, Report, untold
from mickle.lib.sql import Params
from mickle.settlement import _parts
from mickle.settlement._shares import SHARES_WITHIN
from mickle.settlement.models import Line, Underway

# Five milliseconds of the writer's place of SQLite; more would keep others waiting.
AT_ONCE = 250

_OF_LINE = "WHERE thing_id = %(thing)s AND amount_micros > 0"
_RELEASE = f"""
SELECT 'release:' || %(text)s || ':' || CAST(thing_id AS TEXT) || ':' || CAST(member_id AS TEXT)
         AS key,
       '{Kind.WAITING}' AS debit_kind, member_id AS debit_holder,
       '{Kind.REVENUE}' AS credit_kind, %(owner)s AS credit_holder, amount_micros
FROM ({SHARES_WITHIN}) s
{_OF_LINE}
"""
_RETURN = f"""
SELECT 'return:' || %(text)s || ':' || CAST(thing_id AS TEXT) || ':' || CAST(member_id AS TEXT)
         AS key,
       '{Kind.WAITING}' AS debit_kind, member_id AS debit_holder,
       '{Kind.FUNDS}' AS credit_kind, member_id AS credit_holder, amount_micros
FROM ({SHARES_WITHIN}) s
{_OF_LINE}
"""
_ALL = Range(0, 2**62)


def post(line: Line, at: datetime) -> None:
    """Post the shares of a line just released or returned; those of a long one follow later."""
    if line.nods > AT_ONCE:
        Underway.objects.create(month=line.month, thing_id=line.thing_id, since_at=at)
        return
    _post_shares(line, _ALL, at)
    _post_fee(line, at)
    _parts.share_line(line, at)


def _post_shares(line: Line, span: Range, at: datetime) -> int:
    names: Params = {
        "month": line.month,
        "thing": line.thing_id,
        "text": months.text(line.month),
        **span._asdict(),
    }
    if line.state == Line.State.RETURNED:
        return ledger.post_from_select(_RETURN, names, reason="RETURN", month=line.month, at=at)
    names = {**names, "owner": line.owner_id}
    return ledger.post_from_select(_RELEASE, names, reason="RELEASE", month=line.month, at=at)


def _post_fee(line: Line, at: datetime) -> None:
    if line.owner_id is not None and line.fee_micros:
        ledger.post(
            key=f"release:{months.text(line.month)}:{line.thing_id}:fee",
            debit=ledger.revenue(line.owner_id),
            credit=ledger.FEE,
            amount_micros=line.fee_micros,
            reason="FEE",
            month=line.month,
            at=at,
        )


def is_there() -> bool:
    """Whether shares of a line that was decided are still to be posted; reads only."""
    return Underway.objects.exists()


def go_on(*, at: datetime, report: Report = untold) -> int:
    """Post what is left of every line that was decided; how many lines that were."""
    rows = list(Underway.objects.order_by("month", "thing_id"))
    for row in rows:
        _finish(row, at, report)
    return len(rows)


def _finish(row: Underway, at: datetime, report: Report) -> None:
    line = Line.objects.get(month=row.month, thing_id=row.thing_id)
    mine = Underway.objects.filter(month=row.month, thing_id=row.thing_id)

    def write(span: Range) -> int:
        instance.hold_owners()
        # Of two who are at it one writes a range, and the other sees that it was.
        now = mine.select_for_update().first()
        if now is None or now.upto >= span.upto:
            return 0
        posted = _post_shares(line, Range(max(now.upto, span.after), span.upto), at)
        mine.update(upto=span.upto)
        return posted

    members = (
        f"SELECT member_id AS k FROM nods_nod WHERE month = {row.month:d}"
        f" AND thing_id = {row.thing_id:d} AND void = '' AND member_id > {row.upto:d}"
    )
    chunks.walk(members, write, label="release", report=report)
    with transaction.atomic():
        instance.hold_owners()
        if mine.select_for_update().first() is not None:
            _post_fee(line, at)
            _parts.share_line(line, at)
            mine.delete()
