"""`mickle statement`: what became of a coin."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from mickle.instance.instance import State
from mickle.lib import months
from mickle.ops.catalogue import COMMANDS
from mickle.ops.command import Command as Base
from mickle.ops.command import amounts, member_named, month, said, takes_json, takes_member
from mickle.settlement import settlement
from mickle.settlement.settlement import OwnerStatement, Statement

_OPEN = (
    "Forecast: what it would come to if it were settled now. Nods, budgets, top-ups and owners"
    " can still change it."
)
_CHANGES = {
    State.CLOSED: "Forecast: its nods and budgets are final; top-ups and owners can still change"
    " what it comes to.",
    State.FROZEN: "Forecast: it is being settled, and nothing changes it any more.",
}


class Command(Base):
    """A member's month: given, share by share, and received, line by line."""

    help = COMMANDS["statement"]
    example = "mickle statement alice 2026-11 --json"

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose, and which month."""
        takes_member(parser)
        parser.add_argument("month", metavar="MONTH", type=month, help="for example 2026-11")
        takes_json(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Both halves of the month."""
        member = member_named(options["member"])
        given = settlement.statement(member=member, month=options["month"])
        received = settlement.owner_statement(member=member, month=options["month"])
        if options["json"]:
            self.say_json(as_json(given, received))
        else:
            self._tell(given, received)

    def _tell(self, given: Statement, received: OwnerStatement) -> None:
        name, when = given.member.username, months.text(given.month)
        self.say(
            _("%(name)s, %(month)s (%(state)s)")
            % {"name": name, "month": when, "state": given.state}
        )
        if given.forecast:
            self.say(_CHANGES.get(given.state, _OPEN))
        self.say(
            _("Budget %(budget)s, given %(spent)s")
            % {"budget": said(given.budget_micros), "spent": said(given.spend_micros)}
        )
        for share in given.shares:
            self.say(f"  {said(share.amount_micros):>16}  {share.state:<9} {share.thing.url}")
        if given.charity is not None:
            self.say(f"  {said(given.gift_micros):>16}  {given.charity.name}")
        if received.lines:
            self.say(
                _("Received %(net)s (%(gross)s less the fee of %(fee)s)")
                % {
                    "net": said(received.net_micros),
                    "gross": said(received.gross_micros),
                    "fee": said(received.fee_micros),
                }
            )
        for line in received.lines:
            where = line.thing.url if line.thing is not None else _("other")
            self.say(f"  {said(line.net_micros):>16}  {line.nods:>5} {where}")


def as_json(given: Statement, received: OwnerStatement) -> dict[str, object]:
    """Both halves for a program; shares in order of thing id."""
    return {
        "member": given.member.username,
        "month": months.text(given.month),
        "state": given.state.value,
        "forecast": given.forecast,
        "currency": settings.CURRENCY,
        "paused": given.paused,
        **amounts(
            budget=given.budget_micros,
            spent=given.spend_micros,
            paid=given.paid_micros,
            waiting=given.waiting_micros,
            returned=given.returned_micros,
            fee=given.fee_micros,
            gift=given.gift_micros,
            funds_start=given.funds_start_micros,
            funds_end=given.funds_end_micros,
        ),
        "charity": given.charity.slug if given.charity is not None else None,
        "shares": _shares(given),
        "received": {
            **amounts(
                gross=received.gross_micros, fee=received.fee_micros, net=received.net_micros
            ),
            "lines": _lines(received),
        },
    }


def _shares(given: Statement) -> list[dict[str, object]]:
    return [
        {
            "thing": share.thing.id,
            "url": share.thing.url,
            "state": share.state,
            **amounts(amount=share.amount_micros, fee=share.fee_micros),
        }
        for share in given.shares
    ]


def _lines(received: OwnerStatement) -> list[dict[str, object]]:
    return [
        {
            "thing": line.thing.id if line.thing is not None else None,
            "url": line.thing.url if line.thing is not None else None,
            "nods": line.nods,
            "state": line.state,
            **amounts(gross=line.gross_micros, fee=line.fee_micros, net=line.net_micros),
        }
        for line in received.lines
    ]
