"""What the members of a team have of its lines."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from mickle.things.models import Thing


class Part(models.Model):
    """One member's part of one line of a team: its weight, fixed with the line's owner.

    What came of it follows as the line is paid: in arrears with each of its charges.
    """

    pk = models.CompositePrimaryKey("month", "thing_id", "owner_id", "member_id")
    month = models.IntegerField()
    thing = models.ForeignKey(Thing, models.PROTECT, related_name="parts", db_index=False)
    # The team, as the line names it.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False
    )
    member = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="parts")
    weight = models.BigIntegerField()
    net_micros = models.BigIntegerField(default=0, db_default=0)
    fee_micros = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(weight__gt=0, net_micros__gte=0, fee_micros__gte=0),
                name="part_not_below_zero",
            )
        ]

    @property
    def gross_micros(self) -> int:
        """What was given of it."""
        return self.net_micros + self.fee_micros
