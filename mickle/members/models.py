"""Members, their budgets by month, the charities, invitations."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from mickle.lib.money import LIMIT_MICROS

EMAIL_CHARACTERS = 254


class MemberManager(BaseUserManager["Member"]):
    """Finds a member by the e-mail address, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> "Member":
        """The member with this e-mail address."""
        return self.get(email=(username or "").lower())


class Charity(models.Model):
    """An organisation the operator lists; members without a nod give to one."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    url = models.URLField(max_length=500, blank=True, default="")
    iban = models.CharField(max_length=34, blank=True, default="")
    listed = models.BooleanField(default=True)
    is_default = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="charity_one_default"
            ),
            models.CheckConstraint(
                condition=Q(is_default=False) | Q(listed=True), name="charity_default_is_listed"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Member(AbstractBaseUser):
    """A person or organisation with a login; gives, and may own things."""

    username = models.CharField(max_length=60, unique=True)
    email = models.EmailField(max_length=EMAIL_CHARACTERS)
    name = models.CharField(max_length=120, blank=True, default="")
    about = models.CharField(max_length=1000, blank=True, default="")
    city = models.CharField(max_length=80, blank=True, default="")
    country = models.CharField(max_length=2, blank=True, default="")
    url = models.URLField(max_length=500, blank=True, default="")
    language = models.CharField(max_length=10, blank=True, default="")
    is_operator = models.BooleanField(default=False)
    # A party of several, that stands where one member stands as an owner; nobody signs in as it.
    is_team = models.BooleanField(default=False, db_default=False)
    public_nods = models.BooleanField(default=False)
    # The month of the first top-up: counts and the charity rule start with it.
    funded_month = models.IntegerField(null=True, blank=True)
    topped_up_micros = models.BigIntegerField(default=0, db_default=0)
    joined_at = models.DateTimeField()
    suspended_at = models.DateTimeField(null=True, blank=True)
    closing_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["username"]
    objects = MemberManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("username"), name="member_username_any_case"),
            models.UniqueConstraint(
                Lower("email"), condition=~Q(email=""), name="member_email_any_case"
            ),
            models.CheckConstraint(
                condition=Q(topped_up_micros__gte=0, topped_up_micros__lte=LIMIT_MICROS),
                name="member_topped_up_in_range",
            ),
            models.CheckConstraint(
                condition=Q(is_team=False)
                | Q(email="", is_operator=False, topped_up_micros=0, funded_month=None),
                name="member_team_gives_nothing",
            ),
        ]

    def __str__(self) -> str:
        return self.shown_name

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        """Whether the member may sign in."""
        return self.closed_at is None and not self.is_team

    @property
    def shown_name(self) -> str:
        """The name others see."""
        return self.name or self.username


class Budget(models.Model):
    """What a member gives from a month on: amount, pause and charity, until a later row."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="budgets")
    month = models.IntegerField()
    amount_micros = models.BigIntegerField()
    paused = models.BooleanField(default=False)
    charity = models.ForeignKey(Charity, models.PROTECT, null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "month"], name="budget_one_per_month"),
            models.CheckConstraint(
                condition=Q(amount_micros__gt=0, amount_micros__lte=LIMIT_MICROS),
                name="budget_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} from {self.month}"


class Invite(models.Model):
    """A code that lets people sign up where sign-up is by invitation."""

    code = models.CharField(max_length=40, unique=True)
    uses_left = models.PositiveIntegerField(default=1)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(uses_left__gte=0), name="invite_uses_not_below_zero")
        ]

    def __str__(self) -> str:
        return self.code


class WaitingPerson(models.Model):
    """Somebody who asked for an invitation."""

    email = models.EmailField(max_length=EMAIL_CHARACTERS, unique=True)
    asked_at = models.DateTimeField()
    invited_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.email
