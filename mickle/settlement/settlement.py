"""The door of the room: close, settle, release, and what the pages and statements read."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.instance.models import Month
from mickle.ledger import ledger
from mickle.ledger.ledger import Check
from mickle.lib import months
from mickle.lib.chunks import Report, untold
from mickle.lib.proofs import Head
from mickle.members.models import Member
from mickle.nods import nods
from mickle.settlement import (
    _archive,
    _at_hand,
    _audit,
    _charges,
    _database,
    _dues,
    _engine,
    _forecast,
    _freeze,
    _funds,
    _owners,
    _post,
    _proof,
    _run,
    _statements,
    _totals,
    _underway,
    _waiting,
)
from mickle.settlement._archive import Archived, NoArchive
from mickle.settlement._at_hand import NoEngine
from mickle.settlement._engine import EnginesDiffer, NotComputed
from mickle.settlement._forecast import Forecast
from mickle.settlement._freeze import IDLE_MONTHS_KEPT
from mickle.settlement._funds import Move
from mickle.settlement._nodded import Share
from mickle.settlement._owners import OwnerStatement
from mickle.settlement._run import AlreadySettled, NotSettled
from mickle.settlement._spark import NoSpark
from mickle.settlement._statements import NoStatement, Statement
from mickle.settlement._totals import Totals
from mickle.settlement._waiting import EXPIRES_AFTER_MONTHS, NotWaiting
from mickle.settlement.models import Proof, Run
from mickle.things.models import Thing

__all__ = [
    "ENGINES",
    "EXPIRES_AFTER_MONTHS",
    "IDLE_MONTHS_KEPT",
    "AlreadySettled",
    "Archived",
    "EnginesDiffer",
    "Forecast",
    "Move",
    "NoArchive",
    "NoEngine",
    "NoSpark",
    "NoStatement",
    "NotComputed",
    "NotSettled",
    "NotWaiting",
    "OwnerStatement",
    "Settled",
    "Share",
    "Statement",
]


ENGINES = _at_hand.NAMES


@dataclass(frozen=True)
class Settled:
    """What a month came to, in micros; `transfers` are those this run has posted."""

    month: int
    members: int
    nods: int
    lines: int
    spent_micros: int
    paid_micros: int
    fee_micros: int
    waiting_micros: int
    charity_micros: int
    transfers: int
    result_sha256: str
    proof_root: str


def close_due(*, at: datetime) -> list[int]:
    """Close every month that has ended, in order, its subscriptions nodding first."""
    closed = []
    while at >= months.end(month := instance.here().closed_through + 1):
        with transaction.atomic():
            instance.take_fence()
            if instance.here().closed_through >= month:
                # Another process closed it between the look and the lock.
                continue
            nods.renew(month=month, at=months.start(month))
            instance.close(month=month, at=at)
        closed.append(month)
    nods.renew(month=months.of(at), at=at)
    return closed


def grace_ends(month: int) -> datetime:
    """When a month settles by itself; what arrives until then still counts for it.

    After a standstill the grace runs from the close: what arrived meanwhile is still booked.
    """
    row = Month.objects.filter(month=month).first()
    ended = months.end(month) if row is None else max(months.end(month), row.closed_at)
    return ended + timedelta(hours=settings.GRACE_HOURS)


def settle(
    *, month: int, at: datetime, engine: str = "", fall_back: bool = False, report: Report = untold
) -> Settled:
    """Settle a closed month: freeze, compute, verify, post; what stopped goes on from where it was.

    An engine of ENGINES computes it, else the one of the settings; “auto” has a large month
    computed by two, where both are there, and posts what both say. Raises NoEngine; NoSpark, where
    it may not `fall_back` on the database; EnginesDiffer; NotComputed; NotSettled for a month that
    is open, to come, before this instance's first, not next in order or being settled by somebody
    else; AlreadySettled.
    """
    engine = _at_hand.found(engine or settings.ENGINE, fall_back=fall_back)
    close_due(at=at)
    with _run.alone():
        _must_be_next(month)
        _proof.prove_earlier(at=at)
        posted = _stages(month, at, engine, report)
        done = _settled(month, posted)
    # Who came to own or to receive meanwhile has it now.
    _waiting.release_due(at=at)
    ledger.seal(at=at)
    return done


def _must_be_next(month: int) -> None:
    name = months.text(month)
    here = instance.here()
    if month > here.closed_through:
        end = f"{months.end(month):%Y-%m-%d}"
        raise NotSettled(
            _("%(month)s has not ended; it does on %(end)s, 00:00 UTC. Nothing was changed.")
            % {"month": name, "end": end}
        )
    if month < here.first_month:
        raise NotSettled(
            _("%(month)s is before the first month of this instance. Nothing was changed.")
            % {"month": name}
        )
    if Month.objects.filter(month=month, settled_at__isnull=False).exists():
        raise AlreadySettled(
            _("%(month)s is settled already. Nothing was changed.") % {"month": name}
        )
    earlier = Month.objects.filter(month__lt=month, settled_at=None).order_by("month").first()
    if earlier is not None:
        raise NotSettled(
            _("Months are settled in order: settle %(earlier)s first. Nothing was changed.")
            % {"earlier": earlier}
        )


def rehearse(*, month: int, at: datetime, report: Report = untold) -> Settled:
    """What settling the month now would come to; nothing is changed. Raises as `settle` does.

    It is settled and undone in one transaction, so on SQLite nobody writes meanwhile, and on
    PostgreSQL claims and the givers' top-ups wait.
    """
    with transaction.atomic():
        # Before the fence, as everyone who takes both does.
        instance.take_owners()
        # No other connection sees what it froze.
        done = settle(month=month, at=at, engine="database", report=report)
        transaction.set_rollback(True)
    return done


def _stages(month: int, at: datetime, engine: str, report: Report) -> int:
    """Each stage that is not done yet; returns how many transfers were posted."""
    run, posted = _run.begin(month=month, at=at), 0
    expired = month - _waiting.EXPIRES_AFTER_MONTHS
    if run.stage == Run.Stage.EXPIRE:
        # Before the spends, so that it can be given again.
        _underway.go_on(at=at, report=report)
        _waiting.expire(month=expired, at=at, report=report)
        _run.go_on(run, Run.Stage.FREEZE)
    if run.stage == Run.Stage.FREEZE:
        _waiting.note_expired(month=expired, at=at, report=report)
        posted = _freeze.freeze(month=month, at=at, arrears=run.arrears, report=report)
        _run.note_frozen(run, at=at)
    report("compute", 0, 1)
    basis_points = instance.fee_basis_points(month)
    result = _engine.compute(month, basis_points, _at_hand.openers(engine, month))
    report("compute", 1, 1)
    _run.note_result(run, engine=result.engine, sha256=result.sha256)
    posted += _post.post(month=month, at=at, arrears=run.arrears, report=report)
    asking = _dues.ask if run.arrears else _dues.drop_carried_on
    asking(month=month, at=at, report=report)
    root = _proof.prove(month=month, at=at, report=report)
    _run.note_done(run, result, proof_root=root, at=at)
    _database.forget()
    return posted


def _settled(month: int, posted: int) -> Settled:
    totals, run = _totals.totals(month), Run.objects.get(month=month)
    return Settled(
        month=month,
        members=totals.members,
        nods=totals.nods,
        lines=totals.things,
        spent_micros=totals.spent_micros,
        paid_micros=totals.paid_micros,
        fee_micros=totals.fee_micros,
        waiting_micros=totals.waiting_micros,
        charity_micros=totals.charity_micros,
        transfers=posted,
        result_sha256=run.result_sha256,
        proof_root=run.proof_root,
    )


def release(*, thing: Thing, at: datetime) -> int:
    """Pay what waits for a thing to its owner, less the fee; returns the net in micros."""
    return _waiting.release(thing=thing, at=at)


def release_owner(*, member: Member, at: datetime) -> int:
    """Release what waits for all a member owns, once they may receive; the net in micros."""
    return _waiting.release_owner(member=member, at=at)


def release_due(*, at: datetime) -> int:
    """Release and return all that waits though it no longer has to; how many things."""
    return _waiting.release_due(at=at)


def has_to_release() -> bool:
    """Whether something waits that no longer has to; reads only."""
    return _waiting.has_to_release()


def waiting_shown(thing: Thing) -> tuple[int, int | None]:
    """What anybody may read of what waits: its nods, and its micros from three givers on."""
    return _statements.waiting_shown(thing)


def take_back_waiting(*, member: Member, month: int, thing: Thing, at: datetime) -> int:
    """Return a member's own waiting share to their funds, in micros; raises NotWaiting.

    What was put off in arrears is never charged then, and 0 is returned.
    """
    if _charges.give_up(member=member, month=month, thing=thing, at=at):
        return 0
    return _waiting.take_back(member=member, month=month, thing=thing, at=at)


def take_back_all_waiting(*, member: Member, at: datetime) -> int:
    """Return all that waits of a member to their funds; micros."""
    return _waiting.take_back_all(member=member, at=at)


def pays_later(member: Member) -> int | None:
    """The month that is being settled and has not paid this member yet, or not given back."""
    return _run.pays_later(member) or _waiting.comes_back_in(member)


def refuse(*, thing: Thing, at: datetime) -> None:
    """Refuse nods for a thing for ever; what waits returns at once."""
    _waiting.refuse(thing=thing, at=at)


def preview(*, member: Member, at: datetime) -> Forecast:
    """The open month of a member as it stands: the coin and what each slice is worth."""
    return _forecast.of(member=member, month=max(months.of(at), instance.open_month()))


def forecast(*, member: Member, month: int) -> Forecast:
    """What a month that is not settled would give if it ended now and nothing else changed."""
    return _forecast.of(member=member, month=month)


def statement(*, member: Member, month: int) -> Statement:
    """What became of a member's coin in a month, share by share.

    Of a month that is not settled, what would if it ended now. Raises NoStatement for one that has
    not begun or was over before this instance began.
    """
    return _statements.statement(member=member, month=month)


def owner_statement(*, member: Member, month: int) -> OwnerStatement:
    """What a member's things received for a month, line by line."""
    return _owners.statement(member=member, month=month)


