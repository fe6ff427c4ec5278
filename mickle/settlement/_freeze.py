"""The freeze: owners are noted, void nods marked, each spend is fixed and taken in.

All of it in ranges of members or things, each in a transaction of its own; run again, it goes on.
What a member has at the moment of their own range is what they can give. Which nods count is final
before the first spend is: who has given for a nod may not lose it to a page that is refused, taken
down, merged or claimed while the freeze is stopped, or nothing would be there to pay.
"""

from datetime import datetime

from django.conf import settings

from mickle.instance import instance
from mickle.ledger import ledger
from mickle.ledger.ledger import Kind
from mickle.lib import chunks, months
from mickle.lib.chunks import Range, Report
from mickle.lib.sql import Params, Value
from mickle.members import members
from mickle.nods import nods
from mickle.settlement import _dues, _parts, _texts
from mickle.settlement.models import Spend
from mickle.teams import teams

# With the policy `keep` this many idle months stay; the next one and each further one gives.
IDLE_MONTHS_KEPT = 5

_READ = ("members_member", "members_budget", "ledger_account", "nods_nod", "things_thing")
# From the things to their nods: the other way round SQLite would read every nod of the month.
_THINGS = """
SELECT t.id AS thing FROM things_thing t
WHERE EXISTS (SELECT 1 FROM nods_nod n WHERE n.thing_id = t.id AND n.month = %(month)s)
"""
# A team's people have a part of what it owns, and each of them has to be one who may receive.
_OWNED = """
INSERT INTO settlement_owned (month, thing_id, owner_id, receives)
SELECT %(month)s, t.id, COALESCE(p.team, t.owner_id),
       CASE WHEN p.team IS NULL AND r.id IS NOT NULL THEN %(true)s
            WHEN p.team IS NOT NULL
             AND EXISTS (SELECT 1 FROM teams_part x WHERE x.team = p.team AND x.staying = 1)
             AND NOT EXISTS (
               SELECT 1 FROM teams_part x
               WHERE x.team = p.team AND x.staying = 1
                 AND NOT EXISTS (SELECT 1 FROM ({receivers}) y WHERE y.id = x.member))
            THEN %(true)s ELSE %(false)s END
FROM s_nodded s JOIN things_thing t ON t.id = s.thing
LEFT JOIN teams_party p ON p.thing = t.id AND p.keeper = t.owner_id
LEFT JOIN ({receivers}) r ON r.id = t.owner_id
WHERE t.owner_id IS NOT NULL AND s.thing > %(after)s AND s.thing <= %(upto)s
  AND t.id > %(after)s AND t.id <= %(upto)s
ON CONFLICT (month, thing_id) DO NOTHING
"""
_PARTS = _parts.NOTED.format(
    owned="""(SELECT month, thing_id, owner_id FROM settlement_owned
 WHERE month = %(month)s AND thing_id > %(after)s AND thing_id <= %(upto)s AND receives)"""
)
# Who owns a thing, by themselves or with others.
_HAS = """
SELECT thing_id AS thing, owner_id AS owner FROM settlement_owned WHERE month = {month:d}
UNION ALL SELECT o.thing_id, x.member
FROM settlement_owned o JOIN teams_part x ON x.team = o.owner_id WHERE o.month = {month:d}
"""
# Where a merged thing goes has to be known too.
_THINGS_AND_TARGETS = """
SELECT thing FROM ({things}) a
UNION SELECT t.merged_into_id FROM ({things}) b JOIN things_thing t ON t.id = b.thing
WHERE t.merged_into_id IS NOT NULL
"""

_GIVEN = """
SELECT member_id AS member, COUNT(*) AS given,
       SUM(CASE WHEN void = '' THEN 1 ELSE 0 END) AS valid
FROM nods_nod WHERE month = %(month)s GROUP BY member_id
"""

_FUNDED = f"{ledger.balances_sql(Kind.FUNDS)} AND balance_micros > 0"
_IN_RANGE = "member_id > %(after)s AND member_id <= %(upto)s"
# Everyone with funds, with the plan that counted when the month closed. The range is said of both
# sides of a join: PostgreSQL reads all of the one it is not said of.
_PLANNED = f"""
SELECT m.id AS member_id, m.funded_month AS funded_month, f.balance_micros AS funds,
       COALESCE(b.amount_micros, %(default_budget)s) AS budget,
       COALESCE(b.paused, %(false)s) AS paused,
       CASE WHEN c.listed THEN c.id END AS charity_id,
       COALESCE(g.given, 0) AS given, COALESCE(g.valid, 0) AS valid,
       CASE WHEN m.closing_at IS NULL THEN 0 ELSE 1 END AS closing
FROM members_member m
JOIN ({_FUNDED} AND holder_id > %(after)s AND holder_id <= %(upto)s) f ON f.holder_id = m.id
LEFT JOIN members_budget b ON b.member_id = m.id AND b.month = (
  SELECT MAX(x.month) FROM members_budget x WHERE x.member_id = m.id AND x.month <= %(month)s)
LEFT JOIN members_charity c ON c.id = b.charity_id
LEFT JOIN s_given g ON g.member = m.id
WHERE m.id > %(after)s AND m.id <= %(upto)s
"""

_SPEND = "CASE WHEN budget < funds THEN budget ELSE funds END"

_SPEND_ON_NODS = f"""
INSERT INTO settlement_spend (month, member_id, amount_micros, charity_id)
SELECT %(month)s, member_id, {_SPEND}, NULL FROM ({_PLANNED}) p
WHERE valid > 0 AND paused = %(false)s
ON CONFLICT (month, member_id) DO NOTHING
"""

