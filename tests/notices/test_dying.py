"""Die between all SQL statements of planning and sending, before and after every commit."""

from collections import Counter

import pytest
from django.core import mail

from mickle.instance import instance
from mickle.members import members
from mickle.nods import nods
from mickle.notices import notices
from mickle.notices.models import Notice
from tests.crash.dying import Kept, dying
from tests.notices.mailing import THREE_DAYS_BEFORE
from tests.people import MID_NOVEMBER, instance_at, member, thing

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    # A dead process closes no cursor.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def world() -> list[str]:
    """Two without funds and one without a nod."""
    instance_at()
    members.list_charity(slug="library", name="Library")
    for name in ("alice", "bob"):
        nods.give(member=member(name), thing=thing(name), at=MID_NOVEMBER)
    member("idle", funds="9.00")
    return ["alice@example.org", "bob@example.org", "idle@example.org"]


def mail_what_is_due() -> None:
    notices.plan(at=THREE_DAYS_BEFORE)
    notices.send_due(at=THREE_DAYS_BEFORE, go_on=lambda: None)


def test_no_death_sends_a_mail_twice_or_loses_one(monkeypatch):
    monkeypatch.setattr(instance, "now", lambda: THREE_DAYS_BEFORE)
    kept = Kept(world)
    died = 0
    try:
        while True:
            people = kept.again()
            mail.outbox.clear()
            with dying(died + 1) as boundaries:
                mail_what_is_due()
            if boundaries.where:
                mail_what_is_due()
            reached = Counter(one.to[0] for one in mail.outbox)
            counts = notices.counts()
            told = f"died {boundaries.where} (boundary {died + 1})"
            assert set(reached.values()) == {1}, told
            assert counts["SENT"] + counts["DOUBT"] == len(people), told
            # One at most is in doubt, and whoever got none is.
            doubted = {row.member.email for row in Notice.objects.filter(state="DOUBT")}
            assert len(doubted) <= 1, told
            assert set(people) - set(reached) <= doubted, told
            if not boundaries.where:
                break
            died += 1
    finally:
        kept.forget()
    assert died > 50
