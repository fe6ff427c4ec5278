"""Sending what is planned: claimed before it is handed over, marked after, each at most once."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db.models import QuerySet
from django.utils import translation

from mickle.instance import instance
from mickle.notices import _facts, _post, _stop, _texts, _words
from mickle.notices._post import Later, Line, Never, Unknown, Unreachable
from mickle.notices.models import Kind, Notice, Silence

# After 5, 10, 20 ... minutes; the last of them is 21 hours after the first.
TRIES = 9
FIRST_WAIT = timedelta(minutes=5)
# Then other jobs have their turn, however many wait and however slow the server is.
AT_ONCE, LONGEST_S = 200, 20
_MINUTE = timedelta(minutes=1)
_FORGOTTEN_AT_ONCE = 500

State = Notice.State
log = logging.getLogger(__name__)


class NotSent(Exception):
    """The mail server could not be used; what waits goes on waiting."""


def waiting(at: datetime) -> QuerySet[Notice]:
    """What may be sent now, oldest month first."""
    rows = Notice.objects.filter(state=State.WAITING, try_at__lte=at)
    return rows.select_related("member").order_by("month", "id")


def allowed(at: datetime) -> int:
    """How many more may be handed over, so that no minute sees more than the setting says."""
    # What was handed over later was so before the clock was set back.
    recent = Notice.objects.filter(tried_at__gt=at - _MINUTE, tried_at__lt=at + _MINUTE).count()
    return max(0, int(settings.MAILS_A_MINUTE) - recent)


def left_over() -> QuerySet[Notice]:
    """Claimed by a worker that has ended: the caller alone sends, so nobody is at them."""
    return Notice.objects.filter(state=State.CLAIMED)


def send(at: datetime, go_on: Callable[[], None]) -> int:
    """Send what is due; `go_on` raises between two mails when the worker has to end."""
    _doubt_left_over()
    line, sent = Line(get_connection()), 0
    until = time.monotonic() + LONGEST_S
    try:
        for notice in waiting(at)[: min(allowed(at), AT_ONCE)]:
            go_on()
            sent += _one(notice, line)
            if time.monotonic() > until:
                break
    except Unreachable as why:
        count = waiting(at).count()
        raise NotSent(f"{why} Mails that wait: {count}; none is lost.") from why
    finally:
        line.close()
    return sent


def _doubt_left_over() -> None:
    count = left_over().update(
        state=State.DOUBT, ended_at=instance.now(), why="The worker ended while it was handed over."
    )
    if count:
        log.warning("mails that may have been sent or not: %s; see the page of jobs", count)


def _one(notice: Notice, line: Line) -> bool:
    """Whether the server took it now."""
    mail = _prepared(notice)
    if mail is None:
        return False
    # Before anything is claimed: a server that is away leaves every mail as it is.
    line.open()
    mine = Notice.objects.filter(id=notice.id, state=State.WAITING)
    at = instance.now()
    if not mine.update(state=State.CLAIMED, claimed_at=at, tried_at=at):
        return False
    return _handed_over(notice, line, mail)


def _prepared(notice: Notice) -> EmailMessage | None:
    """The mail; None when it is not sent now, and the row says why."""
    try:
        mail = _written(notice)
    except Never as why:
        _end(notice, State.WAITING, State.REFUSED, str(why))
    except _facts.NotYet:
        # As often as charges are asked for, and not every minute.
        again = instance.now() + timedelta(days=max(settings.CHARGE_DAYS, 1))
        _at(notice, State.WAITING).update(try_at=again)
    except Exception as error:  # noqa: BLE001 - one mail that cannot be written keeps no other back
        log.error("notice %s cannot be written: %s", notice.id, type(error).__name__)  # noqa: TRY400
        _put_off(notice, State.WAITING, f"It could not be written ({type(error).__name__}).")
    else:
        if mail is None:
            _end(notice, State.WAITING, State.MOOT)
        return mail
    return None


def _handed_over(notice: Notice, line: Line, mail: EmailMessage) -> bool:
    try:
        line.hand_over(mail)
    except Unreachable:
        _at(notice, State.CLAIMED).update(state=State.WAITING, claimed_at=None, ended_at=None)
        raise
    except Later as why:
        _put_off(notice, State.CLAIMED, str(why))
    except Never as why:
        _end(notice, State.CLAIMED, State.REFUSED, str(why))
    except Unknown as why:
        _end(notice, State.CLAIMED, State.DOUBT, str(why))
    else:
        _end(notice, State.CLAIMED, State.SENT)
        return True
    return False


def _written(notice: Notice) -> EmailMessage | None:
    """The mail in the member's language; None when there is no reason for it any more."""
    member, kind = notice.member, Kind(notice.kind)
    if member.closed_at is not None or member.closing_at is not None or not _is_known(notice):
        return None
    if not kind.asks and Silence.objects.filter(member=member, topic=kind.topic).exists():
        return None
    with translation.override(_words.language(member.language)):
        facts = _facts.of(notice, instance.now())
        if facts is None:
            return None
        # Whoever owes something is asked for it, whatever else they do without.
        stop_url = _stop.url(member, kind.topic) if not kind.asks else ""
        text = _texts.text(facts, kind=kind, month=notice.month, stop_url=stop_url)
        return _post.message(notice, text, stop_url)


def _is_known(notice: Notice) -> bool:
    """Whether nobody has yet to prove that the address is theirs."""
    email = notice.member.email
    unproved = EmailAddress.objects.filter(email__iexact=email, verified=False)
    return bool(email) and not unproved.filter(user_id=notice.member_id).exists()


def _put_off(notice: Notice, was: State, why: str) -> None:
    """Try it again later, and at last no more."""
    tries, at = notice.tries + 1, instance.now()
    if tries >= TRIES:
        _end(notice, was, State.REFUSED, f"{why} It was tried {tries} times.")
        return
    _at(notice, was).update(
        state=State.WAITING,
        claimed_at=None,
        ended_at=None,
        tries=tries,
        why=why,
        try_at=at + FIRST_WAIT * 2 ** (tries - 1),
    )


def _end(notice: Notice, was: State, state: State, why: str = "") -> None:
    _at(notice, was).update(state=state, ended_at=instance.now(), why=why)


def _at(notice: Notice, was: State) -> QuerySet[Notice]:
    """The row as it was left; what somebody doubted meanwhile is known now."""
    states = [was, State.DOUBT] if was == State.CLAIMED else [was]
    return Notice.objects.filter(id=notice.id, state__in=states)


def forget(before: datetime, go_on: Callable[[], None]) -> int:
    """Delete what ended before an instant, some at a time."""
    done = 0
    old = Notice.objects.filter(ended_at__lt=before).order_by("id").values_list("id", flat=True)
    while ids := list(old[:_FORGOTTEN_AT_ONCE]):
        done += Notice.objects.filter(id__in=ids).delete()[0]
        go_on()
    return done
