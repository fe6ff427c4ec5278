"""Arrears after month end: what was paid goes to owners, what was not is asked for again.

A charge is paid as soon as the member's funds hold it, whichever way the money came. One charge is
paid whole or not at all; the fee of a line is kept at what the sum it has received comes to.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.ledger import ledger
from mickle.ledger.ledger import Kind
from mickle.lib import chunks, months
from mickle.lib.chunks import Range
from mickle.lib.sql import Params, instant
from mickle.members.models import Member
from mickle.nods.models import Nod
from mickle.settlement import _parts, _shares, _texts
from mickle.settlement._waiting import NotWaiting
from mickle.settlement.models import Charge, Due, Line, Part, ReturnedShare, Run
from mickle.things.models import Thing

_FUNDS = ledger.balances_sql(Kind.FUNDS)
# The one place that says which charges funds hold. The smallest first: of two that do not both fit,
# one is paid. CROSS JOIN keeps SQLite to the order written here: from the charges to their funds.
_PAYABLE = f"""
SELECT id AS charge, member, amount FROM (
  SELECT c.id AS id, c.member_id AS member, c.amount_micros AS amount, f.balance_micros AS held,
         SUM(c.amount_micros) OVER (PARTITION BY c.member_id ORDER BY c.amount_micros, c.id) AS upto
  FROM {{charges}} CROSS JOIN ({_FUNDS}) f
  WHERE f.holder_id = c.member_id AND c.state = '{Charge.State.ASKED}' {{within}}
) q WHERE upto <= held
"""
_HELD = _PAYABLE.format(charges="settlement_charge c", within="")
# Of one member. By its state SQLite would look up everybody's.
_OF_MEMBER = _PAYABLE.format(
    charges="(SELECT id AS charge FROM settlement_charge WHERE member_id = %(member)s) k"
    " CROSS JOIN settlement_charge c",
    within="AND c.id = k.charge AND f.holder_id = %(member)s",
)
_KEPT = f"SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM ({_OF_MEMBER}) p"
_PAYERS = f"SELECT member AS k, charge FROM ({_HELD}) p"
# Each of them once, at their first charge: for DISTINCT SQLite reads and sorts all that come after.
_EACH_PAYER = """
SELECT p.k AS k FROM s_payer p
WHERE NOT EXISTS (SELECT 1 FROM s_payer o WHERE o.k = p.k AND o.charge < p.charge)
"""
# From who pays to what they pay, and not by way of others in the range. The range is said of each
# table of a join: PostgreSQL reads all of the one it is not said of.
_FROM_PAYERS = "s_payer k CROSS JOIN settlement_charge c"
_OF_PAYERS = """
AND c.id = k.charge AND k.k > %(after)s AND k.k <= %(upto)s
AND c.member_id > %(after)s AND c.member_id <= %(upto)s
"""
_WITHIN = _OF_PAYERS + "AND f.holder_id > %(after)s AND f.holder_id <= %(upto)s"
_OPEN = f"""
SELECT d.id AS id, d.charge_id AS charge_id, d.month AS month, d.member_id AS member_id,
       d.thing_id AS thing_id, d.owner_id AS owner_id, d.amount_micros AS amount_micros
FROM {_FROM_PAYERS} CROSS JOIN settlement_due d
WHERE c.state = '{Charge.State.ASKED}' {_OF_PAYERS}
  AND d.charge_id = c.id AND d.member_id > %(after)s AND d.member_id <= %(upto)s
"""
# What was not there in time. What is there by now is collected, however late.
_LATE = f"""
SELECT c.id FROM settlement_charge c
LEFT JOIN ({_HELD}) p ON p.charge = c.id
WHERE c.state = '{Charge.State.ASKED}' AND c.try_at <= %(at)s AND p.charge IS NULL
"""
# Who leaves may drop a charge meanwhile.
_STILL_LATE = f"state = '{Charge.State.ASKED}' AND id IN ({_LATE})"
_DROP = f"""
UPDATE settlement_charge SET state = '{Charge.State.DROPPED}', decided_at = %(at)s
WHERE {_STILL_LATE} AND tries >= %(most)s
"""
_ASK_AGAIN = f"""
UPDATE settlement_charge SET tries = tries + 1, try_at = %(next)s WHERE {_STILL_LATE}
"""
# What dues bring to each line: the shares of a whole split, and those that fell due one by one.
# From the dues to their nods: of the nods of a month most are others'. For statements with
# parameters: % stands doubled.
RECEIVED = """
SELECT month, thing, owner, COUNT(*) AS nods, CAST(SUM(amount) AS BIGINT) AS gross FROM (
  SELECT d.month AS month, e.thing_id AS thing, l.owner_id AS owner, e.amount_micros AS amount
  FROM {paid} CROSS JOIN ({shares}) e CROSS JOIN settlement_line l
  WHERE e.month = d.month AND e.member_id = d.member_id
    AND l.month = e.month AND l.thing_id = e.thing_id
    AND d.thing_id IS NULL AND e.amount_micros > 0
  UNION ALL
  SELECT d.month, d.thing_id, d.owner_id, d.amount_micros FROM {paid}
  WHERE d.thing_id IS NOT NULL
) q GROUP BY month, thing, owner
"""
_PAID = "s_open d JOIN s_payable p ON p.charge = d.charge_id"
# Whose pots a range of charges may touch: locked in one order, as single transfers are.
_GIVERS = f"""
SELECT '{Kind.FUNDS}' AS kind, k AS holder FROM s_payer WHERE k > %(after)s AND k <= %(upto)s
UNION SELECT '{Kind.REVENUE}', x.member_id FROM settlement_part x
WHERE x.month IN (SELECT month FROM s_open)
"""
_MAKERS = f"UNION SELECT '{Kind.REVENUE}', owner FROM ({{received}}) r"
_TAKE_IN = f"""
SELECT 'charge:' || CAST(d.charge_id AS TEXT) || ':' || %(text)s AS key,
       '{Kind.FUNDS}' AS debit_kind, d.member_id AS debit_holder,
       '{Kind.POOL}' AS credit_kind, d.month AS credit_holder,
       CAST(SUM(d.amount_micros) AS BIGINT) AS amount_micros
