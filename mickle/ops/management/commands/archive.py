"""`mickle archive`: a settled month as files, and whether they are what was written."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.lib import months
from mickle.ops.catalogue import COMMANDS
from mickle.ops.command import Command as Base
from mickle.ops.command import month, takes_json
from mickle.settlement import settlement

_MB = 1_000_000


class Command(Base):
    """Archives one month, or looks at its archive."""

    help = COMMANDS["archive"]
    example = "mickle archive 2026-11"

    def add_arguments(self, parser: CommandParser) -> None:
        """Which month."""
        parser.add_argument("month", metavar="MONTH", type=month, help="for example 2026-11")
        either = parser.add_mutually_exclusive_group()
        either.add_argument(
            "--check", action="store_true", help="only see whether the archive is what was written"
        )
        either.add_argument(
            "--anew",
            action="store_true",
            help="write another in place of one that is lost or lies elsewhere",
        )
        takes_json(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Archive it and say what was written."""
        name = months.text(options["month"])
        if options["check"]:
            done = settlement.check_archive(month=options["month"])
        else:
            done = settlement.archive(
                month=options["month"], at=instance.now(), anew=options["anew"]
            )
        facts = {
            "month": name,
            "folder": done.folder,
            "rows": done.rows,
            "bytes": done.size_bytes,
            "result_sha256": done.result_sha256,
        }
        if options["json"]:
            self.say_json(facts)
            return
        self.say(
            _("%(month)s is in %(folder)s: %(nods)s nods, %(spends)s spends, %(size).1f MB.")
            % {
                "month": name,
                "folder": done.folder,
                "nods": f"{done.rows['nods']:,}",
                "spends": f"{done.rows['spends']:,}",
                "size": done.size_bytes / _MB,
            }
        )
        self.say(_("Computed again from the files it came to the same result:"))
        self.say(done.result_sha256)
