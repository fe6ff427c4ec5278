"""Accounts, transfers and sealed batches. The tables refuse what the books may not hold."""

from typing import NamedTuple

from django.db import models
from django.db.models import F, Q

from mickle.lib.money import LIMIT_MICROS


class Kind(models.TextChoices):
    """What a pot is for; docs/reference/books.md says who holds each."""

    FUNDS = "FUNDS"
    WAITING = "WAITING"
    REVENUE = "REVENUE"
    POOL = "POOL"
    FEE = "FEE"
    CHARITY = "CHARITY"
    PAYOUT = "PAYOUT"
    UNASSIGNED = "UNASSIGNED"
    COST = "COST"
    LOSS = "LOSS"
    PROVIDER = "PROVIDER"


# The instance's own costs and the outside world; no client's pot is among them.
MAY_GO_BELOW_ZERO = (Kind.COST, Kind.LOSS, Kind.PROVIDER)


class Pot(NamedTuple):
    """Names an account: its kind, and the id of the member, month or organisation it is of."""

    kind: str
    holder_id: int = 0


class Account(models.Model):
    """A pot with its balance, which always equals the sum of its transfers."""

    kind = models.CharField(max_length=10, choices=Kind)
    holder_id = models.BigIntegerField(default=0)
    balance_micros = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "holder_id"], name="account_one_per_holder"),
            models.CheckConstraint(
                condition=Q(balance_micros__gte=0) | Q(kind__in=MAY_GO_BELOW_ZERO),
                name="account_not_below_zero",
            ),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="account_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.holder_id}"


class Transfer(models.Model):
    """One amount moved from the debit to the credit account; never changed, never deleted."""

    key = models.CharField(max_length=120, unique=True)
    debit = models.ForeignKey(Account, models.PROTECT, related_name="debits")
    credit = models.ForeignKey(Account, models.PROTECT, related_name="credits")
    amount_micros = models.BigIntegerField()
    reason = models.CharField(max_length=20)
    month = models.IntegerField(null=True)
    reverses = models.OneToOneField("self", models.PROTECT, null=True, related_name="reversed_by")
    memo = models.CharField(max_length=200, default="", db_default="", blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_micros__gt=0, amount_micros__lte=LIMIT_MICROS),
                name="transfer_amount_in_range",
            ),
            models.CheckConstraint(
                condition=~Q(debit=F("credit")), name="transfer_between_two_accounts"
            ),
            models.CheckConstraint(condition=~Q(key=""), name="transfer_has_key"),
        ]
        indexes = [models.Index(fields=["at"], name="transfer_at")]

    def __str__(self) -> str:
        return self.key


class Batch(models.Model):
    """A sealed run of transfers; its hash covers them and the batch before."""

    first_transfer = models.BigIntegerField(unique=True)
    last_transfer = models.BigIntegerField(unique=True)
    transfers = models.IntegerField()
    previous_hash = models.CharField(max_length=64, unique=True)
    hash = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(last_transfer__gte=F("first_transfer"), transfers__gt=0),
                name="batch_not_empty",
            )
        ]

    def __str__(self) -> str:
        return f"{self.first_transfer} to {self.last_transfer}"
