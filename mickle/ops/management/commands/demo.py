"""`mickle demo`: a world to look at."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from mickle.lib import months
from mickle.ops import demonstration
from mickle.ops.catalogue import COMMANDS
from mickle.ops.command import Command as Base


class Command(Base):
    """Fills an empty instance; a second time there is nothing to do."""

    help = COMMANDS["demo"]
    example = "mickle demo --data ~/mickle-demo"

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Fill it, say who may sign in, and settle; of two at once the second finds it here."""
        try:
            done = demonstration.fill()
        except demonstration.NotEmpty:
            if not demonstration.is_here():
                raise
            self.say(_("The demo world is here already. Nothing was changed."))
            return
        self.say_now(
            _("To run it sign in as olga@demo.example with the password %(password)s.")
            % {"password": done.password}
        )
        self.say(
            _(
                "To give sign in as ada@demo.example without one: a code is mailed to her, "
                "and what is mailed lies in %(folder)s."
            )
            % {"folder": settings.DATA_DIR / "mail"}
        )
        demonstration.settle(done)
        self.say(
            _("%(nods)s nods at %(things)s real projects; %(settled)s settled. All money is play.")
            % {
                "nods": done.nods,
                "things": done.things,
                "settled": ", ".join(map(months.text, done.settled)),
            }
        )