def owner_months(member: Member) -> list[tuple[int, int]]:
    """Months in which a member's things, or a team's, received: (month, net micros)."""
    return _owners.months(member)


def moves(member: Member) -> list[Move]:
    """Every move of a member's funds in the month it was for, oldest first."""
    return _funds.moves(member)


def funds_at_start(listed: list[Move], month: int) -> int:
    """Micros of funds when a month began, once all months before it are settled."""
    return _funds.at_start(listed, month)


def topped_up(listed: list[Move], month: int) -> int:
    """Micros that came from outside in a month."""
    return _funds.topped_up(listed, month)


def given(listed: list[Move]) -> int:
    """Micros that months’ ends have taken so far, waiting shares included."""
    return _funds.given(listed)


def waiting_for(thing: Thing) -> tuple[int, int]:
    """Nods and micros that wait for a thing, over all months."""
    return _statements.waiting_for(thing)


def to_archive() -> list[int]:
    """The settled months that have no archive, where the settings name a place for one."""
    return _archive.missing()


def archive(*, month: int, at: datetime, anew: bool = False) -> Archived:
    """Write a settled month to files, read them back and compute it again; raises NoArchive."""
    return _archive.write(month=month, at=at, anew=anew)


def check_archive(*, month: int) -> Archived:
    """Read the archive of a month and compute it again; raises NoArchive where it is not whole."""
    return _archive.check(month=month)


