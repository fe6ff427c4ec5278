"""`mickle charges`: what members were asked for after a month, in arrears."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from mickle.lib import months
from mickle.ops.catalogue import COMMANDS
from mickle.ops.command import Command as Base
from mickle.ops.command import amounts, said, takes_json
from mickle.settlement import arrears
from mickle.settlement.models import Charge


class Command(Base):
    """Lists the charges that are open."""

    help = COMMANDS["charges"]
    example = "mickle charges --json"

    def add_arguments(self, parser: CommandParser) -> None:
        """In which form."""
        takes_json(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        """One line a charge, oldest month first."""
        found = list(arrears.open_charges().select_related("member"))
        if options["json"]:
            listed = [_facts(charge) for charge in found]
            self.say_json({"currency": settings.CURRENCY, "charges": listed})
            return
        for charge in found:
            self.say(
                _("%(month)s  %(member)-20s %(amount)14s  %(tries)s of %(most)s, by %(day)s")
                % {
                    "month": months.text(charge.month),
                    "member": charge.member.username,
                    "amount": said(charge.amount_micros),
                    "tries": charge.tries,
                    "most": settings.CHARGE_TRIES,
                    "day": f"{charge.try_at:%Y-%m-%d}",
                }
            )
        if not found:
            self.say(_("Nobody is asked for anything."))


def _facts(charge: Charge) -> dict[str, object]:
    return {
        "month": months.text(charge.month),
        "member": charge.member.username,
        "tries": charge.tries,
        "until": charge.try_at.isoformat(),
    } | amounts(amount=charge.amount_micros)
