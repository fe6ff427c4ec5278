"""`mickle move`: from the embedded SQLite to PostgreSQL."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from mickle.ops import moving, progress
from mickle.ops.catalogue import COMMANDS
from mickle.ops.command import Command as Base
from mickle.ops.command import takes_json


class Command(Base):
    """Moves an instance, all of it or nothing, and puts the SQLite aside."""

    help = COMMANDS["move"]
    example = "mickle move --data /srv/mickle"

    def add_arguments(self, parser: CommandParser) -> None:
        """From which file, where it is not the one in the data folder."""
        parser.add_argument(
            "file",
            metavar="FILE",
            type=Path,
            nargs="?",
            default=Path(settings.DATA_DIR) / "mickle.sqlite3",
            help="the SQLite of the instance; by itself mickle.sqlite3 in the data folder",
        )
        takes_json(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Move it and say what is there now, and where the old one is."""
        with progress.staged(_("move"), {}) as report:
            done = moving.move(options["file"], report=report)
        facts = {"rows": done.rows, "tables": done.tables, "checks": done.checks}
        if options["json"]:
            self.say_json({**facts, "kept": str(done.kept) if done.kept else None})
            return
        self.say(
            _(
                "%(rows)s rows of %(tables)s tables are in PostgreSQL now, and %(checks)s"
                " invariants hold there."
            )
            % {name: f"{count:,}" for name, count in facts.items()}
        )
        self.say(_("From now on DATABASE_URL names it for every command."))
        if done.kept:
            said = _("The SQLite is kept as %(path)s; nobody reads it any more.")
        else:
            said = _(
                "The SQLite could not be given another name: rename %(path)s, so that nobody takes"
                " it for the instance."
            )
        self.say(said % {"path": done.kept or options["file"]})
