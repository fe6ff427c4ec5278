"""What the clock makes due: each deed, and whether it is due.

Due is a question to the clock and the tables, never to when something ran last: so a run that was
missed is caught up with, and an instance where nothing is due writes nothing.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django_tasks import task

from mickle.claims import accounts, proofs
from mickle.claims.models import Proof
from mickle.closing import closing
from mickle.closing.models import Closing
from mickle.instance import instance, street
from mickle.instance.models import Month
from mickle.jobs import jobs
from mickle.jobs.models import Job
from mickle.ledger import ledger
from mickle.lib import money, months
from mickle.lib.errors import Refused
from mickle.nods import nods
from mickle.notices import letters, notices
from mickle.ops import looking
from mickle.payins import payins
from mickle.payins.models import Payin
from mickle.payouts import payouts
from mickle.payouts.models import Payout
from mickle.settlement import arrears, past, settlement
from mickle.settlement.models import Charge
from mickle.things import things

HOURLY = timedelta(hours=1)
# Each may take seconds, and other jobs wait meanwhile.
_LOOKS_AT_ONCE = 5

log = logging.getLogger(__name__)


def months_to_close(at: datetime) -> bool:
    """A month has ended, or a subscription has a nod to give."""
    ended = at >= months.end(instance.here().closed_through + 1)
    return ended or nods.to_renew(month=months.of(at))


def close_months(at: datetime) -> None:
    """Close the months that have ended and give the subscriptions' nods."""
    settlement.close_due(at=at)


def _next_month() -> Month | None:
    return Month.objects.filter(settled_at=None).order_by("month").first()


def months_to_settle(at: datetime) -> bool:
    """The oldest closed month's grace is over."""
    row = _next_month()
    return row is not None and at >= settlement.grace_ends(row.month)


def settle_months(at: datetime) -> None:
    """Settle, in order, the closed months whose grace is over."""
    while months_to_settle(at) and (row := _next_month()) is not None:
        settlement.settle(month=row.month, at=at, report=jobs.go_on)
        jobs.go_on()


def earlier_months_to_prove(_at: datetime) -> bool:
    """A month was settled by a version that proved nothing."""
    return settlement.has_to_prove_earlier()


def prove_earlier_months(at: datetime) -> None:
    """Prove what was settled by a version that proved nothing."""
    settlement.prove_earlier(at=at)


def something_to_release(_at: datetime) -> bool:
    """Something waits that no longer has to."""
    return settlement.has_to_release()


def release_what_may_be(at: datetime) -> None:
    """Release what still waits though its owner may receive by now."""
    settlement.release_due(at=at)


def charges_to_play(_at: datetime) -> bool:
    """A demo asks for play money after a month."""
    return instance.here().kind == "DEMO" and any(_missing(row) for row in arrears.open_charges())


def _missing(charge: Charge) -> int:
    """What a member lacks of a charge, in whole cents; micros."""
    held = ledger.balance(ledger.funds(charge.member_id))
    return max(0, charge.amount_micros - money.whole_minor(held, settings.CURRENCY_DECIMALS))


def play_charges(at: datetime) -> None:
    """Give the members of a demo the play money they were asked for."""
    for charge in arrears.open_charges().select_related("member"):
        micros, key = _missing(charge), f"charge:{charge.id}:{charge.tries}"
        try:
            if micros:
                payins.play(member=charge.member, amount_micros=micros, at=at, key=key)
        except Refused as refused:
            log.info("charge %s cannot be played: %s", charge.id, refused)


def charges_to_collect(_at: datetime) -> bool:
    """Funds hold what was asked for after a month."""
    return arrears.has_to_collect()


def collect_charges(at: datetime) -> None:
    """Pay the owners what arrived for their months."""
    arrears.collect(at=at)


def charges_to_ask_again(at: datetime) -> bool:
    """A charge was not paid in the time there was."""
    return arrears.has_to_ask_again(at)


def ask_again(at: datetime) -> None:
    """Ask once more for what was not paid, or drop it."""
    arrears.ask_again(at=at)


def _to_look_at(at: datetime) -> QuerySet[Proof]:
    waits = payouts.requested().filter(kind=Payout.Kind.REVENUE, cleared_by=None)
    asked = dict(waits.values_list("member_id", "requested_at"))

    def asked_since(when: str) -> Q:
        own = Exists(waits.filter(member=OuterRef("member"), requested_at__gt=OuterRef(when)))
        # What others have put into a team brought money as well.
        return Q(own) | proofs.asked_through_teams(asked, when)

    unseen, untried = asked_since("looked_at"), asked_since("tried_at")
    return proofs.to_look_at(at, unseen=unseen, untried=untried)


