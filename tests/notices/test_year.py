"""A year on a moved clock: each mail once, whatever was missed and whoever works."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from django.core import mail

from mickle.instance import instance
from mickle.instance.models import Month
from mickle.ledger import ledger
from mickle.lib import months
from mickle.members import members
from mickle.nods import nods
from mickle.notices.models import Notice
from tests import working
from tests.concurrency.together import together
from tests.people import NOVEMBER, creator, instance_at, member, thing
from tests.working import work

DAY = timedelta(days=1)
# Of a month, from its end: nothing, the reminders, the close, nothing, the settlement, nothing.
MOMENTS = (-9 * DAY, -3 * DAY, 0 * DAY, DAY, 3 * DAY, 4 * DAY)


@pytest.fixture
def clock(settings, monkeypatch) -> list[datetime]:
    """A creator, a giver, one whose funds end, one who is idle, one who never had funds."""
    settings.MAILS_A_MINUTE = 10_000
    instance_at()
    members.list_charity(slug="library", name="Library")
    at = [months.start(NOVEMBER)]
    working.prepare(monkeypatch)
    monkeypatch.setattr(instance, "now", lambda: at[0])
    bob = creator("bob")
    page = thing("page", bob)
    for name, funds in (("giver", "100.00"), ("ends", "12.00"), ("never", "0")):
        who = member(name, funds=funds)
        nods.subscribe(member=who, thing=page, at=at[0], runs_months=None)
        nods.give(member=who, thing=page, at=at[0])
    member("idle", funds="23.00")
    return at


def told() -> dict[str, int]:
    return dict(Counter(one.to[0].partition("@")[0] for one in mail.outbox))


A_YEAR = {
    # Each month a statement.
    "giver": 12,
    # 5, 5, 2, then nothing: three statements; ten months in which funds fall short, told twice.
    "ends": 3 + 10 * 2,
    "never": 12 * 2,
    # 5, 5, 5, 5, 3: five months told twice, and a statement of each.
    "idle": 5 * 3,
    # As an owner.
    "bob": 12,
}


@pytest.mark.django_db
def test_in_a_year_each_mail_comes_once(clock):
    for month in range(NOVEMBER, NOVEMBER + 12):
        for after in MOMENTS:
            clock[0] = months.end(month) + after
            work()
    assert Month.objects.filter(settled_at__isnull=False).count() == 12
    assert told() == A_YEAR
    once = Counter((one.to[0], one.extra_headers["Message-ID"]) for one in mail.outbox)
    assert set(once.values()) == {1}
    assert set(Notice.objects.values_list("state", flat=True)) == {"SENT"}
    assert all(check.ok for check in ledger.audit())


@pytest.mark.django_db
def test_three_missed_months_are_told_in_order(clock):
    """Nobody worked from November on; on 5 February all of it is caught up with."""
    clock[0] = months.start(NOVEMBER + 3) + 4 * DAY
    work()
    assert {row.kind for row in Notice.objects.all()} == {"CLOSE"}
    of_never = [one.subject for one in mail.outbox if one.to[0].startswith("never@")]
    names = ["November 2026", "December 2026", "January 2027"]
    assert of_never == [f"1 nod of {name} pays nothing yet" for name in names]
    mail.outbox.clear()
    clock[0] += 3 * DAY
    work()
    of_giver = [one.subject for one in mail.outbox if one.to[0].startswith("giver@")]
    assert of_giver == [f"Your statement of {name}" for name in names]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_do_each_deed_once(clock):
    for month in range(NOVEMBER, NOVEMBER + 3):
        for after in MOMENTS:
            clock[0] = months.end(month) + after
            assert together(2, lambda _client: work()) == [None, None]
    assert Month.objects.filter(settled_at__isnull=False).count() == 3
    once = Counter((one.to[0], one.extra_headers["Message-ID"]) for one in mail.outbox)
    assert set(once.values()) == {1}
    assert set(Notice.objects.values_list("state", flat=True)) == {"SENT"}
    assert len(mail.outbox) == Notice.objects.count()
    assert all(check.ok for check in ledger.audit())
