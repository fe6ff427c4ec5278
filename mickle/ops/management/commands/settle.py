"""`mickle settle`: month end."""

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.lib import months
from mickle.ops import progress
from mickle.ops.catalogue import COMMANDS
from mickle.ops.command import Command as Base
from mickle.ops.command import amounts, month, said, takes_json
from mickle.settlement import settlement


class Command(Base):
    """Settles one month, all of it or nothing."""

    help = COMMANDS["settle"]
    example = "mickle settle 2026-11"

    def add_arguments(self, parser: CommandParser) -> None:
        """Which month."""
        parser.add_argument("month", metavar="MONTH", type=month, help="for example 2026-11")
        takes_json(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Settle it and say what it came to."""
        name = months.text(options["month"])
        with progress.watched(_("Settling %(month)s") % {"month": name}):
            done = settlement.settle(month=options["month"], at=instance.now())
        if options["json"]:
            facts = asdict(done)
            sums = {
                key.removesuffix("_micros"): facts.pop(key)
                for key in list(facts)
                if key.endswith("_micros")
            }
            self.say_json(facts | {"month": name, "currency": settings.CURRENCY} | amounts(**sums))
            return
        self.say(
            _(
                "%(month)s is settled. Givers: %(members)s. Nods: %(nods)s. Given %(spent)s: "
                "%(paid)s to owners (fee %(fee)s inside), %(waiting)s set aside, "
                "%(charity)s to charities."
            )
            % {
                "month": name,
                "members": f"{done.members:,}",
                "nods": f"{done.nods:,}",
                "spent": said(done.spent_micros),
                "paid": said(done.paid_micros),
                "fee": said(done.fee_micros),
                "waiting": said(done.waiting_micros),
                "charity": said(done.charity_micros),
            }
        )
