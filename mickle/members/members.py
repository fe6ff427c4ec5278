"""The door of the room: joining, budgets, privacy, charities, invitations."""

import base64
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, validate_email
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.lib import money, months
from mickle.lib.errors import Refused
from mickle.members import _many, _texts
from mickle.members._many import NewMember
from mickle.members.models import (
    EMAIL_CHARACTERS,
    Budget,
    Charity,
    Invite,
    Member,
    WaitingPerson,
)

__all__ = ["NewMember"]

# No hash ever equals this, so nobody can sign in with a password.
UNUSABLE = "!"


class BadBudget(Refused):
    """A budget outside the limits of this instance."""


class BadCharity(Refused):
    """A charity that is not listed here."""


class Taken(Refused):
    """Somebody else has this e-mail address or name."""


class BadEmail(Refused):
    """The text is no e-mail address."""


class LastOperator(Refused):
    """Nobody else could run the instance."""


class Leaving(Refused):
    """The account is being closed, or is."""


class NotInvited(Refused):
    """The invitation is unknown or used up."""


@dataclass(frozen=True)
class Plan:
    """What a member gives in a month; the charity is None where none is listed."""

    budget_micros: int
    paused: bool
    charity: Charity | None


def join(
    *,
    email: str,
    at: datetime,
    username: str = "",
    name: str = "",
    password: str | None = None,
    is_operator: bool = False,
) -> Member:
    """Make a member with the default budget. Raises BadEmail or Taken."""
    address = check_email(email)
    member = Member(
        email=address,
        username=username or new_username(),
        name=_texts.line(name),
        is_operator=is_operator,
        joined_at=at,
    )
    member.set_password(password)
    try:
        with transaction.atomic():
            member.save(force_insert=True)
    except IntegrityError as error:
        raise Taken(_("Somebody has this e-mail address or name already.")) from error
    return member


def make_team(*, name: str, at: datetime) -> Member:
    """The party that several members own things as; nobody signs in as it."""
    return Member.objects.create(
        username="t-" + base64.b32encode(secrets.token_bytes(5)).decode("ascii").lower(),
        name=name,
        password=UNUSABLE,
        is_team=True,
        joined_at=at,
    )


def join_many(rows: Iterable[NewMember], *, budget_month: int) -> list[int]:
    """Make many described members, their budgets from a month on; their ids in order of the rows.

    Raises BadBudget, or Taken when a name or an address is somebody's already.
    """
    default = settings.BUDGET_DEFAULT_MICROS
    try:
        with transaction.atomic():
            instance.hold_fence()
            month = max(budget_month, instance.here().closed_through + 1)
            return _many.insert(_checked(rows), budget_month=month, default_micros=default)
    except IntegrityError as error:
        raise Taken(_("Somebody has this e-mail address or name already.")) from error


def _checked(rows: Iterable[NewMember]) -> Iterable[NewMember]:
    for row in rows:
        if row.budget_micros is not None:
            check_budget(row.budget_micros)
        yield row


def check_email(email: str) -> str:
    """The address in the form it is kept in; raises BadEmail."""
    address = email.strip().lower()
    try:
        validate_email(address)
        # The validator takes more than mail does (RFC 5321) and than there is place for.
        MaxLengthValidator(EMAIL_CHARACTERS)(address)
    except ValidationError as error:
        raise BadEmail(
            _("“%(text)s” is not an e-mail address. It looks like name@example.org.")
            % {"text": email}
        ) from error
    return address


def new_username() -> str:
    """A public name that says nothing about the person."""
    return "m-" + base64.b32encode(secrets.token_bytes(5)).decode("ascii").lower()


def _row(member: Member, month: int) -> Budget | None:
    return (
        Budget.objects.filter(member=member, month__lte=month)
        .select_related("charity")
        .order_by("-month")
        .first()
    )


def default_charity() -> Charity | None:
    """The charity of those who chose none, or whose choice is no longer listed."""
    return Charity.objects.filter(is_default=True, listed=True).first()


def plan(member: Member, month: int) -> Plan:
    """What counts for a month: the newest budget row of it or of a month before."""
    row = _row(member, month)
    if row is None:
        return Plan(settings.BUDGET_DEFAULT_MICROS, paused=False, charity=default_charity())
    chosen = row.charity if row.charity is not None and row.charity.listed else default_charity()
    return Plan(row.amount_micros, row.paused, chosen)


