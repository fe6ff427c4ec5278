"""Installs the triggers of the history after every migrate."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from mickle.teams import _guards


class TeamsConfig(AppConfig):
    """The app of teams."""

    name = "mickle.teams"

    def ready(self) -> None:
        """Connect the triggers to post_migrate."""
        post_migrate.connect(_guards.install, sender=self)
