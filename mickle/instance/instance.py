"""The door of the room: the instance's clock, its months and the fence between them."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from mickle.instance.models import FeeRate, Instance, Month
from mickle.lib import months
from mickle.lib.errors import Refused
from mickle.lib.money import BASIS

# An advisory lock on PostgreSQL: writers of a month hold it shared, closing takes it alone.
# A row lock would let newcomers overtake the closer (measured: seconds instead of milliseconds).
FENCE_LOCK = 7
# Who owns what, who may receive and what was refused stand still while a month is settled: deeds
# that change them hold this lock shared, a settlement takes it alone, each before any row lock.
OWNERS_LOCK = 10
LAST_YEAR = 2999
# Asked in almost every deed, so it is not put together anew.
_HERE = "SELECT * FROM instance_instance WHERE id = 1"
# What the month closed with, else what was announced.
_RATE = """
SELECT basis_points FROM (
  SELECT fee_basis_points AS basis_points, 1 AS closed, month AS from_month
  FROM instance_month WHERE month = %(month)s
  UNION ALL
  SELECT basis_points, 0, from_month FROM instance_feerate WHERE from_month <= %(month)s
) q ORDER BY closed DESC, from_month DESC LIMIT 1
"""


class ClockRefused(Refused):
    """The clock of a real instance is the real one, and no clock goes back."""


class KindRefused(Refused):
    """An instance that has become something cannot become something else."""


class NotYet(Refused):
    """The month has not ended, or an earlier one is still open."""


class FeeRefused(Refused):
    """A new fee starts with a month and is announced two months before."""


class State(StrEnum):
    """Where a month stands. BEFORE: it ended before this instance began."""

    BEFORE = "before"
    OPEN = "open"
    CLOSED = "closed"
    FROZEN = "frozen"
    SETTLED = "settled"
    FUTURE = "future"


def here() -> Instance:
    """The one row of this instance; made on the first call."""
    for found in Instance.objects.raw(_HERE):
        return found
    at = datetime.now(UTC)
    month = months.of(at)
    row = Instance(id=1, first_month=month, closed_through=month - 1, made_at=at)
    Instance.objects.bulk_create([row], ignore_conflicts=True)
    # The setting is the fee to begin with; from here on a new one has to be announced.
    rate = FeeRate(from_month=0, basis_points=settings.FEE_BASIS_POINTS, announced_at=at)
    FeeRate.objects.bulk_create([rate], ignore_conflicts=True)
    return Instance.objects.get(id=1)


def now() -> datetime:
    """The instant on this instance's clock: the database server's, moved by a demo's offset."""
    instance = here()
    return _database_now() + timedelta(seconds=instance.clock_offset_s)


def _database_now() -> datetime:
    if connection.vendor != "postgresql":
        return datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found: datetime = cursor.fetchone()[0]
    return found.astimezone(UTC)


def open_month() -> int:
    """The month a nod given now belongs to."""
    instance = here()
    at = _database_now() + timedelta(seconds=instance.clock_offset_s)
    return max(months.of(at), instance.closed_through + 1)


def state(month: int) -> State:
    """Where a month stands on this instance's clock."""
    instance = here()
    row = Month.objects.filter(month=month).first()
    if row is not None:
        if row.settled_at is not None:
            return State.SETTLED
        return State.FROZEN if row.frozen_at is not None else State.CLOSED
    if month < instance.first_month:
        return State.BEFORE
    at = _database_now() + timedelta(seconds=instance.clock_offset_s)
    current = max(months.of(at), instance.closed_through + 1)
    return State.FUTURE if month > current else State.OPEN


def hold_fence() -> None:
    """Keep every month as open or closed as it is until the caller's transaction ends.

    On SQLite the writer's own lock does this already.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("the fence is held inside a transaction")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [FENCE_LOCK])


def hold_owners() -> None:
    """Wait for a settlement that runs, and let none begin until the caller's transaction ends.

    Called before anything else in a transaction that changes who may receive.
    """
    _lock_owners("pg_advisory_xact_lock_shared")


def take_owners() -> None:
    """Let owners, receivers and refusals stand as they are until the transaction ends."""
    _lock_owners("pg_advisory_xact_lock")


def _lock_owners(function: str) -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("owners are held inside a transaction")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s)", [OWNERS_LOCK])


def take_fence() -> None:
    """Wait until no writer holds the fence and keep it alone until the transaction ends.

    Whoever closes takes it before anything that holds it shared: two that hold it shared and both
    want it alone would wait for each other for ever.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("the fence is taken inside a transaction")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [FENCE_LOCK])


