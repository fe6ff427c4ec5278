"""One row for each kind of job."""

from django.db import models
from django.db.models import Q


class Job(models.Model):
    """A kind of job: what was asked of the queue last, and how the last run ended."""

    name = models.CharField(max_length=40, primary_key=True)
    # The row of the queue; it may have been pruned since.
    result_id = models.UUIDField(null=True)
    asked_at = models.DateTimeField(null=True)
    # When it was last done to the end.
    done_at = models.DateTimeField(null=True)
    # How often in a row it failed, why the last time (or why it was refused, which is no failure),
    # and until when it is left alone.
    failures = models.IntegerField(default=0)
    why = models.CharField(max_length=300, default="", blank=True)
    try_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(failures=0) | Q(failures__gt=0, try_at__isnull=False) & ~Q(why=""),
                name="job_failed_says_why",
            )
        ]

    def __str__(self) -> str:
        return self.name