def check_budget(amount_micros: int) -> None:
    """Raise BadBudget unless the amount is a budget of this instance."""
    low, high = settings.BUDGET_MIN_MICROS, settings.BUDGET_MAX_MICROS
    if not low <= amount_micros <= high:
        raise BadBudget(
            _("A coin is %(low)s to %(high)s %(currency)s a month. Nothing was changed.")
            % {
                "low": money.typed(low, settings.CURRENCY_DECIMALS),
                "high": money.typed(high, settings.CURRENCY_DECIMALS),
                "currency": settings.CURRENCY,
            }
        )
    if money.whole_minor(amount_micros, settings.CURRENCY_DECIMALS) != amount_micros:
        raise BadBudget(_("A budget is in whole cents. Nothing was changed."))


def set_budget(
    *,
    member: Member,
    at: datetime,
    amount_micros: int | None = None,
    paused: bool | None = None,
    charity: Charity | None = None,
    month: int | None = None,
) -> Plan:
    """Change what a member gives, from the open month on; closed months keep theirs.

    `month` lets a described world set the budget of an earlier month that is still open.
    """
    if amount_micros is not None:
        check_budget(amount_micros)
    if charity is not None and not charity.listed:
        raise BadCharity(_("This charity is not listed here. Choose one of the list."))
    with transaction.atomic():
        instance.hold_fence()
        fence = instance.here().closed_through
        counts_from = max(months.of(at) if month is None else month, fence + 1)
        Member.objects.select_for_update().get(id=member.id)
        before = _row(member, counts_from)
        values = {
            "amount_micros": before.amount_micros if before else settings.BUDGET_DEFAULT_MICROS,
            "paused": before.paused if before else False,
            "charity": before.charity if before else None,
        }
        given = {"amount_micros": amount_micros, "paused": paused, "charity": charity}
        values |= {name: value for name, value in given.items() if value is not None}
        Budget.objects.update_or_create(member=member, month=counts_from, defaults=values)
    return plan(member, counts_from)


def set_privacy(*, member: Member, public_nods: bool) -> None:
    """Show or hide what the member nods at."""
    Member.objects.filter(id=member.id).update(public_nods=public_nods)


def describe(*, member: Member, **fields: str) -> None:
    """Change what others may read about the member: name, about, city, country, url, language."""
    allowed = {"name", "about", "city", "country", "url", "language"}
    if not set(fields) <= allowed:
        raise ValueError(f"{sorted(set(fields) - allowed)} cannot be described")
    kept = {
        field: _texts.plain(text) if field == "about" else _texts.line(text)
        for field, text in fields.items()
    }
    Member.objects.filter(id=member.id).update(**kept)


def note_top_up(*, member: Member, amount_micros: int, month: int) -> bool:
    """Keep the sum topped up (a refund is negative); True when this was the first top-up."""
    Member.objects.filter(id=member.id).update(
        topped_up_micros=F("topped_up_micros") + amount_micros
    )
    if amount_micros <= 0:
        return False
    first = Member.objects.filter(id=member.id, funded_month=None).update(funded_month=month)
    return bool(first)


def note_top_ups(rows: Sequence[tuple[int, int, int]]) -> None:
    """Note many top-ups at once, each as (member id, micros, month)."""
    _many.note_top_ups(rows)


def receivers() -> QuerySet[Member]:
    """The members who may receive for what they own (rule 10), not suspended and not closed."""
    rows = Member.objects.filter(suspended_at=None, closed_at=None, closing_at=None, is_team=False)
    if settings.RECEIVE_POLICY == "funded":
        rows = rows.filter(topped_up_micros__gte=settings.RECEIVE_MIN_MICROS)
    return rows


def may_receive(member: Member) -> bool:
    """Whether shares for this member's things are paid, rather than wait."""
    return receivers().filter(id=member.id).exists()


def suspend(*, member: Member, at: datetime | None) -> None:
    """Suspend a member, or with None let them go on; what they own waits meanwhile."""
    with transaction.atomic():
        instance.hold_owners()
        Member.objects.filter(id=member.id).update(suspended_at=at)