def month_totals(month: int) -> Totals:
    """What a settled month came to."""
    return _totals.totals(month)


def has_to_prove_earlier() -> bool:
    """Whether an older version settled a month and did not prove it; reads only."""
    return bool(_proof.unproved())


def prove_earlier(*, at: datetime) -> int:
    """Prove the months that an older version settled; how many. Raises NotSettled as `settle`."""
    if not _proof.unproved():
        return 0
    with _run.alone():
        return _proof.prove_earlier(at=at)


def proof(month: int) -> Proof | None:
    """What is published of a settled month; None where there is nothing."""
    return _proof.published(month)


def proofs(at_most: int) -> list[Proof]:
    """The same of the newest settled months, newest first."""
    return _proof.newest(at_most)


def proof_head(row: Proof) -> Head:
    """The facts its root is the hash of; amounts in micros, None where they are withheld."""
    return _proof.head(row)


def proof_file(row: Proof) -> dict[str, Any]:
    """What is published of a month, as a file for programs."""
    return _proof.month_file(row)


def proof_of(*, member: Member, month: int) -> dict[str, Any] | None:
    """A member's own shares of a settled month with their way to its root; None without any."""
    return _proof.member_file(member=member, month=month)


def audit() -> list[Check]:
    """Each invariant of the settled months by name."""
    return [*_audit.checks(), _proof.check()]
