"""The door of the room: ask to leave, finish what had to wait, send again what came back."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils.translation import gettext as _

from mickle.claims import accounts, claims, proofs
from mickle.closing.models import Closing
from mickle.instance import instance
from mickle.instance.instance import State
from mickle.ledger import ledger
from mickle.ledger.ledger import Check, Kind
from mickle.lib import money, months
from mickle.lib.errors import Refused
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.passes import passes
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.payouts.models import Payout
from mickle.programs import programs
from mickle.providers import sepa
from mickle.settlement import arrears, settlement
from mickle.teams import teams
from mickle.things import things
from mickle.things.models import Thing

OpenNods = Literal["settle", "take_back"]

# Few enough to name in one query on every database.
_BATCH = 1_000

log = logging.getLogger(__name__)


class NoAccount(Refused):
    """There is money to send, and nobody said where to."""


class NotClosed(Refused):
    """The account is not closed, so its money is its member's to send."""


class _NotAll(Exception):
    """Money came while an account was emptied; it is not closed before all is gone."""


@dataclass(frozen=True)
class Stranded:
    """Money that came back from the bank after its member had left; all of it in micros."""

    member: Member
    funds_micros: int
    revenue_micros: int

    @property
    def sum_micros(self) -> int:
        """Both pots."""
        return self.funds_micros + self.revenue_micros


def close(
    *, member: Member, at: datetime, open_nods: OpenNods, iban: str = "", holder_name: str = ""
) -> Closing:
    """Close an account: at once, or when the last nods have settled; asking twice is asking once.

    Raises NoAccount, members.LastOperator, sepa.BadIban or sepa.BadName; then the account stays as
    it was.
    """
    with transaction.atomic():
        _hold(member.id)
        asked = Closing.objects.filter(member=member).first()
        if asked is None:
            asked = _ask(member, at, open_nods, _destination(member, iban, holder_name))
        elif asked.done_at is None and not asked.iban and iban.strip():
            # Nothing was left to send at first, and then the bank sent something back.
            asked.iban, asked.holder_name = sepa.iban(iban), sepa.holder(holder_name)
            asked.save(update_fields=["iban", "holder_name"])
        _finish(asked, at)
    asked.refresh_from_db()
    return asked


def finish_due(*, at: datetime) -> int:
    """Finish the closings that had to wait and no longer have to; returns how many."""
    done = 0
    for asked in Closing.objects.filter(done_at=None).order_by("asked_at", "member_id"):
        try:
            with transaction.atomic():
                done += _finish(asked, at)
        except Refused as refused:
            # One account that cannot be paid keeps nobody else from leaving.
            log.warning("closing of member %s: %s", asked.member_id, refused)
    return done


def stranded() -> list[Stranded]:
    """The closed accounts with a whole cent that the bank sent back, lowest number first."""
    rows = Closing.objects.exclude(done_at=None).order_by("member_id")
    closed = list(rows.values_list("member_id", flat=True))
    found = []
    for first in range(0, len(closed), _BATCH):
        some = closed[first : first + _BATCH]
        funds, revenue = (ledger.balances(kind, some) for kind in (Kind.FUNDS, Kind.REVENUE))
        held = [id_ for id_ in some if _whole(funds.get(id_, 0)) or _whole(revenue.get(id_, 0))]
        found += [
            Stranded(row, funds.get(row.id, 0), revenue.get(row.id, 0))
            for row in Member.objects.filter(id__in=held).order_by("id")
        ]
    return found


def send_again(*, member: Member, iban: str, holder_name: str, at: datetime) -> list[Payout]:
    """Pay what came back to a closed account out again; [] when it is on its way or gone already.

    Raises NotClosed, payouts.AlreadyOnItsWay, sepa.BadIban or sepa.BadName; nothing is paid then.
    """
    to = sepa.Account(sepa.holder(holder_name), sepa.iban(iban))
    with transaction.atomic():
        _hold(member.id)
        if not Closing.objects.filter(member=member).exclude(done_at=None).exists():
            raise NotClosed(_("This account is not closed. Nothing was changed."))
        paid = (
            payouts.refund_rest(member=member, to=to, at=at),
            payouts.pay_rest(member=member, to=to, at=at),
        )
    return [row for row in paid if row is not None]


def audit() -> list[Check]:
    """What has to be true of closed accounts, by name."""
    wrong = ", ".join(f"member {one.member.id}" for one in stranded()[:5])
    count = Closing.objects.exclude(done_at=None).count()
    return [Check("Closed accounts hold less than a cent", count, not wrong, wrong)]


def _hold(member_id: int) -> Member:
    """Lock in the order that everyone keeps who takes several: owners, the fence, the member."""
    instance.hold_owners()
    instance.hold_fence()
    return Member.objects.select_for_update(no_key=True).get(id=member_id)


def _whole(micros: int) -> int:
    return money.whole_minor(micros, settings.CURRENCY_DECIMALS)


