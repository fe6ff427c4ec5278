"""Passes: which sites a member nods on without being asked."""

from django.conf import settings
from django.db import models
from django.db.models import Q

HOST_CHARACTERS = 260


class SitePass(models.Model):
    """One browser's pass for one site's buttons, or a member's trust in a site's plain links.

    Of token, code and nonce only SHA-256 is kept. `used` counts the nods of `day` (days since
    0001-01-01, UTC).
    """

    class Kind(models.TextChoices):
        BUTTON = "BUTTON"
        LINK = "LINK"

    kind = models.CharField(max_length=6, choices=Kind, default=Kind.BUTTON)
    member = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="passes")
    site = models.CharField(max_length=HOST_CHARACTERS)
    token_hash = models.CharField(max_length=64, blank=True, default="")
    code_hash = models.CharField(max_length=64, blank=True, default="")
    nonce_hash = models.CharField(max_length=64, blank=True, default="")
    code_until = models.DateTimeField(null=True, blank=True)
    made_at = models.DateTimeField()
    used_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    day = models.IntegerField(default=0)
    used = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["token_hash"], condition=~Q(token_hash=""), name="pass_token_once"
            ),
            models.UniqueConstraint(
                fields=["code_hash"], condition=~Q(code_hash=""), name="pass_code_once"
            ),
            models.UniqueConstraint(
                fields=["member", "site"], condition=Q(kind="LINK"), name="pass_one_link_trust"
            ),
            models.CheckConstraint(
                condition=Q(kind="LINK", token_hash="", code_hash="")
                | Q(kind="BUTTON") & ~Q(code_hash=""),
                name="pass_kind_has_its_secrets",
            ),
            models.CheckConstraint(condition=Q(used__gte=0), name="pass_used_not_below_nought"),
        ]

    def __str__(self) -> str:
        return f"pass {self.pk}: {self.site}"
