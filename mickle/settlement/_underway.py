"""Lines that were decided and have more shares than one transaction should post.

The line's own state is the decision, in one step; its shares follow in ranges of members, each with
its part of the fee, for what is an owner's can be withdrawn at once, and with how far they have
come. What stopped goes on from there.
"""

from datetime import datetime

from django.db import transaction

from mickle.instance import instance
from mickle.ledger import ledger
from mickle.ledger.ledger import Kind
from mickle.lib import chunks, money, months
from mickle.lib.chunks import Range, Report, untold
from mickle.lib.sql import Params
from mickle.settlement import _parts, _texts
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
_GROSS = f"""
SELECT CAST(COALESCE(SUM(amount_micros), 0) AS BIGINT) FROM ({SHARES_WITHIN}) s
{_OF_LINE}
"""
_ALL = Range(0, 2**62)


def post(line: Line, at: datetime) -> None:
    """Post the shares of a line just released or returned; those of a long one follow later."""
    if line.nods > AT_ONCE:
        Underway.objects.create(month=line.month, thing_id=line.thing_id, since_at=at)
        return
    _post_shares(line, _ALL, at)
    _post_fee(line, line.fee_micros, at)
    _parts.share_line(line, at)


def _names(line: Line, span: Range) -> Params:
    return {
        "month": line.month,
        "thing": line.thing_id,
        "text": months.text(line.month),
        **span._asdict(),
    }


def _post_shares(line: Line, span: Range, at: datetime) -> int:
    names = _names(line, span)
    if line.state == Line.State.RETURNED:
        return ledger.post_from_select(_RETURN, names, reason="RETURN", month=line.month, at=at)
    names = {**names, "owner": line.owner_id}
    return ledger.post_from_select(_RELEASE, names, reason="RELEASE", month=line.month, at=at)


def _post_fee(line: Line, micros: int, at: datetime, *, upto: str = "") -> None:
    if line.owner_id is not None and micros:
        ledger.post(
            key=f"release:{months.text(line.month)}:{line.thing_id}:fee{upto}",
            debit=ledger.revenue(line.owner_id),
            credit=ledger.FEE,
            amount_micros=micros,
            reason="FEE",
            month=line.month,
            at=at,
        )


def fee_so_far(row: Underway) -> int:
    """The fee of the shares that were posted: that of their sum, rounded down."""
    return money.fee(row.gross_micros, instance.fee_basis_points(row.month))


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
        within = Range(max(now.upto, span.after), span.upto)
        posted, before = _post_shares(line, within, at), fee_so_far(now)
        now.gross_micros += _texts.rows(_GROSS, _names(line, within))[0][0]
        now.upto = span.upto
        _post_fee(line, fee_so_far(now) - before, at, upto=f":{span.upto}")
        mine.update(upto=now.upto, gross_micros=now.gross_micros)
        return posted

    members = (
        f"SELECT member_id AS k FROM nods_nod WHERE month = {row.month:d}"
        f" AND thing_id = {row.thing_id:d} AND void = '' AND member_id > {row.upto:d}"
    )
    chunks.walk(members, write, label="release", report=report)
    with transaction.atomic():
        instance.hold_owners()
        now = mine.select_for_update().first()
        if now is not None:
            # Nothing, unless a version before had begun, which kept the fee for the end.
            _post_fee(line, line.fee_micros - fee_so_far(now), at)
            _parts.share_line(line, at)
            mine.delete()