FROM {_PAID} WHERE d.month = %(month)s GROUP BY d.charge_id, d.member_id, d.month
"""
_TO_LINES = """
INSERT INTO settlement_received (month, thing_id, owner_id, nods, gross_micros, fee_micros)
SELECT month, thing, owner, nods, gross, 0 FROM s_received WHERE true
ON CONFLICT (month, thing_id, owner_id) DO UPDATE
SET nods = settlement_received.nods + excluded.nods,
    gross_micros = settlement_received.gross_micros + excluded.gross_micros
"""
# In two parts, so that it never leaves 64 bits; the rate is that of the line's month.
_FEES_DUE = """
SELECT r.month AS month, r.thing_id AS thing, r.owner_id AS owner, r.fee_micros AS before,
       CAST(r.gross_micros / 10000 AS BIGINT) * m.fee_basis_points
       + CAST(((r.gross_micros % 10000) * m.fee_basis_points) / 10000 AS BIGINT) AS fee
FROM s_received s CROSS JOIN settlement_received r CROSS JOIN instance_month m
WHERE r.month = s.month AND r.thing_id = s.thing AND r.owner_id = s.owner AND m.month = s.month
"""
_FEES = """
UPDATE settlement_received SET fee_micros = f.fee FROM s_fee f
WHERE settlement_received.month = f.month AND settlement_received.thing_id = f.thing
  AND settlement_received.owner_id = f.owner
"""
# Of the charges in one transaction, the first names it: each is paid once.
_OWNERS = f"""
SELECT 'charged:' || CAST(%(first)s AS TEXT) || ':' || %(text)s || ':' || CAST(owner AS TEXT)
         AS key,
       '{Kind.POOL}' AS debit_kind, month AS debit_holder,
       '{Kind.REVENUE}' AS credit_kind, owner AS credit_holder,
       CAST(SUM(gross) AS BIGINT) AS amount_micros
FROM s_received GROUP BY month, owner
"""
_TO_FEE = f"""
SELECT 'charged:' || CAST(%(first)s AS TEXT) || ':' || %(text)s || ':' || CAST(owner AS TEXT)
         || ':fee' AS key,
       '{Kind.REVENUE}' AS debit_kind, owner AS debit_holder,
       '{Kind.FEE}' AS credit_kind, 0 AS credit_holder,
       CAST(SUM(fee - before) AS BIGINT) AS amount_micros
FROM s_fee GROUP BY month, owner HAVING SUM(fee - before) > 0
"""
# What came to a team's lines now. Cut anew from the whole sum, a part could become smaller.
_TO_PARTS = """
SELECT s.month AS month, s.thing AS thing, s.owner AS owner,
       s.gross - (f.fee - f.before) AS net, f.fee - f.before AS fee
FROM s_received s
JOIN s_fee f ON f.month = s.month AND f.thing = s.thing AND f.owner = s.owner
"""


def has_to_collect() -> bool:
    """Whether funds hold what was asked for; reads only."""
    return bool(_texts.rows(f"{_HELD} LIMIT 1", {}))


def collect(*, at: datetime) -> int:
    """Pay every charge that funds hold to the owners; how many. One collects at a time."""
    # Once, and before anything is locked: it reads whatever is open. What is paid meanwhile comes
    # next time, and what funds hold no more does not come at all.
    _texts.stage("s_payer", _PAYERS, key="k, charge")
    done = chunks.walk(_EACH_PAYER, lambda span: _pay(span, at))
    _texts.drop("s_payer")
    return done


def _pay(span: Range, at: datetime) -> int:
    """Pay what funds hold by now, of a range of payers; all in the caller's transaction."""
    # Who releases, returns or leaves moves in several steps, and has done so before, or does after.
    instance.take_owners()
    within = span._asdict()
    _texts.stage("s_open", _OPEN, within, key="id")
    ledger.hold_pots(_pots(), within)
    payable = _PAYABLE.format(charges=_FROM_PAYERS, within=_WITHIN)
    _texts.stage("s_payable", payable, within, key="charge")
    paid, first = _texts.rows("SELECT COUNT(*), MIN(charge) FROM s_payable")[0]
    for (month,) in _texts.rows(f"SELECT DISTINCT d.month FROM {_PAID} ORDER BY d.month"):
        _texts.stage("s_received", _received(_PAID, month), within, key="month, thing, owner")
        _texts.execute(_TO_LINES, {})
        _texts.stage("s_fee", _FEES_DUE, key="month, thing, owner")
        _texts.execute(_FEES, {})
        _post(month, first, at)
        _texts.drop("s_received", "s_fee")
    _texts.execute(
        f"UPDATE settlement_charge SET state = '{Charge.State.PAID}', decided_at = %(at)s"
        " WHERE id IN (SELECT charge FROM s_payable)",
        {"at": instant(at)},
    )
    _texts.drop("s_open", "s_payable")
    return int(paid)