def close(*, month: int, at: datetime) -> Month:
    """Close a month: nods, budgets and fee rate of it are final. Months close in order, once."""
    with transaction.atomic():
        take_fence()
        if at < months.end(month):
            raise NotYet(
                _("%(month)s has not ended; it does on %(end)s, 00:00 UTC. Nothing was closed.")
                % {"month": months.text(month), "end": f"{months.end(month):%Y-%m-%d}"}
            )
        moved = Instance.objects.filter(id=1, closed_through=month - 1).update(closed_through=month)
        if not moved:
            raise NotYet(
                _("Months close in order, each once; %(month)s is not the next one.")
                % {"month": months.text(month)}
            )
        return Month.objects.create(
            month=month, fee_basis_points=fee_basis_points(month), closed_at=at
        )


def note_frozen(*, month: int, at: datetime) -> bool:
    """Mark a closed month as frozen; False if it was frozen before."""
    return bool(Month.objects.filter(month=month, frozen_at=None).update(frozen_at=at))


def note_settled(*, month: int, at: datetime) -> bool:
    """Mark a frozen month as settled; False if it was settled before."""
    rows = Month.objects.filter(month=month, settled_at=None, frozen_at__isnull=False)
    return bool(rows.update(settled_at=at))


def fee_basis_points(month: int) -> int:
    """Hundredths of a percent: what the month closed with, else the announced rate."""
    with connection.cursor() as cursor:
        cursor.execute(_RATE, {"month": month})
        found = cursor.fetchone()
    return int(settings.FEE_BASIS_POINTS if found is None else found[0])


def announce_fee(*, from_month: int, basis_points: int, at: datetime) -> FeeRate:
    """Announce the fee from a month on; refused unless two whole months lie between."""
    earliest = months.of(at) + 3
    if from_month < earliest or not 0 <= basis_points <= BASIS:
        raise FeeRefused(
            _("A new fee is announced two months before: from %(month)s on. Nothing was changed.")
            % {"month": months.text(earliest)}
        )
    if not FeeRate.objects.exists():
        # What held until now goes on holding if the setting is changed later.
        FeeRate.objects.create(
            from_month=0, basis_points=settings.FEE_BASIS_POINTS, announced_at=at
        )
    rate, _made = FeeRate.objects.update_or_create(
        from_month=from_month, defaults={"basis_points": basis_points, "announced_at": at}
    )
    return rate


def begin(*, month: int) -> None:
    """Let the books of an instance that never closed a month begin with an earlier month."""
    here()
    if Month.objects.exists():
        raise NotYet(_("This instance has closed a month, so its first one is final."))
    Instance.objects.filter(
        id=1, first_month__gt=month, closed_through=F("first_month") - 1
    ).update(first_month=month, closed_through=month - 1)


def become(kind: Instance.Kind) -> None:
    """Make a real instance a test or demo instance, for good. The caller knows that it is empty."""
    if here().kind == kind:
        return
    if not Instance.objects.filter(id=1, kind=Instance.Kind.REAL).update(kind=kind):
        raise KindRefused(_("This instance is a demo or test instance already, and stays one."))


def move_clock(*, to: datetime) -> datetime:
    """Move the clock of a test or demo instance forward; returns the new now."""
    instance = here()
    if instance.is_real:
        raise ClockRefused(_("Only the clock of a demo or test instance can be moved."))
    by = to - now()
    if by <= timedelta(0):
        raise ClockRefused(_("A clock only goes forward. Choose a later day."))
    if to.year > LAST_YEAR:
        raise ClockRefused(_("That is too far away. Choose a day before the year 3000."))
    seconds = -(-by // timedelta(seconds=1))
    Instance.objects.filter(id=1).update(clock_offset_s=F("clock_offset_s") + seconds)
    return now()


def new_setup_token() -> str:
    """A fresh one-time token for the first operator; only its hash is kept."""
    here()
    token = secrets.token_urlsafe(32)
    Instance.objects.filter(id=1).update(setup_hash=hashlib.sha256(token.encode()).hexdigest())
    return token


def knows_setup_token(token: str) -> bool:
    """Whether the token is the one that waits to be used."""
    digest = hashlib.sha256(token.encode()).hexdigest()
    return bool(token) and Instance.objects.filter(id=1, setup_hash=digest).exists()


def use_setup_token(token: str) -> bool:
    """Use the one-time token; True for exactly one caller."""
    digest = hashlib.sha256(token.encode()).hexdigest()
    return bool(
        Instance.objects.filter(id=1, setup_hash=digest)
        .exclude(setup_hash="")
        .update(setup_hash="")
    )
