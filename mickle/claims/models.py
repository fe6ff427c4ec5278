"""Claims an operator decides, and proofs a machine can look at."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from mickle.lib.urls import LIMIT_CHARACTERS, display_host
from mickle.things.models import Scope, Thing

NOTE_CHARACTERS = 1_000
EVIDENCE_CHARACTERS = 500
ACCOUNT_CHARACTERS = 330
SECRET_CHARACTERS = 500
_DIGEST_CHARACTERS = 64


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


class Proof(models.Model):
    """A member's way to show that a place on the web is theirs; looked at again and again.

    `text` is the place (see things.Scope), `url` the page that has to show it. `token` is no
    secret: it stands where everybody can read it, and holds for this member, place and way alone.
    Shown by signing in, `account` is the site's number that stays (`github:583231`), and the name
    in `text` is what it was called then.
    """

    class Method(models.TextChoices):
        DNS = "DNS"
        FILE = "FILE"
        META = "META"
        ME = "ME"
        PAYMENT = "PAYMENT"
        FUNDING = "FUNDING"
        REPOSITORY = "REPOSITORY"
        ACCOUNT = "ACCOUNT"

    class State(models.TextChoices):
        ASKED = "ASKED"
        SHOWN = "SHOWN"
        LOST = "LOST"
        DISPUTED = "DISPUTED"
        ENDED = "ENDED"

    LIVE = (State.ASKED, State.SHOWN, State.LOST, State.DISPUTED)

    member = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="proofs")
    kind = models.CharField(max_length=6, choices=Scope.Kind)
    text = models.CharField(max_length=LIMIT_CHARACTERS)
    host = models.CharField(max_length=260)
    url = models.CharField(max_length=LIMIT_CHARACTERS)
    method = models.CharField(max_length=10, choices=Method)
    token = models.CharField(max_length=40, unique=True)
    account = models.CharField(max_length=ACCOUNT_CHARACTERS, blank=True, default="")
    # When the site says the account was made, or the registry that the domain was registered.
    since_at = models.DateTimeField(null=True, blank=True)
    # When the member signed in there last.
    signed_in_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.ASKED)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # A member waits for an answer; a worker looks.
    wanted_at = models.DateTimeField(null=True, blank=True)
    # The last look, the last that had an answer, and the first since then that had none.
    tried_at = models.DateTimeField(null=True, blank=True)
    looked_at = models.DateTimeField(null=True, blank=True)
    silent_since_at = models.DateTimeField(null=True, blank=True)
    said = models.CharField(max_length=EVIDENCE_CHARACTERS, blank=True, default="")
    shown_at = models.DateTimeField(null=True, blank=True)
    notice_until_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="decided_proofs",
    )

    class Meta:
        indexes = [
            models.Index(fields=["text", "state"], name="proof_place"),
            models.Index(fields=["state", "looked_at"], name="proof_due"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["member", "text", "method", "account"],
                condition=~Q(state="ENDED"),
                name="proof_one_live",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["ASKED", "SHOWN", "LOST", "DISPUTED", "ENDED"]),
                name="proof_state_known",
            ),
            models.CheckConstraint(
                condition=Q(
                    method__in=[
                        *("DNS", "FILE", "META", "ME"),
                        *("PAYMENT", "FUNDING", "REPOSITORY", "ACCOUNT"),
                    ]
                ),
                name="proof_method_known",
            ),
            models.CheckConstraint(
                condition=Q(kind="HOST") | ~Q(method__in=["DNS", "FILE"]),
                name="proof_of_a_path_by_a_page",
            ),
            models.CheckConstraint(
                condition=Q(method="ACCOUNT", kind="HANDLE")
                | (~Q(method="ACCOUNT") & ~Q(kind="HANDLE") & Q(account="")),
                name="proof_of_a_handle_by_its_account",
            ),
            models.CheckConstraint(
                condition=~Q(method="ACCOUNT")
                | Q(state="ENDED")
                | (~Q(account="") & Q(signed_in_at__isnull=False)),
                name="proof_names_its_account",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["SHOWN", "LOST", "DISPUTED"])
                | Q(shown_at__isnull=False, looked_at__isnull=False, notice_until_at__isnull=False),
                name="proof_shown_was_looked_at",
            ),
            models.CheckConstraint(
                condition=Q(state="ENDED", ended_at__isnull=False)
                | (~Q(state="ENDED") & Q(ended_at=None)),
                name="proof_ended_says_when",
            ),
        ]

    def __str__(self) -> str:
        return f"proof {self.pk}: {self.text} by {self.method}, {self.state}"

    @property
    def display(self) -> str:
        """The place for people, its host in its own script where that cannot deceive."""
        return display_host(self.host) + self.text.removeprefix(self.host)


class App(models.Model):
    """What a server of the fediverse knows this instance as; a new one is asked for each day."""

    host = models.CharField(max_length=260)
    client_id = models.CharField(max_length=SECRET_CHARACTERS)
    client_secret = models.CharField(max_length=SECRET_CHARACTERS)
    # What it may see, and the one address that members come back to.
    scope = models.CharField(max_length=40)
    back = models.CharField(max_length=LIMIT_CHARACTERS)
    made_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["host", "-made_at"], name="app_newest")]

    def __str__(self) -> str:
        return f"app {self.pk} at {self.host}"


class SignIn(models.Model):
    """A member on the way to a site and back, once and within minutes.

    `state` and `session` are digests: of the word that comes back with them, and of the browser
    that left.
    """

    member = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="sign_ins")
    session = models.CharField(max_length=_DIGEST_CHARACTERS)
    state = models.CharField(max_length=_DIGEST_CHARACTERS)
    site = models.CharField(max_length=10)
    host = models.CharField(max_length=260)
    app = models.ForeignKey(App, models.CASCADE, null=True, blank=True, related_name="sign_ins")
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["made_at"], name="signin_by_age")]
        constraints = [models.UniqueConstraint(fields=["state"], name="signin_state_once")]

    def __str__(self) -> str:
        return f"sign-in {self.pk} at {self.host}"