def _destination(member: Member, iban: str, holder_name: str) -> sepa.Account | None:
    """Where what is left goes: what was just said, else the account the member is known by."""
    if iban.strip():
        return sepa.Account(sepa.holder(holder_name), sepa.iban(iban))
    known = payouts.account(member)
    if known is not None:
        return sepa.Account(known.holder_name, known.iban)
    found = payins.origin(member)
    pots = (ledger.funds(member.id), ledger.waiting(member.id), ledger.revenue(member.id))
    left = _whole(sum(ledger.balance(pot) for pot in pots))
    # What is on its way may come back.
    if found is None and (left or payouts.live(member).exists()):
        raise NoAccount(_("Say to which account we send what is left. Nothing was changed."))
    return found


def _ask(
    member: Member, at: datetime, open_nods: OpenNods, destination: sepa.Account | None
) -> Closing:
    members.check_not_last_operator(member)
    for subscription in nods.subscriptions(member):
        nods.unsubscribe(member=member, thing=subscription.thing, at=at)
    if open_nods == "take_back":
        nods.take_back_all(member=member, month=_open_month(at))
    claims.forget(member=member)
    passes.revoke_all(member=member)
    programs.revoke_all(member=member)
    members.note_closing(member=member, at=at)
    return Closing.objects.create(
        member=member,
        asked_at=at,
        waits_for_month=_last_unsettled(member, at),
        iban=destination.iban if destination is not None else "",
        holder_name=destination.name if destination is not None else "",
    )


def _open_month(at: datetime) -> int:
    return max(months.of(at), instance.here().closed_through + 1)


def _last_unsettled(member: Member, at: datetime) -> int | None:
    """The newest unsettled month that takes from the member or pays them; they settle in order."""
    paid = settlement.pays_later(member)
    for month in range(_open_month(at), instance.here().first_month - 1, -1):
        if instance.state(month) is State.SETTLED:
            return None
        if month == paid or nods.of_month(member, month).exists():
            return month
    return None


def _finish(asked: Closing, at: datetime) -> bool:
    """Pay out and forget, all in the caller's transaction; False while something has to wait."""
    member = _hold(asked.member_id)
    row = Closing.objects.select_for_update(no_key=True).get(member=member)
    if row.done_at is not None:
        return False
    # A nod that was on its way as the account was asked to close settles as well.
    row.waits_for_month = _last_unsettled(member, at)
    if row.waits_for_month is not None:
        row.save(update_fields=["waits_for_month"])
        return False
    if arrears.is_owed(member) or arrears.can_pay(member):
        # In arrears what was asked for is collected first, from the member and for them.
        row.save(update_fields=["waits_for_month"])
        return False
    try:
        with transaction.atomic():
            _pay_all(member, row, at)
    except payouts.AlreadyOnItsWay:
        # One payment of a kind at a time: the rest goes when the bank has done the one before.
        return False
    except _NotAll as left:
        log.warning("closing of member %s: %s", member.id, left)
        return False
    _forget(member, at)
    row.done_at, row.iban, row.holder_name = at, "", ""
    row.save(update_fields=["done_at", "waits_for_month", "iban", "holder_name"])
    return True


def _pay_all(member: Member, row: Closing, at: datetime) -> None:
    settlement.take_back_all_waiting(member=member, at=at)
    arrears.forgive(member=member, at=at)
    given = sepa.Account(row.holder_name, row.iban)
    # Funds go to where they came from, whatever account the earnings go to.
    payouts.refund_rest(member=member, to=payins.origin(member) or given, at=at)
    payouts.pay_rest(member=member, to=given, at=at)
    _give_rest(member, at)


def _give_rest(member: Member, at: datetime) -> None:
    """What is less than the bank can send goes to the member's charity."""
    # A release goes on, or earnings are moved, while this account is emptied.
    if ledger.balance(ledger.waiting(member.id)):
        raise _NotAll("something waits again; it is tried once more")
    for pot in (ledger.funds(member.id), ledger.revenue(member.id)):
        if _whole(ledger.balance(pot)):
            raise _NotAll("something came meanwhile that the bank can send; it is tried once more")
    charity = members.plan(member, months.of(at)).charity
    if charity is None:
        return
    for name, pot in (("funds", ledger.funds(member.id)), ("revenue", ledger.revenue(member.id))):
        left = ledger.balance(pot)
        if left:
            ledger.post(
                key=f"closing:{member.id}:{name}",
                debit=pot,
                credit=ledger.charity(charity.id),
                amount_micros=left,
                reason="CLOSING",
                at=at,
            )


def _forget(member: Member, at: datetime) -> None:
    proofs.forget(member=member, at=at)
    accounts.forget(member=member)
    teams.forget(member=member, at=at)
    for thing in Thing.objects.filter(owner=member).order_by("id"):
        things.set_owner(thing=thing, owner=None, at=at)
    payouts.forget_account(member=member)
    EmailAddress.objects.filter(user_id=member.id).delete()
    for session in Session.objects.iterator():
        if session.get_decoded().get(SESSION_KEY) == str(member.id):
            session.delete()
    members.erase(member=member, at=at)
