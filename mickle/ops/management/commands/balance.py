"""`mickle balance`: a member's pots."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from mickle.ledger import ledger
from mickle.ops.catalogue import COMMANDS
from mickle.ops.command import Command as Base
from mickle.ops.command import amounts, member_named, said, takes_json, takes_member


class Command(Base):
    """Says what is in a member's pots."""

    help = COMMANDS["balance"]
    example = "mickle balance alice --json"

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose."""
        takes_member(parser)
        takes_json(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Three figures: to give, set aside, earned."""
        member = member_named(options["member"])
        funds, waiting, revenue = (
            ledger.balance(pot(member.id)) for pot in (ledger.funds, ledger.waiting, ledger.revenue)
        )
        if options["json"]:
            found = amounts(funds=funds, waiting=waiting, revenue=revenue)
            self.say_json({"member": member.username, "currency": settings.CURRENCY} | found)
            return
        for label, micros in (
            (_("to give"), funds),
            (_("set aside"), waiting),
            (_("earned"), revenue),
        ):
            self.say(f"{label:<10} {said(micros):>18}")
