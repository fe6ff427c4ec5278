"""Moments of a November, and doing what is due for mails at them."""

from datetime import datetime, timedelta

from django.core import mail
from django.core.mail import EmailMessage

from mickle.instance import instance
from mickle.lib import months
from mickle.members.models import Member
from mickle.notices import notices
from mickle.notices.models import Notice
from mickle.settlement import settlement
from tests.people import NOVEMBER

THREE_DAYS_BEFORE = months.end(NOVEMBER) - timedelta(days=3)
AT_THE_CLOSE = months.end(NOVEMBER)
AFTER_THE_GRACE = AT_THE_CLOSE + timedelta(hours=72)


class Clock:
    """The instance's clock, standing still until it is moved."""

    def __init__(self, monkeypatch) -> None:
        self.at = months.start(NOVEMBER)
        monkeypatch.setattr(instance, "now", lambda: self.at)

    def mail(self, at: datetime | None = None) -> list[EmailMessage]:
        """Plan and send what is due at an instant; what was sent just now."""
        self.at = at or self.at
        before = len(mail.outbox)
        notices.plan(at=self.at)
        notices.send_due(at=self.at, go_on=lambda: None)
        return mail.outbox[before:]

    def close(self, at: datetime = AT_THE_CLOSE) -> list[EmailMessage]:
        self.at = at
        settlement.close_due(at=at)
        return self.mail()

    def settle(self, at: datetime = AFTER_THE_GRACE, month: int = NOVEMBER) -> list[EmailMessage]:
        self.at = at
        settlement.settle(month=month, at=at)
        return self.mail()


def state(who: Member, kind: str, month: int = NOVEMBER) -> str:
    """The state of a member's mail; empty when there is no row."""
    rows = Notice.objects.filter(member=who, kind=kind, month=month)
    return rows.values_list("state", flat=True).first() or ""


def to(sent: list[EmailMessage]) -> list[str]:
    """The names of those who got one, in order."""
    return sorted(one.to[0].partition("@")[0] for one in sent)
