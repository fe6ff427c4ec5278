"""Payouts and the files they go to the bank in. The tables keep the order of the states."""

import hashlib
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from mickle.lib.money import LIMIT_MICROS
from mickle.members.models import Charity


class BankAccount(models.Model):
    """Where a member's earnings go, and from which amount on."""

    member = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="bank_account"
    )
    iban = models.CharField(max_length=34)
    holder_name = models.CharField(max_length=70)
    minimum_micros = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(minimum_micros__gt=0, minimum_micros__lte=LIMIT_MICROS),
                name="bankaccount_minimum_in_range",
            )
        ]

    def __str__(self) -> str:
        return f"{self.iban[:4]}…{self.iban[-4:]}"


class PayoutFile(models.Model):
    """One file for the bank, kept as its bytes: a second download is the same file."""

    message_id = models.CharField(max_length=35, unique=True)
    xml = models.BinaryField()
    sha256 = models.CharField(max_length=64, unique=True)
    payments = models.IntegerField()
    sum_micros = models.BigIntegerField()
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(payments__gt=0, sum_micros__gt=0), name="payoutfile_not_empty"
            )
        ]

    def __str__(self) -> str:
        return self.message_id

    @property
    def content(self) -> bytes:
        """The bytes for the bank."""
        return bytes(self.xml)

    @property
    def is_whole(self) -> bool:
        """Whether the bytes are still those that were written."""
        return hashlib.sha256(self.content).hexdigest() == self.sha256


class Payout(models.Model):
    """One amount on its way out, with the facts about who gets it that the law wants kept."""

    class Kind(models.TextChoices):
        """What is paid: from REVENUE, FUNDS, CHARITY or UNASSIGNED."""

        REVENUE = "REVENUE"
        REFUND = "REFUND"
        CHARITY = "CHARITY"
        RETURN = "RETURN"

    class State(models.TextChoices):
        """REQUESTED, SENT (in a file), EXECUTED or FAILED; RETURNED after it was executed."""

        REQUESTED = "REQUESTED"
        SENT = "SENT"
        EXECUTED = "EXECUTED"
        FAILED = "FAILED"
        RETURNED = "RETURNED"

    LIVE: ClassVar[list[str]] = [State.REQUESTED, State.SENT]

    key = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=8, choices=Kind)
    state = models.CharField(max_length=9, choices=State, default=State.REQUESTED)
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="payouts"
    )
    charity = models.ForeignKey(Charity, models.PROTECT, null=True, related_name="payouts")
    # The number of a payin; the rooms do not know each other, the pot in UNASSIGNED has the same.
    payin_id = models.BigIntegerField(null=True)
    amount_micros = models.BigIntegerField()
    cost_micros = models.BigIntegerField(default=0)
    # What a refund took off the sum that counts as topped up.
    topped_up_micros = models.BigIntegerField(default=0)
    iban = models.CharField(max_length=34)
    holder_name = models.CharField(max_length=70)
    file = models.ForeignKey(PayoutFile, models.PROTECT, null=True, related_name="payouts")
    why = models.CharField(max_length=200, blank=True, default="")
    requested_at = models.DateTimeField()
    # Who let it go although what the money came from is not shown, or not shown again yet.
    cleared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="cleared_payouts"
    )
    executed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_micros__gt=F("cost_micros"), cost_micros__gte=0)
                & Q(amount_micros__lte=LIMIT_MICROS, topped_up_micros__gte=0),
                name="payout_amount_in_range",
            ),
            models.CheckConstraint(
                condition=~Q(iban="") & ~Q(holder_name=""), name="payout_says_where_to"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["REVENUE", "REFUND"], member__isnull=False)
                & Q(charity=None, payin_id=None)
                | Q(kind="CHARITY", charity__isnull=False, member=None, payin_id=None)
                | Q(kind="RETURN", payin_id__isnull=False, member=None, charity=None),
                name="payout_belongs_to_one",
            ),
            models.CheckConstraint(
                condition=Q(state="REQUESTED", file=None, executed_at=None, ended_at=None)
                | Q(state="SENT", file__isnull=False, executed_at=None, ended_at=None)
                | Q(state="EXECUTED", file__isnull=False, executed_at__isnull=False, ended_at=None)
                | Q(state="FAILED", file__isnull=False, executed_at=None, ended_at__isnull=False)
                | Q(
                    state="RETURNED",
                    file__isnull=False,
                    executed_at__isnull=False,
                    ended_at__isnull=False,
                ),
                name="payout_state_has_its_facts",
            ),
            models.UniqueConstraint(
                fields=["kind", "member"],
                condition=Q(state__in=["REQUESTED", "SENT"], member__isnull=False),
                name="payout_one_live_per_member",
            ),
            models.UniqueConstraint(
                fields=["charity"],
                condition=Q(state__in=["REQUESTED", "SENT"], charity__isnull=False),
                name="payout_one_live_per_charity",
            ),
            models.UniqueConstraint(
                fields=["payin_id"],
                condition=Q(state__in=["REQUESTED", "SENT"], payin_id__isnull=False),
                name="payout_one_live_per_payin",
            ),
        ]
        indexes = [models.Index(fields=["state"], name="payout_state")]

    def __str__(self) -> str:
        return self.end_to_end_id

    @property
    def end_to_end_id(self) -> str:
        """Our name of this payment, which the bank carries to the other end and back."""
        return f"MK-{self.requested_at:%Y%m%d}-{self.id}"

    @property
    def net_micros(self) -> int:
        """What arrives."""
        return self.amount_micros - self.cost_micros
