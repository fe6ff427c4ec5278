"""`mickle settle`: month end."""

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mickle.instance import instance
from mickle.lib import months
from mickle.ops import progress
from mickle.ops.catalogue import COMMANDS
from mickle.ops.command import Command as Base
from mickle.ops.command import amounts, month, said, takes_json
from mickle.settlement import settlement


def _stages() -> dict[str, str]:
    return {
        "expire": _("what expires"),
        "expired": _("what expired"),
        "owners": _("who owns what"),
        "freeze": _("spends"),
        "compute": _("result"),
        "members": _("shares"),
        "lines": _("pages"),
        "pay": _("owners"),
    }


class Command(Base):
    """Settles one month, or goes on where a settlement stopped."""

    help = COMMANDS["settle"]
    example = "mickle settle 2026-11"

    def add_arguments(self, parser: CommandParser) -> None:
        """Which month."""
        parser.add_argument("month", metavar="MONTH", type=month, help="for example 2026-11")
        takes_json(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Settle it and say what it came to."""
        name = months.text(options["month"])
        with progress.staged(_("Settling %(month)s") % {"month": name}, _stages()) as report:
            done = settlement.settle(month=options["month"], at=instance.now(), report=report)
        if options["json"]:
            facts = asdict(done)
            sums = {
                key.removesuffix("_micros"): facts.pop(key)
                for key in list(facts)
                if key.endswith("_micros")
            }
            self.say_json(facts | {"month": name, "currency": settings.CURRENCY} | amounts(**sums))
            return
        gave = ngettext("%(n)s member gave %(sum)s", "%(n)s members gave %(sum)s", done.members)
        nods = ngettext("%(n)s nod", "%(n)s nods", done.nods)
        self.say(
            _(
                "%(month)s is settled: %(gave)s with %(nods)s. %(paid)s went to owners "
                "(fee %(fee)s inside), %(waiting)s is set aside, %(charity)s went to charities."
            )
            % {
                "month": name,
                "gave": gave % {"n": f"{done.members:,}", "sum": said(done.spent_micros)},
                "nods": nods % {"n": f"{done.nods:,}"},
                "paid": said(done.paid_micros),
                "fee": said(done.fee_micros),
                "waiting": said(done.waiting_micros),
                "charity": said(done.charity_micros),
            }
        )