def proofs_to_look_at(at: datetime) -> bool:
    """Somebody wants a proof looked at, or one was seen too long ago."""
    return settings.FETCH and _to_look_at(at).exists()


def look_at_proofs(at: datetime) -> None:
    """Look at what shows that places are somebody's; what waits for them is released after it."""
    eyes = looking.eyes()
    for proof in _to_look_at(at)[:_LOOKS_AT_ONCE]:
        proofs.look(proof=proof, profile_of=looking.profile_of, eyes=eyes, at=at)
        jobs.go_on()


def charities_to_pay(_at: datetime) -> bool:
    """A charity with an account was given a whole cent and is not paid for the newest month."""
    month = _newest_settled()
    held = ledger.balances(ledger.Kind.CHARITY) if month is not None else {}
    decimals = settings.CURRENCY_DECIMALS
    given = [id_ for id_, micros in held.items() if money.whole_minor(micros, decimals)]
    return payouts.charities_unpaid(month=month, ids=given) if month and given else False


def _newest_settled() -> int | None:
    rows = Month.objects.filter(settled_at__isnull=False).order_by("-month")
    return rows.values_list("month", flat=True).first()


def pay_charities(at: datetime) -> None:
    """Set what charities were given on its way, once for each settled month."""
    month = _newest_settled()
    if month is not None:
        payouts.pay_charities(month=month, at=at)


def _unknown_money(at: datetime) -> list[Payin]:
    sent = Payout.objects.filter(kind=Payout.Kind.RETURN).values_list("payin_id", flat=True)
    return [payin for payin in payins.overdue(at) if payin.id not in set(sent)]


def unknown_money_to_return(at: datetime) -> bool:
    """Money that nobody claimed in 30 days came from an account it can go back to."""
    return any(payin.payer_account for payin in _unknown_money(at))


def return_unknown_money(at: datetime) -> None:
    """Send back what nobody claimed in 30 days, once; what the bank returns is an operator's."""
    for payin in _unknown_money(at):
        try:
            payouts.send_back(
                payin_id=payin.id, iban=payin.payer_account, holder_name=payin.payer_name, at=at
            )
        except Refused as refused:
            log.info("payin %s cannot go back by itself: %s", payin.id, refused)


def closings_to_finish(_at: datetime) -> bool:
    """An account that is being closed no longer waits for a month."""
    waits = Closing.objects.filter(done_at=None)
    settled = Month.objects.filter(month=OuterRef("waits_for_month"), settled_at__isnull=False)
    return waits.filter(waits_for_month=None).exists() or waits.filter(Exists(settled)).exists()


def finish_closings(at: datetime) -> None:
    """Finish the accounts that wait for their last month."""
    closing.finish_due(at=at)


def books_to_seal(_at: datetime) -> bool:
    """There is a transfer that no batch covers."""
    return not ledger.is_sealed()


def seal_books(at: datetime) -> None:
    """Chain the transfers that no batch covers yet."""
    ledger.seal(at=at)


def months_to_archive(_at: datetime) -> bool:
    """A settled month has no archive where there is a place for one."""
    return bool(settlement.to_archive())


def archive_months(at: datetime) -> None:
    """Write settled months to files."""
    for month in settlement.to_archive():
        settlement.archive(month=month, at=at)
        jobs.go_on()


def nods_to_leave(at: datetime) -> bool:
    """A month is so old that its archive alone has to have its nods."""
    return bool(past.months_to_let_go(at=at))


def let_nods_leave(at: datetime) -> None:
    """Let the nods of such months leave the table, once their archive is seen to be whole."""
    for month in past.months_to_let_go(at=at):
        past.let_go(month=month, report=jobs.go_on)
        jobs.go_on()


def send_mails(at: datetime) -> None:
    """Hand the mails that are due to the mail server, as many as a minute may see."""
    notices.send_due(at=at, go_on=jobs.go_on)


def pages_to_read(at: datetime) -> bool:
    """Somebody nodded at a page that nobody had nodded at before."""
    return settings.FETCH and things.to_read(at).exists()


