"""Accounts that are being closed or were."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class Closing(models.Model):
    """Asked, then done. `waits_for_month` is the last month whose nods have to settle before."""

    member = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, primary_key=True, related_name="closing"
    )
    asked_at = models.DateTimeField()
    waits_for_month = models.IntegerField(null=True)
    # Where what is left goes; forgotten when it is done.
    iban = models.CharField(max_length=34, blank=True, default="")
    holder_name = models.CharField(max_length=70, blank=True, default="")
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at=None) | Q(iban="", holder_name=""),
                name="closing_done_forgets_account",
            )
        ]

    def __str__(self) -> str:
        return f"{self.member_id}"
