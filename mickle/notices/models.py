"""Mails about months and teams: which were planned, what became of each, who wants none."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class Topic(models.TextChoices):
    """What a member can do without."""

    REMINDERS = "REMINDERS"
    STATEMENTS = "STATEMENTS"
    TEAMS = "TEAMS"


class Kind(models.TextChoices):
    """One kind of mail, those about a month in the order in which they come."""

    # With the policy `keep`: before an idle month gives.
    IDLE_30 = "IDLE_30"
    IDLE_7 = "IDLE_7"
    REMINDER = "REMINDER"
    CLOSE = "CLOSE"
    STATEMENT = "STATEMENT"
    # In arrears: what a member owes for the month, and twice again where it is not paid.
    CHARGE = "CHARGE"
    CHARGE_2 = "CHARGE_2"
    CHARGE_3 = "CHARGE_3"
    # A member is asked for a yes to the parts of a team.
    TEAM = "TEAM"

    @property
    def topic(self) -> Topic:
        """What has to be silenced to be without it."""
        return _TOPICS.get(self.value, Topic.REMINDERS)

    @property
    def asks(self) -> int:
        """The how many-th time it asks for money; 0 for a mail that does not."""
        return {Kind.CHARGE: 1, Kind.CHARGE_2: 2, Kind.CHARGE_3: 3}.get(self, 0)


_TOPICS = {"STATEMENT": Topic.STATEMENTS, "TEAM": Topic.TEAMS}


class Round(models.Model):
    """All mails of a kind about a month have been planned."""

    pk = models.CompositePrimaryKey("month", "kind")
    month = models.IntegerField()
    kind = models.CharField(max_length=9, choices=Kind)
    planned_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="round_kind_known")
        ]


class Notice(models.Model):
    """One mail to one member; the text is made when it is sent, from the books as they stand.

    CLAIMED is written before the mail server is given it and SENT after, so a worker that dies in
    between leaves CLAIMED, which becomes DOUBT. MOOT: there was no longer a reason to send it.
    """

    class State(models.TextChoices):
        WAITING = "WAITING"
        CLAIMED = "CLAIMED"
        SENT = "SENT"
        DOUBT = "DOUBT"
        REFUSED = "REFUSED"
        MOOT = "MOOT"

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="notices", db_index=False
    )
    month = models.IntegerField()
    kind = models.CharField(max_length=9, choices=Kind)
    # The newest question it tells of (an Answer of teams); 0 for a mail about a month.
    about = models.BigIntegerField(default=0, db_default=0)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    made_at = models.DateTimeField()
    # Not before this instant; later after a failure that may pass.
    try_at = models.DateTimeField()
    tries = models.IntegerField(default=0)
    claimed_at = models.DateTimeField(null=True)
    # When it was last handed over, whatever the mail server made of it: a minute's limit counts it.
    tried_at = models.DateTimeField(null=True, db_index=True)
    ended_at = models.DateTimeField(null=True)
    # The mail server's code or the kind of failure; never its words, never an address.
    why = models.CharField(max_length=200, default="", blank=True)

    class Meta:
        indexes = [models.Index(fields=["state", "try_at"], name="notice_state_try")]
        constraints = [
            models.UniqueConstraint(
                fields=["member", "month", "kind", "about"], name="notice_one_per_month_and_kind"
            ),
            models.CheckConstraint(
                condition=Q(kind="TEAM", about__gt=0) | (~Q(kind="TEAM") & Q(about=0)),
                name="notice_tells_what_was_asked",
            ),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="notice_kind_known"),
            models.CheckConstraint(
                condition=Q(state="WAITING", claimed_at=None, ended_at=None)
                | Q(state="CLAIMED", claimed_at__isnull=False, ended_at=None)
                | Q(state__in=["SENT", "DOUBT"], claimed_at__isnull=False, ended_at__isnull=False)
                | Q(state__in=["REFUSED", "MOOT"], ended_at__isnull=False),
                name="notice_state_has_its_facts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} {self.month} {self.kind}: {self.state}"


class Silence(models.Model):
    """A member wants no mails on a topic."""

    pk = models.CompositePrimaryKey("member_id", "topic")
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="silences", db_index=False
    )
    topic = models.CharField(max_length=10, choices=Topic)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(topic__in=Topic.values), name="silence_topic_known")
        ]


class Letter(models.Model):
    """One letter a year to who has a host for which something waits, and asked for none.

    Written before the mail server is given it, and never given again: better none than two. `mark`
    is a digest of the address, which is kept nowhere. NONE: the site publishes no address.
    """

    class State(models.TextChoices):
        NONE = "NONE"
        CLAIMED = "CLAIMED"
        SENT = "SENT"
        DOUBT = "DOUBT"
        REFUSED = "REFUSED"

    host = models.CharField(max_length=260)
    year = models.IntegerField()
    mark = models.CharField(max_length=64, null=True)  # noqa: DJ001 - no two are alike, many none
    state = models.CharField(max_length=7, choices=State)
    told_at = models.DateTimeField()
    # Whoever has the address wants no letter any more, for whatever host.
    stopped_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["host", "year"], name="letter_one_per_host"),
            models.UniqueConstraint(fields=["mark", "year"], name="letter_one_per_address"),
            models.CheckConstraint(
                condition=Q(state="NONE", mark=None, stopped_at=None)
                | Q(state__in=["CLAIMED", "SENT", "DOUBT", "REFUSED"], mark__isnull=False),
                name="letter_state_has_its_facts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.host} {self.year}: {self.state}"
