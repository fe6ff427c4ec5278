"""What a month's settlement decided: each spend, how it was cut, and the line of each thing.

A share is never a row: it follows from the split and the nod, as `share.sql` says for all and
`Split.share_micros` for one. Only shares that went back before the rest have a row.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from mickle.instance.models import Month
from mickle.lib.money import LIMIT_MICROS
from mickle.members.models import Charity
from mickle.settlement.charge_models import Charge, Due, Received
from mickle.settlement.team_models import Part
from mickle.things.models import Thing

__all__ = [
    "Archive",
    "Charge",
    "Due",
    "IdleRun",
    "Line",
    "Owned",
    "Part",
    "Proof",
    "ProofBlock",
    "Received",
    "ReturnedShare",
    "Run",
    "Spend",
    "Split",
]


class Run(models.Model):
    """How far the settlement of a month has come; what stopped goes on from there."""

    class Stage(models.TextChoices):
        EXPIRE = "EXPIRE"
        FREEZE = "FREEZE"
        COMPUTE = "COMPUTE"
        POST = "POST"
        DONE = "DONE"

    month = models.IntegerField(primary_key=True)
    stage = models.CharField(max_length=8, choices=Stage, default=Stage.EXPIRE)
    began_at = models.DateTimeField()
    # Charged afterwards; what the instance's settings said as the run began.
    arrears = models.BooleanField(default=False, db_default=False)
    # The engine that computed the result, and what it came to: see `_engine.py`.
    engine = models.CharField(max_length=80, default="", blank=True)
    result_sha256 = models.CharField(max_length=64, default="", blank=True)
    # What the month was settled with; a proof that was changed or is gone is seen by it.
    proof_root = models.CharField(max_length=64, default="", db_default="", blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(stage__in=["EXPIRE", "FREEZE", "COMPUTE", "POST", "DONE"]),
                name="run_stage_known",
            ),
            models.CheckConstraint(
                condition=Q(stage__in=["EXPIRE", "FREEZE", "COMPUTE"]) | ~Q(result_sha256=""),
                name="run_posts_a_known_result",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month}: {self.stage}"


class Owned(models.Model):
    """Who owned a thing when a month was frozen, and whether they could receive then."""

    pk = models.CompositePrimaryKey("month", "thing_id")
    month = models.IntegerField()
    thing = models.ForeignKey(Thing, models.PROTECT, related_name="+", db_index=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="owned_then")
    receives = models.BooleanField()


class Spend(models.Model):
    """What a member gives for a month, final at the freeze; to a charity where no nod was given."""

    pk = models.CompositePrimaryKey("month", "member_id")
    month = models.IntegerField()
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="spends", db_index=False
    )
    amount_micros = models.BigIntegerField()
    charity = models.ForeignKey(Charity, models.PROTECT, null=True, related_name="gifts")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_micros__gt=0, amount_micros__lte=LIMIT_MICROS),
                name="spend_in_range",
            )
        ]


class Split(models.Model):
    """How a spend was cut: by weight in `n` shares, the largest remainders a micro more.

    The micros more end with the remainder `cut_remainder` and, among equal ones, at `cut_thing`.
    """

    pk = models.CompositePrimaryKey("month", "member_id")
    month = models.IntegerField()
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="splits", db_index=False
    )
    n = models.BigIntegerField()
    total_weight = models.BigIntegerField()
    # What a weight of 1 carries, and what that leaves of the spend.
    slice_micros = models.BigIntegerField()
    rem = models.BigIntegerField()
    cut_remainder = models.BigIntegerField()
    cut_thing = models.BigIntegerField()
    # When the money behind it can no longer be called back.
    final_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(n__gt=0, n__lte=F("total_weight"), slice_micros__gte=0)
                & Q(rem__gte=0, rem__lt=F("total_weight"))
                & Q(cut_remainder__gte=0, cut_remainder__lt=F("total_weight")),
                name="split_adds_up",
            )
        ]

    def share_micros(self, thing_id: int, weight: int) -> int:
        """What a nod that counts carries; the same as `share.sql`."""
        micros, upto = self.at_weight(weight)
        return micros + (thing_id <= upto)

    def at_weight(self, weight: int) -> tuple[int, int]:
        """What a nod of a weight carries, and the thing up to which it is a micro more."""
        whole, remainder = divmod(self.rem * weight, self.total_weight)
        micros = self.slice_micros * weight + whole
        if remainder > self.cut_remainder:
            return micros + 1, 0
        return micros, self.cut_thing if remainder == self.cut_remainder else 0


class SettledLines(models.Manager["Line"]):
    """The lines that moved money: those of a month that is being settled are not decided yet.

    Nor do those of months in arrears: what charges have brought is in Received.
    """

    def get_queryset(self) -> models.QuerySet["Line"]:
        """Lines of settled months that were paid before."""
        done = Month.objects.filter(settled_at__isnull=False)
        charged = Run.objects.filter(arrears=True)
        rows = super().get_queryset().filter(month__in=done.values("month"))
        return rows.exclude(month__in=charged.values("month"))


class Line(models.Model):
    """One thing in one month: gross, fee and where it stands; net is gross less fee."""

    class State(models.TextChoices):
        PAID = "PAID"
        WAITING = "WAITING"
        RELEASED = "RELEASED"
        RETURNED = "RETURNED"

    pk = models.CompositePrimaryKey("month", "thing_id")
    month = models.IntegerField()
    thing = models.ForeignKey(Thing, models.PROTECT, related_name="lines", db_index=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="lines"
    )
    nods = models.BigIntegerField()
    gross_micros = models.BigIntegerField()
    fee_micros = models.BigIntegerField()
    state = models.CharField(max_length=8, choices=State)
    decided_at = models.DateTimeField()

    objects = models.Manager["Line"]()
    settled = SettledLines()

    class Meta:
        indexes = [models.Index(fields=["thing", "state"], name="line_thing_state")]
        constraints = [
            models.CheckConstraint(
                condition=Q(gross_micros__gte=0, fee_micros__gte=0, nods__gte=0)
                & Q(fee_micros__lte=F("gross_micros")),
                name="line_fee_within_gross",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["PAID", "RELEASED"], owner__isnull=False)
                | Q(state__in=["WAITING", "RETURNED"], owner__isnull=True, fee_micros=0),
                name="line_owner_iff_paid",
            ),
        ]

    @property
    def net_micros(self) -> int:
        """What the owner has of it."""
        return self.gross_micros - self.fee_micros


class Archive(models.Model):
    """The files a settled month was written to, read back and computed from again."""

    month = models.IntegerField(primary_key=True)
    folder = models.CharField(max_length=500)
    # Of the file that names all others with their hashes.
    manifest_sha256 = models.CharField(max_length=64)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.month}: {self.folder}"


class Underway(models.Model):
    """A line that was released or returned and whose shares are posted up to a member's number."""

    pk = models.CompositePrimaryKey("month", "thing_id")
    month = models.IntegerField()
    thing = models.ForeignKey(Thing, models.PROTECT, related_name="+", db_index=False)
    upto = models.BigIntegerField(default=0)
    # What those shares came to, of which the fee is posted.
    gross_micros = models.BigIntegerField(default=0, db_default=0)
    since_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(upto__gte=0, gross_micros__gte=0), name="underway_not_below_nought"
            ),
        ]