# Idle: no nod was given, though the member could have: not paused, not new, not leaving.
_IDLE = "given = 0 AND paused = %(false)s AND closing = 0 AND funded_month < %(month)s"

_COUNT_IDLE = f"""
INSERT INTO settlement_idlerun (member_id, months, through)
SELECT member_id, 1, %(month)s FROM ({_PLANNED}) p WHERE {_IDLE}
ON CONFLICT (member_id) DO UPDATE
SET months = settlement_idlerun.months + 1, through = excluded.through
WHERE settlement_idlerun.through < excluded.through
"""

_END_IDLE = f"""
DELETE FROM settlement_idlerun WHERE member_id IN (SELECT member FROM s_given) AND {_IN_RANGE}
"""

_SPEND_IDLE = f"""
INSERT INTO settlement_spend (month, member_id, amount_micros, charity_id)
SELECT %(month)s, p.member_id, {_SPEND}, COALESCE(p.charity_id, d.id) FROM ({_PLANNED}) p
LEFT JOIN members_charity d ON d.is_default AND d.listed
WHERE {_IDLE} AND COALESCE(p.charity_id, d.id) IS NOT NULL{{kept_long_enough}}
ON CONFLICT (month, member_id) DO NOTHING
"""

_KEPT_LONG_ENOUGH = """
  AND p.member_id IN (SELECT member_id FROM settlement_idlerun WHERE months > %(kept)s)
"""

# Said anew, and not as what it is compared with says it.
_SPENDS = """
SELECT COUNT(*) FROM settlement_spend
WHERE month = %(month)s AND member_id > %(after)s AND member_id <= %(upto)s
"""
_TAKE_IN = f"""
SELECT 'settle:' || %(text)s || ':spend:' || CAST(member_id AS TEXT) AS key,
       '{Kind.FUNDS}' AS debit_kind, member_id AS debit_holder,
       '{Kind.POOL}' AS credit_kind, month AS credit_holder, amount_micros
FROM settlement_spend WHERE month = %(month)s AND {_IN_RANGE}
"""


def freeze(*, month: int, at: datetime, arrears: bool, report: Report) -> int:
    """Fix what every member gives for a closed month, and take it in; how many transfers are new.

    What expires with the month has come back before. In arrears nothing is taken in.
    """
    # What was just loaded has no statistics yet, and a load that was undone wrong ones.
    _texts.look_at(*_READ)
    teams.stage(month=month)
    if not Spend.objects.filter(month=month).exists():
        _note_owners(month, arrears, report)
        nods.void_at_freeze(month=month, owned=_HAS.format(month=month))
    if arrears:
        _dues.freeze(month=month, report=report)
    teams.forget_stage()
    if arrears:
        return 0
    _texts.stage("s_given", _GIVEN, {"month": month}, key="member")
    chunks.walk(
        "SELECT member_id AS k FROM settlement_idlerun",
        lambda span: _texts.execute(_END_IDLE, span._asdict()),
    )
    taken_in = chunks.walk(
        f"SELECT holder_id AS k FROM ({_FUNDED}) f",
        lambda span: _take_in(span, month, at),
        label="freeze",
        report=report,
    )
    _texts.drop("s_given")
    return taken_in


def _note_owners(month: int, arrears: bool, report: Report) -> None:  # noqa: FBT001
    """Note who owns what was nodded at: what changes from here on is for the next month."""
    nodded = f"SELECT thing FROM ({_THINGS}) n"
    if arrears:
        nodded += f" UNION SELECT thing FROM ({_dues.THINGS}) o"
    staged = _THINGS_AND_TARGETS.format(things=nodded)
    _texts.stage("s_nodded", staged, _dues.names(month), key="thing")
    receivers, params = members.receivers().values("id").query.sql_with_params()
    named: dict[str, Value] = {f"r{place}": value for place, value in enumerate(params)}
    select = receivers % tuple(f"%({name})s" for name in named)
    insert = _OWNED.format(receivers=select)

    def note(span: Range) -> int:
        # Who is about to claim or to leave has done so before, or does after.
        instance.take_owners()
        within = {"month": month, **span._asdict()}
        noted = _texts.execute(insert, {**within, "false": False, "true": True, **named})
        _texts.execute(_PARTS, within)
        return noted

    chunks.walk("SELECT thing AS k FROM s_nodded", note, label="owners", report=report)
    _texts.drop("s_nodded")


def _take_in(span: Range, month: int, at: datetime) -> int:
    """Fix the spends of a range of members and move them to the pool."""
    names: Params = {
        "month": month,
        "false": False,
        "default_budget": settings.BUDGET_DEFAULT_MICROS,
        "kept": IDLE_MONTHS_KEPT,
        **span._asdict(),
    }
    keep = settings.IDLE_POLICY == "keep"
    ledger.hold(Kind.FUNDS, span)
    _texts.execute(_SPEND_ON_NODS, names)
    if keep:
        _texts.execute(_COUNT_IDLE, names)
    _texts.execute(_SPEND_IDLE.format(kept_long_enough=_KEPT_LONG_ENOUGH if keep else ""), names)
    within: Params = {"month": month, **span._asdict()}
    # In words of its own: Django's take a fifth of a short range to make.
    ((spends,),) = _texts.rows(_SPENDS, within)
    return ledger.post_from_select(
        _TAKE_IN,
        {**within, "text": months.text(month)},
        reason="SPEND",
        month=month,
        at=at,
        expected=spends,
    )
