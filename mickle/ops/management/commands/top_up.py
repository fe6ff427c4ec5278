"""`mickle top-up`: the cash desk from a terminal."""

from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.ledger import ledger
from mickle.ops.catalogue import COMMANDS
from mickle.ops.command import Command as Base
from mickle.ops.command import amount, member_named, said, takes_member, text
from mickle.payins import payins
from mickle.payins.models import Payin
from mickle.settlement import settlement


class Command(Base):
    """Books an amount for a member, once for each reference."""

    help = COMMANDS["top-up"]
    example = 'mickle top-up alice 20.00 --reference "statement 17, line 3"'

    def add_arguments(self, parser: CommandParser) -> None:
        """Who, how much, and what names the entry at the bank."""
        takes_member(parser)
        parser.add_argument("amount", metavar="AMOUNT", type=amount, help="for example 20.00")
        parser.add_argument(
            "--reference",
            metavar="TEXT",
            type=text,
            required=True,
            help="what names this entry at the bank; with the same one it is booked once",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Book it, and release what waited for a member who may receive from now on."""
        member, at = member_named(options["member"]), instance.now()
        named = options["reference"].strip()
        # The same words may name an entry of each of two members, and book both.
        reference = f"{named} ({member.username})" if named else ""
        with transaction.atomic():
            # Before any account is locked: the release after it waits for no settlement then.
            instance.hold_owners()
            payin = payins.top_up(
                member=member, amount_micros=options["amount"], reference=reference, at=at
            )
            released = 0
            if payin.booked_now and not payin.why:
                released = settlement.release_owner(member=member, at=at)
        self._answer(member.username, payin, released)
        self.say(
            _("%(name)s has %(amount)s to give.")
            % {"name": member.username, "amount": said(ledger.balance(ledger.funds(member.id)))}
        )

    def _answer(self, name: str, payin: Payin, released: int) -> None:
        words = {"amount": said(payin.amount_micros), "name": name, "reference": payin.reference}
        if payin.why:
            self.say(
                _("%(amount)s stands aside: funds have a limit. Assign it or send it back.") % words
            )
        elif payin.booked_now:
            self.say(_("Booked %(amount)s for %(name)s.") % words)
        else:
            self.say(
                _("“%(reference)s” was booked for %(name)s before. Nothing was booked now.") % words
            )
        if released:
            self.say(_("%(net)s that waited was released.") % {"net": said(released)})