def _received(dues: str, month: int) -> str:
    """What those of the dues that are of a month bring to its lines."""
    of_month = f"(SELECT d.* FROM {dues} WHERE d.month = {month:d}) d"
    return RECEIVED.format(paid=of_month, shares=_shares.of_month(month))


def _pots() -> str:
    found = _texts.rows("SELECT DISTINCT month FROM s_open ORDER BY month")
    makers = [_MAKERS.format(received=_received("s_open d", month)) for (month,) in found]
    return "\n".join([_GIVERS, *makers])


def _post(month: int, first: int, at: datetime) -> None:
    bound: Params = {"month": month, "text": months.text(month), "first": first}
    for select, reason in ((_TAKE_IN, "SPEND"), (_OWNERS, "SHARE"), (_TO_FEE, "FEE")):
        ledger.post_from_select(select, bound, reason=reason, month=month, at=at)
    key = f"charged:{first}:{months.text(month)}:part"
    _parts.of(_TO_PARTS, month=month, key=key, at=at)
    left = ledger.balance(ledger.pool(month))
    if left:
        raise AssertionError(f"{left} micros of charges for {months.text(month)} reached nobody")


def has_to_ask_again(at: datetime) -> bool:
    """Whether a charge was not paid in the time there was; reads only."""
    return bool(_texts.rows(f"{_LATE} LIMIT 1", {"at": instant(at)}))


def ask_again(*, at: datetime) -> int:
    """Ask once more for what was not paid; the last time, drop it. How many charges."""
    bound: Params = {
        "at": instant(at),
        "next": instant(at + timedelta(days=settings.CHARGE_DAYS)),
        "most": settings.CHARGE_TRIES,
    }
    with transaction.atomic():
        return sum(_texts.execute(text, bound) for text in (_DROP, _ASK_AGAIN))


def open_of(member: Member | None) -> QuerySet[Charge]:
    """What was asked for and is not paid, of a member or of all, oldest first."""
    rows = Charge.objects.filter(state=Charge.State.ASKED).order_by("month", "id")
    return rows if member is None else rows.filter(member=member)


def give_up(*, member: Member, month: int, thing: Thing, at: datetime) -> bool:
    """Let a nod that was put off never be charged; False where there is none to give up.

    Raises NotWaiting while a month is settled, which may find somebody who receives for it.
    """
    with transaction.atomic():
        # Who settles has begun before this, or sees it.
        instance.hold_owners()
        put_off = Nod.objects.filter(member=member, month=month, thing=thing, void=Nod.Void.LATER)
        facts = {"month": month, "member": member, "thing": thing}
        if not put_off.exists() or Due.objects.filter(**facts).exists():
            return False
        if Run.objects.exclude(stage=Run.Stage.DONE).exists():
            raise NotWaiting(
                _("A month is being settled right now. Nothing was changed: try it again later.")
            )
        return ReturnedShare.objects.get_or_create(
            **facts, defaults={"amount_micros": 0, "at": at}
        )[1]


def forgive(*, member: Member, at: datetime) -> None:
    """Drop what a member who leaves was asked for, and what was carried on."""
    Charge.objects.filter(member=member, state=Charge.State.ASKED).update(
        state=Charge.State.DROPPED, decided_at=at
    )
    Due.objects.filter(member=member, charge=None).delete()


def kept(member: Member) -> int:
    """What of a member's funds pays charges that are open, as `collect` does."""
    ((micros,),) = _texts.rows(_KEPT, {"member": member.id})
    return micros


def can_pay(member: Member) -> bool:
    """Whether the funds of a member hold something they were asked for."""
    return kept(member) > 0


def is_owed(member: Member) -> bool:
    """Whether something that is due may still reach a member as an owner."""
    open_dues = Due.objects.exclude(charge__state__in=[Charge.State.PAID, Charge.State.DROPPED])
    waits = {"month__in": open_dues.values("month")}
    lines = Line.objects.filter(owner=member, **waits)
    parts = Part.objects.filter(member=member, **waits)
    return lines.exists() or parts.exists() or open_dues.filter(owner=member).exists()
