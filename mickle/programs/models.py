"""Programs: what acts for a member elsewhere, and what its token is known by."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from mickle.programs.secret import PREFIX

NAME_CHARACTERS = 60


class Program(models.Model):
    """A program of a member. `used_date` is the last day (UTC) on which it asked for anything."""

    member = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="programs")
    name = models.CharField(max_length=NAME_CHARACTERS)
    token_hash = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    used_date = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["token_hash"], name="program_token_once"),
            models.UniqueConstraint(fields=["member", "name"], name="program_name_once"),
            models.CheckConstraint(
                condition=~Q(token_hash="") & ~Q(token_hash__startswith=PREFIX),
                name="program_keeps_no_token",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="program_has_a_name"),
        ]

    def __str__(self) -> str:
        return f"program {self.pk}: {self.name}"
