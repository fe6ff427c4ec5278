"""Teams, what they agreed on from which month, what was put into them, and their history."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from mickle.things.models import Scope, Thing

NAME_CHARACTERS = 80


class Team(models.Model):
    """Several members who own things together; `party` stands for them as an owner."""

    party = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, primary_key=True, related_name="team"
    )
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.party.shown_name


class Agreement(models.Model):
    """Percents somebody proposed; once everybody asked has said yes, they hold from a month on.

    Of those that hold from a month or before, the newest counts. One without percents ends a team.
    """

    class State(models.TextChoices):
        OPEN = "OPEN"
        AGREED = "AGREED"
        ENDED = "ENDED"

    team = models.ForeignKey(Team, models.PROTECT, related_name="agreements")
    state = models.CharField(max_length=6, choices=State, default=State.OPEN)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    from_month = models.IntegerField(null=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["team", "from_month"], name="agreement_team_month")]
        constraints = [
            models.UniqueConstraint(
                fields=["team"], condition=Q(state="OPEN"), name="agreement_one_open"
            ),
            models.CheckConstraint(
                condition=Q(state="OPEN", from_month=None, decided_at=None)
                | Q(state="AGREED", from_month__isnull=False, decided_at__isnull=False)
                | Q(state="ENDED", from_month=None, decided_at__isnull=False),
                name="agreement_month_iff_agreed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.team_id} from {self.from_month}: {self.state}"


class Percent(models.Model):
    """The part of one party, a member or another team, in an agreement; all of them sum to 100."""

    agreement = models.ForeignKey(
        Agreement, models.PROTECT, related_name="percents", db_index=False
    )
    party = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="percents")
    percent = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agreement", "party"], name="percent_once_a_party"),
            models.CheckConstraint(
                condition=Q(percent__gte=1, percent__lte=100), name="percent_in_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.party_id}: {self.percent} %"


class Answer(models.Model):
    """Somebody who has to say yes to an agreement, and when they did."""

    agreement = models.ForeignKey(Agreement, models.PROTECT, related_name="answers", db_index=False)
    member = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="answers")
    yes_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agreement", "member"], name="answer_once_a_member")
        ]

    def __str__(self) -> str:
        return f"{self.member_id} to {self.agreement_id}"


class PutIn(models.Model):
    """A thing, or all that one proof covers, as its keeper shares it from a month on.

    The newest word counts; without a team it is the keeper's alone again. It holds as long as the
    thing is the keeper's. `scope` says by which proof the keeper had it.
    """

    keeper = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="put_in")
    team = models.ForeignKey(Team, models.PROTECT, null=True, related_name="put_in")
    thing = models.ForeignKey(Thing, models.PROTECT, null=True, related_name="put_in")
    scope = models.ForeignKey(Scope, models.PROTECT, null=True, related_name="put_in")
    from_month = models.IntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(thing__isnull=False) | Q(scope__isnull=False),
                name="putin_names_what",
            )
        ]

    def __str__(self) -> str:
        return f"{self.thing_id or self.scope_id} in {self.team_id} from {self.from_month}"

    @property
    def owner_id(self) -> int | None:
        """Whose it is now: the keeper's, nobody's, or another's, who has put it into nothing."""
        what = self.thing or self.scope
        return what.owner_id if what is not None else None


class Entry(models.Model):
    """One line of a team's history; never changed and never deleted."""

    class What(models.TextChoices):
        FOUNDED = "FOUNDED"
        PROPOSED = "PROPOSED"
        YES = "YES"
        NO = "NO"
        AGREED = "AGREED"
        LEFT = "LEFT"
        CLOSED = "CLOSED"
        PUT_IN = "PUT_IN"
        TAKEN_OUT = "TAKEN_OUT"

    team = models.ForeignKey(Team, models.PROTECT, related_name="entries")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    what = models.CharField(max_length=9, choices=What)
    from_month = models.IntegerField(null=True)
    agreement = models.ForeignKey(Agreement, models.PROTECT, null=True, related_name="+")
    put_in = models.ForeignKey(PutIn, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    what__in=[
                        *("FOUNDED", "PROPOSED", "YES", "NO", "AGREED"),
                        *("LEFT", "CLOSED", "PUT_IN", "TAKEN_OUT"),
                    ]
                ),
                name="entry_what_known",
            )
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d} {self.what} by {self.by_id}"
