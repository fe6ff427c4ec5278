"""`mickle audit`: the books, recomputed."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from mickle.ledger.ledger import Check
from mickle.lib.errors import Refused
from mickle.ops import auditing
from mickle.ops.catalogue import COMMANDS
from mickle.ops.command import Command as Base
from mickle.ops.command import takes_json


class Broken(Refused):
    """An invariant of the books does not hold."""


class Command(Base):
    """Names each invariant with how much it looked at; stops at the first that fails."""

    help = COMMANDS["audit"]
    example = "mickle audit"

    def add_arguments(self, parser: CommandParser) -> None:
        """For people or for a program."""
        takes_json(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Check until something is wrong; raises Broken."""
        seen: list[Check] = []
        for check in auditing.checks():
            seen.append(check)
            if not options["json"]:
                mark = "ok   " if check.ok else "WRONG"
                self.say(f"{mark} {check.name} ({check.count:,})")
            if not check.ok:
                break
        broken = [check for check in seen if not check.ok]
        if options["json"]:
            rows = [{"name": one.name, "count": one.count, "ok": one.ok} for one in seen]
            self.say_json({"ok": not broken, "checks": rows})
        if broken:
            raise Broken(
                _("The books are not in order: %(name)s (%(detail)s).")
                % {"name": broken[0].name, "detail": broken[0].detail or "?"}
            )
        if not options["json"]:
            self.say(_("%(count)s invariants hold.") % {"count": len(seen)})
