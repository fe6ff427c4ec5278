"""The door of the room: plan and send mails about months and teams; let members do without."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from mickle.lib.errors import Refused
from mickle.members.models import Member
from mickle.notices import _plan, _send, _stop, _teams
from mickle.notices._send import NotSent
from mickle.notices._stop import BadLink
from mickle.notices.models import Notice, Silence, Topic

__all__ = ["BadLink", "NotSent"]


# A year, and then some for whoever looks back at it.
KEPT = timedelta(days=400)


class NotOpen(Refused):
    """This mail is not one that an operator can send again."""


def to_plan(at: datetime) -> bool:
    """Whether mails are due that have not been planned; reads only."""
    return any(True for _due in _plan.due(at)) or _teams.due(at).exists()


def plan(*, at: datetime) -> int:
    """Write a row for each mail that is due by now, each once; how many are new."""
    of_months = sum(_plan.plan(month, kind, at) for month, kind in list(_plan.due(at)))
    return of_months + _teams.plan(at)


def to_send(at: datetime) -> bool:
    """Whether a mail may be handed over now, or one was left half handed over; reads only."""
    if _send.left_over().exists():
        return True
    return _send.waiting(at).exists() and _send.allowed(at) > 0


def send_due(*, at: datetime, go_on: Callable[[], None]) -> int:
    """Hand over what is due, each mail at most once; how many the server took.

    One sends at a time: the caller sees to it. `go_on` is called between two mails and raises when
    the caller has to end. Raises NotSent when the mail server cannot be used; all of it waits then.
    """
    return _send.send(at, go_on)


def unresolved() -> QuerySet[Notice]:
    """Mails that were refused, or of which nobody knows whether they were sent; newest first."""
    rows = Notice.objects.filter(state__in=[Notice.State.DOUBT, Notice.State.REFUSED])
    return rows.select_related("member").order_by("-ended_at", "-id")


def counts() -> dict[str, int]:
    """How many mails are in each state."""
    rows = Notice.objects.values_list("state").annotate(n=Count("id")).order_by("state")
    return dict.fromkeys(Notice.State.values, 0) | dict(rows)


def send_again(*, notice: Notice, at: datetime) -> None:
    """Let a mail that was refused or is in doubt be sent once more; raises NotOpen."""
    rows = Notice.objects.filter(id=notice.id, state__in=[Notice.State.DOUBT, Notice.State.REFUSED])
    again = {"state": Notice.State.WAITING, "claimed_at": None, "ended_at": None}
    if not rows.update(**again, tries=0, try_at=at, why=""):
        raise NotOpen(_("This mail waits already or was sent. Nothing was changed."))


def forget_old(*, at: datetime, go_on: Callable[[], None]) -> int:
    """Forget the mails that ended more than 400 days ago; how many. None is planned anew for it."""
    return _send.forget(at - KEPT, go_on)


def wants(member: Member) -> dict[Topic, bool]:
    """Which mails a member gets."""
    silent = set(Silence.objects.filter(member=member).values_list("topic", flat=True))
    return {topic: topic.value not in silent for topic in Topic}


def silence(*, member: Member, topic: Topic, at: datetime) -> None:
    """Send a member no more mails on a topic; asking twice is asking once."""
    Silence.objects.bulk_create([Silence(member=member, topic=topic, at=at)], ignore_conflicts=True)


def hear(*, member: Member, topic: Topic) -> None:
    """Send them again."""
    Silence.objects.filter(member=member, topic=topic).delete()


def stop_token(*, member: Member, topic: Topic) -> str:
    """What the address in a mail carries to end such mails."""
    return _stop.token(member, topic)


def read_stop(text: str) -> tuple[Member, Topic]:
    """Whose mails an address ends, and which; raises BadLink."""
    return _stop.read(text)