def read_pages(at: datetime) -> None:
    """Read what new pages are called."""
    fetcher = street.fetcher()
    for thing in things.to_read(at)[:_LOOKS_AT_ONCE]:
        looking.read(thing, fetcher, at)
        jobs.go_on()


def makers_to_write_to(at: datetime) -> bool:
    """Something waits for a site whose maker had no letter for a year; one an hour is enough."""
    return _rested("write-to-makers", at) and letters.next_host(at) is not None


def write_to_makers(at: datetime) -> None:
    """Read what address the next such site publishes, and write there."""
    waits = letters.next_host(at)
    if waits is not None:
        address = looking.published(waits.host, street.fetcher(), at)
        letters.write(waits=waits, address=address, at=at)


def _rested(name: str, at: datetime) -> bool:
    row = Job.objects.filter(name=name).first()
    return row is None or row.done_at is None or not row.done_at <= at < row.done_at + HOURLY


def house_to_keep(at: datetime) -> bool:
    """An hour has gone since it was kept last; so an idle instance shows that a worker lives."""
    return _rested("keep-house", at)


def keep_house(at: datetime) -> None:
    """Forget what the queue has long finished, sign-ins at sites, and mails of long ago."""
    jobs.prune()
    accounts.forget_old(at=at)
    notices.forget_old(at=at, go_on=jobs.go_on)


@dataclass(frozen=True)
class Deed:
    """One deed: done first when its priority is higher, asked again no sooner than it rests."""

    name: str
    due: Callable[[datetime], bool]
    do: Callable[[datetime], object]
    priority: int
    rests: timedelta = jobs.RESTS


DEEDS = (
    Deed("close-months", months_to_close, close_months, 90),
    Deed("settle-months", months_to_settle, settle_months, 80),
    Deed("prove-months", earlier_months_to_prove, prove_earlier_months, 75),
    # Somebody watches a page for the answer.
    Deed("look-at-proofs", proofs_to_look_at, look_at_proofs, 72, timedelta(seconds=2)),
    Deed("release", something_to_release, release_what_may_be, 70),
    Deed("play-charges", charges_to_play, play_charges, 68),
    Deed("collect-charges", charges_to_collect, collect_charges, 66),
    # After what has arrived was collected.
    Deed("ask-again", charges_to_ask_again, ask_again, 64),
    Deed("pay-charities", charities_to_pay, pay_charities, 60, HOURLY),
    Deed("return-money", unknown_money_to_return, return_unknown_money, 50, HOURLY),
    # One that waits for the bank stays due until the bank has done it.
    Deed("finish-closings", closings_to_finish, finish_closings, 40, timedelta(minutes=10)),
    Deed("seal-books", books_to_seal, seal_books, 30),
    Deed("plan-mails", notices.to_plan, lambda at: notices.plan(at=at), 20),
    # How many a minute may see is counted from the rows, so this one need not rest.
    Deed("send-mails", notices.to_send, send_mails, 10, timedelta(0)),
    Deed("read-pages", pages_to_read, read_pages, 8, timedelta(seconds=2)),
    Deed("write-to-makers", makers_to_write_to, write_to_makers, 6, HOURLY),
    Deed("archive-months", months_to_archive, archive_months, 5, HOURLY),
    Deed("let-nods-leave", nods_to_leave, let_nods_leave, 4, HOURLY),
    Deed("keep-house", house_to_keep, keep_house, 0),
)
_BY_NAME = {deed.name: deed for deed in DEEDS}


@task()
def do(name: str) -> None:
    """The one task of the queue: do the deed of this name."""
    jobs.perform(name=name, deed=_BY_NAME[name].do)


def ask_for_what_is_due(at: datetime, failed: set[str]) -> int:
    """Put every deed that is due into the queue; returns how many were put there.

    Notes the names of those that could not be asked for in `failed`.
    """
    asked, troubled = 0, jobs.troubled()
    for deed in DEEDS:
        try:
            if deed.due(at):
                wanted = do.using(priority=deed.priority)
                asked += jobs.ask(name=deed.name, task=wanted, at=at, rests=deed.rests)
            elif deed.name in troubled:
                jobs.note_nothing_due(name=deed.name)
        except Exception as error:  # noqa: BLE001 - one question that fails keeps no deed from due
            log.error("%s: %s", deed.name, jobs.sentence(error))  # noqa: TRY400
            failed.add(deed.name)
    return asked
