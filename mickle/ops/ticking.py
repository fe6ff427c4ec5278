"""What the clock makes due, done once a minute beside the serving of pages."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from mickle.closing import closing
from mickle.instance import instance
from mickle.instance.models import Month
from mickle.ledger import ledger
from mickle.lib import months
from mickle.lib.errors import Refused
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.payouts.models import Payout
from mickle.settlement import settlement

EVERY_S = 60

log = logging.getLogger(__name__)


def close_months(at: datetime) -> None:
    """Close the months that have ended and give the subscriptions' nods."""
    settlement.close_due(at=at)


def settle_months(at: datetime) -> None:
    """Settle, in order, the closed months whose grace is over."""
    grace = timedelta(hours=settings.GRACE_HOURS)
    for row in Month.objects.filter(settled_at=None).order_by("month"):
        # After a standstill the grace runs from the close: what arrived meanwhile is still booked.
        if at < max(months.end(row.month), row.closed_at) + grace:
            return
        settlement.settle(month=row.month, at=at)


def prove_earlier_months(at: datetime) -> None:
    """Prove what was settled by a version that proved nothing."""
    settlement.prove_earlier(at=at)


def seal_books(at: datetime) -> None:
    """Chain the transfers that no batch covers yet."""
    ledger.seal(at=at)


def release_what_may_be(at: datetime) -> None:
    """Release what still waits though its owner may receive by now."""
    settlement.release_due(at=at)


def pay_charities(at: datetime) -> None:
    """Set what charities were given on its way, once for each settled month."""
    newest = Month.objects.filter(settled_at__isnull=False).order_by("-month").first()
    if newest is not None:
        payouts.pay_charities(month=newest.month, at=at)


def return_unknown_money(at: datetime) -> None:
    """Send back what nobody claimed in 30 days, once; what the bank returns is an operator's."""
    for payin in payins.overdue(at):
        if Payout.objects.filter(kind=Payout.Kind.RETURN, payin_id=payin.id).exists():
            continue
        try:
            payouts.send_back(
                payin_id=payin.id, iban=payin.payer_account, holder_name=payin.payer_name, at=at
            )
        except Refused as refused:
            log.info("payin %s cannot go back by itself: %s", payin.id, refused)


def finish_closings(at: datetime) -> None:
    """Finish the accounts that wait for their last month."""
    closing.finish_due(at=at)


DUE: tuple[Callable[[datetime], None], ...] = (
    close_months,
    settle_months,
    prove_earlier_months,
    release_what_may_be,
    pay_charities,
    return_unknown_money,
    finish_closings,
    seal_books,
)


def tick() -> None:
    """Do everything that is due; what fails is logged in a line and tried again next time."""
    for deed in DUE:
        try:
            deed(instance.now())
        except Refused as refused:
            log.info("%s: %s", deed.__name__, refused)
        except Exception as error:  # noqa: BLE001 - the process serves on, whatever happened here
            log.error("%s failed: %s: %s", deed.__name__, type(error).__name__, error)  # noqa: TRY400


class Ticker(threading.Thread):
    """Ticks at once and then every minute, until it is stopped."""

    def __init__(self) -> None:
        super().__init__(name="ticker", daemon=True)
        self._stopped = threading.Event()

    def run(self) -> None:
        """Tick; no connection is kept from one minute to the next."""
        while True:
            tick()
            connection.close()
            if self._stopped.wait(EVERY_S):
                return

    def stop(self) -> None:
        """Let a tick that runs finish, and no other begin."""
        self._stopped.set()
        self.join()
