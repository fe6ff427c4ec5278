"""Claims: who says that a thing is theirs, and what was decided."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from mickle.things.models import Thing

NOTE_CHARACTERS = 1_000


class Claim(models.Model):
    """A member's word that a thing is theirs; `note` says how the operator can see it."""

    class State(models.TextChoices):
        OPEN = "OPEN"
        GRANTED = "GRANTED"
        REFUSED = "REFUSED"

    thing = models.ForeignKey(Thing, models.PROTECT, related_name="claims")
    member = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="claims")
    state = models.CharField(max_length=7, choices=State, default=State.OPEN)
    note = models.CharField(max_length=NOTE_CHARACTERS, blank=True, default="")
    made_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="decided_claims",
    )

    class Meta:
        indexes = [
            models.Index(fields=["made_at"], condition=Q(state="OPEN"), name="claim_open_by_age")
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["thing", "member"], condition=Q(state="OPEN"), name="claim_one_open"
            ),
            models.CheckConstraint(
                condition=Q(state="OPEN", decided_at=None, decided_by=None)
                | Q(
                    state__in=["GRANTED", "REFUSED"],
                    decided_at__isnull=False,
                    decided_by__isnull=False,
                ),
                name="claim_decided_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"claim {self.pk}: {self.state}"
