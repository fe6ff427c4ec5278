"""The one row about the instance, its months and its fee rates."""

from django.db import models
from django.db.models import F, Q

from mickle.lib import months


class Instance(models.Model):
    """The single row (id 1): kind, clock and fence; months up to `closed_through` are final."""

    class Kind(models.TextChoices):
        REAL = "REAL"
        TEST = "TEST"
        DEMO = "DEMO"

    id = models.SmallIntegerField(primary_key=True, default=1)
    kind = models.CharField(max_length=4, choices=Kind, default=Kind.REAL)
    clock_offset_s = models.BigIntegerField(default=0)
    first_month = models.IntegerField()
    closed_through = models.IntegerField()
    made_at = models.DateTimeField()
    setup_hash = models.CharField(max_length=64, default="", blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="instance_is_one"),
            models.CheckConstraint(
                condition=Q(kind__in=["REAL", "TEST", "DEMO"]), name="instance_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(clock_offset_s=0) | Q(clock_offset_s__gt=0, kind__in=["TEST", "DEMO"]),
                name="instance_real_clock_is_real",
            ),
            models.CheckConstraint(
                condition=Q(closed_through__gte=F("first_month") - 1), name="instance_fence_forward"
            ),
        ]

    @property
    def is_real(self) -> bool:
        """Whether real money and the real clock rule here."""
        return self.kind == self.Kind.REAL


class Month(models.Model):
    """A month that has closed. Its fee rate is final with the row."""

    month = models.IntegerField(primary_key=True)
    fee_basis_points = models.IntegerField()
    closed_at = models.DateTimeField()
    frozen_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(fee_basis_points__gte=0, fee_basis_points__lte=10_000),
                name="month_fee_is_a_part",
            ),
            models.CheckConstraint(
                condition=Q(settled_at=None) | Q(frozen_at__isnull=False),
                name="month_settled_after_frozen",
            ),
        ]

    def __str__(self) -> str:
        return months.text(self.month)


class FeeRate(models.Model):
    """The fee from a month on, announced two months before."""

    from_month = models.IntegerField(primary_key=True)
    basis_points = models.IntegerField()
    announced_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(basis_points__gte=0, basis_points__lte=10_000),
                name="feerate_is_a_part",
            )
        ]
