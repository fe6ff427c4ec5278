"""A nod is member x thing x month, at most once; the primary key says so."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from mickle.things.models import Thing


class Nod(models.Model):
    """A member liked a thing in a month. `void` says why it does not count, or is empty."""

    class Void(models.TextChoices):
        OWN = "OWN"
        REFUSED = "REFUSED"
        TAKEN_DOWN = "TAKEN_DOWN"
        MERGED = "MERGED"
        # In arrears: nobody may receive for it yet, so it is charged when somebody may.
        LATER = "LATER"

    pk = models.CompositePrimaryKey("month", "member_id", "thing_id")
    month = models.IntegerField()
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="nods", db_index=False
    )
    thing = models.ForeignKey(Thing, models.PROTECT, related_name="nods", db_index=False)
    at = models.DateTimeField()
    source = models.CharField(max_length=20, db_default="")
    void = models.CharField(max_length=10, db_default="", blank=True)
    key = models.CharField(max_length=64, db_default="", blank=True)
    # What a button saw of the click, see `evidence.py`; 0 for a nod that came another way.
    evidence = models.IntegerField(db_default=0)
    # How many parts of the month's spend it takes; clicks always give 1.
    weight = models.SmallIntegerField(db_default=1)

    class Meta:
        indexes = [
            # A range of the members of a line is one stretch of it: without them SQLite reads every
            # nod of those members, at whatever page.
            models.Index(fields=["thing", "month", "member"], name="nod_of_thing"),
            # What is trending is read from the newest nods.
            models.Index(fields=["-at"], name="nod_newest"),
            models.Index(
                fields=["thing", "month"], condition=Q(void="LATER"), name="nod_charged_later"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["member", "key"], condition=~Q(key=""), name="nod_one_per_key"
            ),
            models.CheckConstraint(
                condition=Q(void__in=["", "OWN", "REFUSED", "TAKEN_DOWN", "MERGED", "LATER"]),
                name="nod_void_known",
            ),
            models.CheckConstraint(
                condition=Q(weight__gte=1, weight__lte=100), name="nod_weight_in_range"
            ),
        ]


class Past(models.Model):
    """How many nods of a member's month have left this table; the archive of the month has them."""

    pk = models.CompositePrimaryKey("month", "member_id")
    month = models.IntegerField()
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="past_nods", db_index=False
    )
    nods = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["member"], name="past_member")]
        constraints = [models.CheckConstraint(condition=Q(nods__gt=0), name="past_has_nods")]


class PastCount(models.Model):
    """How many of a thing's count are of nods that have left."""

    thing = models.OneToOneField(Thing, models.CASCADE, primary_key=True, related_name="past_count")
    total = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(total__gt=0), name="past_count_above_zero")
        ]


class Count(models.Model):
    """All nods ever at a thing by members who had topped up by then; the number on the button."""

    thing = models.OneToOneField(Thing, models.CASCADE, primary_key=True, related_name="count")
    total = models.BigIntegerField(db_default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(total__gte=0), name="count_not_below_zero")
        ]


class Subscription(models.Model):
    """A nod repeated each month, through `last_month` or until stopped."""

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="subscriptions"
    )
    thing = models.ForeignKey(Thing, models.CASCADE, related_name="subscriptions")
    first_month = models.IntegerField()
    last_month = models.IntegerField(null=True)
    # What was renewed once is not renewed again: a nod taken back stays taken back.
    renewed_through = models.IntegerField(db_default=0)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["member", "thing"],
                condition=Q(ended_at=None),
                name="subscription_one_running",
            ),
            models.CheckConstraint(
                condition=Q(last_month=None) | Q(last_month__gte=F("first_month")),
                name="subscription_months_in_order",
            ),
        ]