def set_operator(*, member: Member, is_operator: bool) -> None:
    """Let a member run the instance, or no longer. Raises LastOperator, or Leaving."""
    with transaction.atomic():
        # Two operators who each end the other's turn would leave nobody: they wait for each other.
        list(Member.objects.select_for_update(no_key=True).filter(is_operator=True).order_by("id"))
        if not is_operator:
            check_not_last_operator(member)
        staying = Member.objects.filter(id=member.id, closing_at=None, closed_at=None)
        if not staying.update(is_operator=is_operator):
            raise Leaving(_("This account is being closed. Nothing was changed."))


def check_not_last_operator(member: Member) -> None:
    """Raise LastOperator when this member alone runs the instance."""
    staying = Member.objects.filter(is_operator=True, closing_at=None, closed_at=None)
    if list(staying.values_list("id", flat=True)[:2]) == [member.id]:
        raise LastOperator(
            _("Nobody else runs this instance. Make somebody operator first. Nothing was changed.")
        )


def note_closing(*, member: Member, at: datetime) -> bool:
    """Mark that the account is being closed; False if it was marked before."""
    rows = Member.objects.filter(id=member.id, closing_at=None, closed_at=None)
    with transaction.atomic():
        instance.hold_owners()
        return bool(rows.update(closing_at=at))


def is_of_the_closed(username: str) -> bool:
    """Whether a name is one that `erase` leaves, and so nobody else's to have."""
    return re.fullmatch(r"closed-[0-9]+", username, re.IGNORECASE) is not None


def erase(*, member: Member, at: datetime) -> None:
    """Forget the person; what stays is a number nobody can map."""
    # They may have waited for a place once.
    WaitingPerson.objects.filter(email=member.email).delete()
    Member.objects.filter(id=member.id).update(
        username=f"closed-{member.id}",
        email="",
        name="",
        about="",
        city="",
        country="",
        url="",
        language="",
        password=UNUSABLE,
        last_login=None,
        is_operator=False,
        public_nods=False,
        closed_at=at,
    )


def list_charity(
    *, slug: str, name: str, url: str = "", iban: str = "", is_default: bool = False
) -> Charity:
    """Put an organisation on the list, or change what is said of it; the first is the default."""
    with transaction.atomic():
        first = not Charity.objects.filter(is_default=True).exclude(slug=slug).exists()
        if is_default:
            Charity.objects.filter(is_default=True).exclude(slug=slug).update(is_default=False)
        values = {"name": name, "url": url, "iban": iban, "listed": True}
        row, _made = Charity.objects.update_or_create(
            slug=slug, defaults=values | {"is_default": is_default or first}
        )
    return row


def unlist_charity(*, charity: Charity) -> None:
    """Take an organisation off the list; its members fall to the default. Pay it out first."""
    with transaction.atomic():
        Charity.objects.filter(id=charity.id).update(listed=False, is_default=False)
        if not Charity.objects.filter(is_default=True).exists():
            other = Charity.objects.filter(listed=True).order_by("id").first()
            if other is not None:
                Charity.objects.filter(id=other.id).update(is_default=True)


def invite(*, at: datetime, uses: int = 1) -> Invite:
    """Make an invitation code for a number of sign-ups."""
    return Invite.objects.create(code=secrets.token_urlsafe(9), uses_left=uses, made_at=at)


def use_invite(code: str) -> None:
    """Use an invitation once; raises NotInvited when it is unknown or used up."""
    used = Invite.objects.filter(code=code.strip(), uses_left__gt=0).update(
        uses_left=F("uses_left") - 1
    )
    if not used:
        raise NotInvited(
            _("This invitation is unknown or used up. Ask for a new one, or join the waiting list.")
        )


def wait_for_invite(*, email: str, at: datetime) -> None:
    """Put an address on the waiting list; asking twice is asking once."""
    WaitingPerson.objects.get_or_create(email=check_email(email), defaults={"asked_at": at})


def invite_waiting(*, person: WaitingPerson, at: datetime) -> Invite | None:
    """An invitation for somebody on the waiting list; None when they have had theirs."""
    with transaction.atomic():
        rows = WaitingPerson.objects.filter(id=person.id, invited_at=None)
        return invite(at=at) if rows.update(invited_at=at) else None


def find(name: str) -> Member | None:
    """The member with this username or e-mail address, whatever the case."""
    if not name:
        # Many have no address, and none of them is meant.
        return None
    rows = Member.objects.filter(is_team=False)
    return rows.filter(Q(username__iexact=name) | Q(email__iexact=name)).first()
