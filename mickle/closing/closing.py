"""The door of the room: ask to leave, and finish what had to wait."""

from datetime import datetime
from typing import Literal

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils.translation import gettext as _

from mickle.claims import claims
from mickle.closing.models import Closing
from mickle.instance import instance
from mickle.instance.instance import State
from mickle.ledger import ledger
from mickle.lib import money, months
from mickle.lib.errors import Refused
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.providers import sepa
from mickle.settlement import settlement
from mickle.things import things
from mickle.things.models import Thing

OpenNods = Literal["settle", "take_back"]


class NoAccount(Refused):
    """There is money to send, and nobody said where to."""


def close(
    *, member: Member, at: datetime, open_nods: OpenNods, iban: str = "", holder_name: str = ""
) -> Closing:
    """Close an account: at once, or when the last nods have settled; asking twice is asking once.

    Raises NoAccount, members.LastOperator, sepa.BadIban or sepa.BadName; then the account stays as
    it was.
    """
    with transaction.atomic():
        instance.hold_fence()
        Member.objects.select_for_update(no_key=True).get(id=member.id)
        asked = Closing.objects.filter(member=member).first()
        if asked is None:
            asked = _ask(member, at, open_nods, _destination(member, iban, holder_name))
        _finish(asked, at)
    asked.refresh_from_db()
    return asked


def finish_due(*, at: datetime) -> int:
    """Finish the closings that had to wait and no longer have to; returns how many."""
    done = 0
    for asked in Closing.objects.filter(done_at=None).order_by("asked_at", "member_id"):
        with transaction.atomic():
            done += _finish(asked, at)
    return done


def _destination(member: Member, iban: str, holder_name: str) -> sepa.Account | None:
    """Where what is left goes: what was just said, else the account the member is known by."""
    if iban.strip():
        return sepa.Account(sepa.holder(holder_name), sepa.iban(iban))
    known = payouts.account(member)
    if known is not None:
        return sepa.Account(known.holder_name, known.iban)
    found = payins.origin(member)
    pots = (ledger.funds(member.id), ledger.waiting(member.id), ledger.revenue(member.id))
    left = money.whole_minor(sum(ledger.balance(pot) for pot in pots), settings.CURRENCY_DECIMALS)
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
    open_month = max(months.of(at), instance.here().closed_through + 1)
    if open_nods == "take_back":
        for nod in nods.of_month(member, open_month):
            nods.take_back(member=member, thing=nod.thing, at=at, month=open_month)
    claims.forget(member=member)
    members.note_closing(member=member, at=at)
    return Closing.objects.create(
        member=member,
        asked_at=at,
        waits_for_month=_last_unsettled(member, open_month),
        iban=destination.iban if destination is not None else "",
        holder_name=destination.name if destination is not None else "",
    )


def _last_unsettled(member: Member, open_month: int) -> int | None:
    """The newest month with a nod of the member that is not settled; months settle in order."""
    for month in range(open_month, instance.here().first_month - 1, -1):
        if instance.state(month) is State.SETTLED:
            return None
        if nods.of_month(member, month).exists():
            return month
    return None


def _finish(asked: Closing, at: datetime) -> bool:
    """Pay out and forget, all in the caller's transaction; False while something has to wait."""
    row = Closing.objects.select_for_update(no_key=True).get(member_id=asked.member_id)
    if row.done_at is not None or not _is_settled(row.waits_for_month):
        return False
    member = Member.objects.get(id=row.member_id)
    try:
        with transaction.atomic():
            _pay_all(member, row, at)
    except payouts.AlreadyOnItsWay:
        # One payment of a kind at a time: the rest goes when the bank has done the one before.
        return False
    _forget(member, at)
    row.done_at, row.iban, row.holder_name = at, "", ""
    row.save(update_fields=["done_at", "iban", "holder_name"])
    return True


def _is_settled(month: int | None) -> bool:
    return month is None or instance.state(month) is State.SETTLED


def _pay_all(member: Member, row: Closing, at: datetime) -> None:
    settlement.take_back_all_waiting(member=member, at=at)
    given = sepa.Account(row.holder_name, row.iban)
    if payouts.refundable(member, at):
        # Funds go to where they came from, whatever account the earnings go to.
        to = payins.origin(member) or given
        payouts.refund(member=member, iban=to.iban, holder_name=to.name, at=at, key="closing")
    payouts.pay_rest(member=member, to=given, at=at, key="closing")
    _give_rest(member, at)


def _give_rest(member: Member, at: datetime) -> None:
    """What is less than the bank can send goes to the member's charity."""
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
    for thing in Thing.objects.filter(owner=member).order_by("id"):
        things.set_owner(thing=thing, owner=None, at=at)
    payouts.forget_account(member=member)
    EmailAddress.objects.filter(user_id=member.id).delete()
    for session in Session.objects.iterator():
        if session.get_decoded().get(SESSION_KEY) == str(member.id):
            session.delete()
    members.erase(member=member, at=at)