class ReturnedShare(models.Model):
    """A waiting share that went back to its member before the rest of its line was decided."""

    pk = models.CompositePrimaryKey("month", "member_id", "thing_id")
    month = models.IntegerField()
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="returned_shares", db_index=False
    )
    thing = models.ForeignKey(Thing, models.PROTECT, related_name="returned_shares")
    amount_micros = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_micros__gte=0), name="returned_share_not_below_zero"
            )
        ]


class IdleRun(models.Model):
    """Months in a row without a nod, where the policy keeps the first five."""

    member = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True)
    months = models.IntegerField()
    # The newest of them: a freeze that runs again counts no month twice.
    through = models.IntegerField(db_default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(months__gt=0), name="idle_run_counts")]


class Proof(models.Model):
    """What is published of a settled month, and the tree that holds everyone's shares."""

    month = models.IntegerField(primary_key=True)
    # Made once as the month's hashing begins; the salts follow from it. Never published.
    key = models.CharField(max_length=64)
    engine = models.CharField(max_length=120, default="", blank=True)
    currency = models.CharField(max_length=12)
    members = models.BigIntegerField(default=0)
    shares = models.BigIntegerField(default=0)
    nods = models.BigIntegerField(default=0)
    things = models.BigIntegerField(default=0)
    spent_micros = models.BigIntegerField(default=0)
    paid_micros = models.BigIntegerField(default=0)
    fee_micros = models.BigIntegerField(default=0)
    waiting_micros = models.BigIntegerField(default=0)
    charity_micros = models.BigIntegerField(default=0)
    # Whether each part of the sum is of enough people to be published.
    shows_parts = models.BooleanField(default=False)
    input_sha256 = models.CharField(max_length=64, default="", blank=True)
    output_sha256 = models.CharField(max_length=64, default="", blank=True)
    # The root of the month before, where that one was proved.
    before = models.CharField(max_length=64, default="", blank=True)
    tree = models.CharField(max_length=64, default="", blank=True)
    root = models.CharField(max_length=64, default="", blank=True)
    proved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    spent_micros=F("paid_micros") + F("waiting_micros") + F("charity_micros")
                )
                & Q(paid_micros__gte=F("fee_micros"), fee_micros__gte=0)
                & Q(waiting_micros__gte=0, charity_micros__gte=0),
                name="proof_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(members__gte=0, shares__gte=F("members"), nods__lte=F("shares")),
                name="proof_has_a_share_for_each_member",
            ),
            models.CheckConstraint(
                condition=Q(proved_at=None, root="")
                | (Q(proved_at__isnull=False) & ~Q(root="") & ~Q(tree="")),
                name="proof_has_a_root_once_proved",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month}: {self.root or 'not proved yet'}"


class ProofBlock(models.Model):
    """So many leaves of a month's tree, in their order, and what they come to by themselves."""

    pk = models.CompositePrimaryKey("month", "place")
    month = models.IntegerField()
    place = models.IntegerField()
    # Before the leaves, so that a reader of roots passes by what is long.
    first = models.BinaryField()
    root = models.BinaryField()
    leaves = models.BinaryField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(place__gte=0), name="proofblock_place_from_nought")
        ]
