"""What arrived from outside, with the facts about the payer that the law wants kept."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from mickle.lib.money import LIMIT_MICROS


class Payin(models.Model):
    """One amount that arrived. `why` is empty once it is in a member's funds."""

    class Why(models.TextChoices):
        """Why a payin stands in UNASSIGNED."""

        UNKNOWN = "UNKNOWN"
        CLOSED = "CLOSED"
        LIMIT = "LIMIT"

    key = models.CharField(max_length=100, unique=True)
    provider = models.CharField(max_length=20)
    amount_micros = models.BigIntegerField()
    reference = models.CharField(max_length=140, blank=True, default="")
    payer_name = models.CharField(max_length=140, blank=True, default="")
    payer_account = models.CharField(max_length=34, blank=True, default="")
    received_date = models.DateField()
    bank_text = models.CharField(max_length=500, blank=True, default="")
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="payins"
    )
    why = models.CharField(max_length=8, choices=Why, blank=True, default="")
    booked_at = models.DateTimeField()
    # True on the row that the call itself has written, False on one that was there before.
    booked_now = False

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_micros__gt=0, amount_micros__lte=LIMIT_MICROS),
                name="payin_amount_in_range",
            ),
            models.CheckConstraint(
                condition=Q(why="", member__isnull=False)
                | Q(why="UNKNOWN", member__isnull=True)
                | Q(why__in=["CLOSED", "LIMIT"], member__isnull=False),
                name="payin_credited_iff_member",
            ),
            models.CheckConstraint(condition=~Q(key=""), name="payin_has_key"),
        ]
        indexes = [models.Index(fields=["booked_at"], name="payin_booked_at")]

    def __str__(self) -> str:
        return self.key
