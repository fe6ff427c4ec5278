"""Installs the full-text index of things after every migrate."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from mickle.things import _search_index


class ThingsConfig(AppConfig):
    """The app of the things."""

    name = "mickle.things"

    def ready(self) -> None:
        """Connect the index to post_migrate."""
        post_migrate.connect(_search_index.install, sender=self)
