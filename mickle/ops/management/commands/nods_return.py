"""`mickle nods-return`: nods that have left come back from the archive of their month."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from mickle.lib import months
from mickle.ops import progress
from mickle.ops.catalogue import COMMANDS
from mickle.ops.command import Command as Base
from mickle.ops.command import month
from mickle.settlement import past


class Command(Base):
    """Puts the nods of one month back; what stopped goes on."""

    help = COMMANDS["nods-return"]
    example = "mickle nods-return 2026-11"

    def add_arguments(self, parser: CommandParser) -> None:
        """Which month."""
        parser.add_argument("month", metavar="MONTH", type=month, help="for example 2026-11")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Put them back and say how many."""
        name = months.text(options["month"])
        with progress.staged(name, {"return": _("nods come back")}) as report:
            done = past.put_back(month=options["month"], report=report)
        self.say(_("%(n)s nods of %(month)s are back.") % {"n": f"{done:,}", "month": name})
