"""Things: one row for each identity on the web that can be nodded at."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from mickle.lib.urls import LIMIT_CHARACTERS, display_host

TITLE_CHARACTERS = 200
DESCRIPTION_CHARACTERS = 1_000
TAG_CHARACTERS = 40
TAGS_AT_MOST = 20
NOTE_CHARACTERS = 300
MAKER_CHARACTERS = 300
# No proof is of less: of a deeper page each name above it would be looked up.
SCOPE_SEGMENTS = 100


class Scope(models.Model):
    """What one proof covers: a host, a path below it, or what an account of a site made.

    Written once it was proven for the first time, and kept when its owner is gone: a wider proof
    does not reach into it. `maker` is the account by its name (see Thing.maker): a HANDLE covers
    what it made and nothing else, a PATH that has one covers both.
    """

    class Kind(models.TextChoices):
        HOST = "HOST"
        PATH = "PATH"
        HANDLE = "HANDLE"

    kind = models.CharField(max_length=6, choices=Kind)
    # `example.org`, `example.org/~bob`; of a handle its own page, `github.com/bob`
    text = models.CharField(max_length=LIMIT_CHARACTERS)
    host = models.CharField(max_length=260)
    maker = models.CharField(max_length=MAKER_CHARACTERS, blank=True, default="")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="scopes"
    )
    since_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["host"], name="scope_host")]
        constraints = [
            models.UniqueConstraint(fields=["text"], name="scope_text_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["HOST", "PATH", "HANDLE"]), name="scope_kind_known"
            ),
            models.UniqueConstraint(
                fields=["maker"], condition=~Q(maker=""), name="scope_maker_once"
            ),
            models.CheckConstraint(
                condition=~Q(kind="HANDLE") | ~Q(maker=""), name="scope_handle_names_a_maker"
            ),
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def display(self) -> str:
        """The scope for people, its host in its own script where that cannot deceive."""
        return display_host(self.host) + self.text.removeprefix(self.host)


class Thing(models.Model):
    """One identity; `url` opens it, `raw_url` is how it was first written."""

    class Category(models.TextChoices):
        TEXT = "text"
        IMAGES = "images"
        VIDEO = "video"
        AUDIO = "audio"
        SOFTWARE = "software"
        PEOPLE = "people"
        REST = "rest"

    class State(models.TextChoices):
        ACTIVE = "ACTIVE"
        REFUSED = "REFUSED"
        TAKEN_DOWN = "TAKEN_DOWN"
        MERGED = "MERGED"

    identity = models.CharField(max_length=LIMIT_CHARACTERS)
    url = models.CharField(max_length=LIMIT_CHARACTERS)
    raw_url = models.CharField(max_length=LIMIT_CHARACTERS)
    host = models.CharField(max_length=260)
    # The account that surely made it, `github:bob`, as far as its address says so; else empty.
    maker = models.CharField(max_length=MAKER_CHARACTERS, blank=True, default="", db_default="")
    title = models.CharField(max_length=TITLE_CHARACTERS, blank=True, default="")
    description = models.CharField(max_length=DESCRIPTION_CHARACTERS, blank=True, default="")
    category = models.CharField(max_length=8, choices=Category, default=Category.REST)
    language = models.CharField(max_length=5, blank=True, default="")
    tags = models.JSONField(default=list, blank=True)
    hidden = models.BooleanField(default=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="things"
    )
    # By which proof the owner has it; none where it was given to them alone.
    scope = models.ForeignKey(Scope, models.PROTECT, null=True, blank=True, related_name="things")
    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="merged"
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(null=True, blank=True)
    # When its page is read for what it is called; none once that is known, or not to be had.
    to_read_at = models.DateTimeField(null=True, blank=True)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="added"
    )

    class Meta:
        indexes = [
            models.Index(fields=["host"], name="thing_host"),
            models.Index(fields=["maker"], condition=~Q(maker=""), name="thing_maker"),
            # Lists newest first; the few hidden ones are passed over.
            models.Index(fields=["state", "-created_at", "-id"], name="thing_newest"),
            models.Index(
                fields=["state", "category", "-created_at", "-id"], name="thing_newest_category"
            ),
            models.Index(
                fields=["state", "language", "-created_at", "-id"], name="thing_newest_language"
            ),
            models.Index(
                fields=["to_read_at"], condition=Q(to_read_at__isnull=False), name="thing_to_read"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["identity"], name="thing_identity_once"),
            models.CheckConstraint(
                condition=Q(state__in=["ACTIVE", "REFUSED", "TAKEN_DOWN", "MERGED"]),
                name="thing_state_known",
            ),
            models.CheckConstraint(
                condition=Q(
                    category__in=[
                        *("text", "images", "video", "audio"),
                        *("software", "people", "rest"),
                    ]
                ),
                name="thing_category_known",
            ),
            models.CheckConstraint(
                condition=Q(state="MERGED", merged_into__isnull=False)
                | (~Q(state="MERGED") & Q(merged_into=None)),
                name="thing_merged_names_target",
            ),
            models.CheckConstraint(
                condition=Q(merged_into=None) | ~Q(merged_into=F("id")),
                name="thing_not_merged_into_itself",
            ),
            models.CheckConstraint(
                condition=~Q(state="MERGED") | Q(owner=None), name="thing_merged_has_no_owner"
            ),
            models.CheckConstraint(
                condition=Q(scope=None) | Q(owner__isnull=False), name="thing_scope_has_an_owner"
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.url

    @property
    def display_host(self) -> str:
        """The host for people, in its own script where that cannot deceive."""
        return display_host(self.host)


class Tag(models.Model):
    """The tags of things once more, by name, for lists by tag; `Thing.tags` keeps their order."""

    thing = models.ForeignKey(Thing, models.CASCADE, related_name="tag_rows", db_index=False)
    name = models.CharField(max_length=TAG_CHARACTERS)

    class Meta:
        indexes = [models.Index(fields=["name", "thing"], name="tag_name_thing")]
        constraints = [models.UniqueConstraint(fields=["thing", "name"], name="tag_once_per_thing")]

    def __str__(self) -> str:
        return self.name


class Merger(models.Model):
    """Two identities that are one work: said by a page, kept apart, or merged, for ever.

    `identity` is what `thing` is said to be the same as; the rows of what was merged are its
    record, and with the identities of merged things the table of what else a work is called.
    """

    class State(models.TextChoices):
        SAID = "SAID"
        MERGED = "MERGED"
        APART = "APART"

    thing = models.ForeignKey(Thing, models.PROTECT, related_name="mergers")
    identity = models.CharField(max_length=LIMIT_CHARACTERS)
    into = models.ForeignKey(
        Thing, models.PROTECT, null=True, blank=True, related_name="taken_in", db_index=False
    )
    state = models.CharField(max_length=6, choices=State, default=State.SAID)
    note = models.CharField(max_length=NOTE_CHARACTERS, blank=True, default="")
    said_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="mergers"
    )

    class Meta:
        indexes = [models.Index(fields=["state", "-decided_at"], name="merger_state_decided")]
        constraints = [
            models.UniqueConstraint(fields=["thing", "identity"], name="merger_said_once"),
            models.UniqueConstraint(
                fields=["thing"], condition=Q(state="MERGED"), name="merger_merged_once"
            ),
            models.CheckConstraint(
                condition=Q(state="SAID", decided_at=None, decided_by=None, into=None)
                | Q(state="MERGED", decided_at__isnull=False, into__isnull=False)
                | Q(state="APART", decided_at__isnull=False, into=None),
                name="merger_decided_once",
            ),
            models.CheckConstraint(
                condition=Q(into=None) | ~Q(into=F("thing")), name="merger_of_two"
            ),
        ]

    def __str__(self) -> str:
        return f"merger {self.pk}: {self.state}"
