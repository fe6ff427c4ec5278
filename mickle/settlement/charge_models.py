"""Arrears: what a member owes for a month, what was asked for, and what each line received."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from mickle.lib.money import LIMIT_MICROS
from mickle.things.models import Thing


class Charge(models.Model):
    """What a member is asked for after a month: all that was due by then, in whole cents."""

    class State(models.TextChoices):
        ASKED = "ASKED"
        PAID = "PAID"
        DROPPED = "DROPPED"

    month = models.IntegerField()
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="charges", db_index=False
    )
    amount_micros = models.BigIntegerField()
    state = models.CharField(max_length=7, choices=State)
    # How often it was asked for, and when that is looked at again.
    tries = models.IntegerField(default=1)
    try_at = models.DateTimeField()
    asked_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "try_at"], name="charge_state_try")]
        constraints = [
            models.UniqueConstraint(fields=["member", "month"], name="charge_one_per_month"),
            models.CheckConstraint(
                condition=Q(amount_micros__gt=0, amount_micros__lte=LIMIT_MICROS),
                name="charge_amount_in_range",
            ),
            models.CheckConstraint(
                condition=Q(state="ASKED", decided_at=None)
                | Q(state__in=["PAID", "DROPPED"], decided_at__isnull=False),
                name="charge_decided_once",
            ),
            models.CheckConstraint(condition=Q(tries__gte=1), name="charge_tried"),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} for {self.month}: {self.state}"


class Due(models.Model):
    """A member's whole split of a month, or one share of it that somebody came to own later.

    `billed` is the month whose settlement found it due; without a charge it is carried on.
    """

    month = models.IntegerField()
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="dues", db_index=False
    )
    thing = models.ForeignKey(Thing, models.PROTECT, null=True, related_name="dues", db_index=False)
    # Whose the thing was when the share fell due; of a whole split the lines say it.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="owed"
    )
    amount_micros = models.BigIntegerField()
    billed = models.IntegerField()
    charge = models.ForeignKey(Charge, models.PROTECT, null=True, related_name="dues")

    class Meta:
        indexes = [models.Index(fields=["member"], condition=Q(charge=None), name="due_carried_on")]
        constraints = [
            models.UniqueConstraint(
                fields=["member", "month"], condition=Q(thing=None), name="due_one_split"
            ),
            models.UniqueConstraint(
                fields=["member", "month", "thing"],
                condition=Q(thing__isnull=False),
                name="due_one_share",
            ),
            models.CheckConstraint(
                condition=Q(amount_micros__gt=0, amount_micros__lte=LIMIT_MICROS),
                name="due_amount_in_range",
            ),
            models.CheckConstraint(
                condition=Q(thing=None, owner=None, billed=F("month"))
                | Q(thing__isnull=False, owner__isnull=False, billed__gt=F("month")),
                name="due_share_has_owner",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} for {self.month}, {self.thing_id or 'all'}"


class Received(models.Model):
    """What a thing's nods of a month have brought an owner so far: of the charges that were paid.

    Most have one owner. What was put off may find another one later: who owned the thing then and
    had nodded at it was not charged for it, and is when it is somebody else's.
    """

    pk = models.CompositePrimaryKey("month", "thing_id", "owner_id")
    month = models.IntegerField()
    thing = models.ForeignKey(Thing, models.PROTECT, related_name="received", db_index=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="received")
    nods = models.BigIntegerField()
    gross_micros = models.BigIntegerField()
    fee_micros = models.BigIntegerField()
    # As a line says it, so that both are read alike.
    state = "PAID"

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(gross_micros__gt=0, fee_micros__gte=0, nods__gt=0)
                & Q(fee_micros__lte=F("gross_micros")),
                name="received_fee_within_gross",
            )
        ]

    @property
    def net_micros(self) -> int:
        """What the owner has of it."""
        return self.gross_micros - self.fee_micros
