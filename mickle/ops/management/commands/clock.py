"""`mickle clock`: lets time pass in a demo or test instance."""

import argparse
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.lib import months
from mickle.ops.catalogue import COMMANDS
from mickle.ops.command import Command as Base
from mickle.settlement import settlement


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError(
            _("“%(text)s” is not a day. Write it as 2026-12-01 or 2026-12-01T12:00")
            % {"text": text}
        ) from error


class Command(Base):
    """Shows the clock, or moves it forward and closes what has ended by then."""

    help = COMMANDS["clock"]
    example = "mickle clock --to 2026-12-04"

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to."""
        parser.add_argument(
            "--to", metavar="DATE", type=_instant, help="a later day, UTC; never an earlier one"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Move it, and say what time it is."""
        if options["to"] is not None:
            now = instance.move_clock(to=options["to"])
            for month in settlement.close_due(at=now):
                self.say(_("%(month)s is closed.") % {"month": months.text(month)})
        self.say(f"{instance.now():%Y-%m-%d %H:%M} UTC")
