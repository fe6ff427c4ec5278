"""Installs the triggers of the books after every migrate."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from mickle.ledger import _guards


class LedgerConfig(AppConfig):
    """The app of the books."""

    name = "mickle.ledger"

    def ready(self) -> None:
        """Connect the triggers to post_migrate."""
        post_migrate.connect(_guards.install, sender=self)
