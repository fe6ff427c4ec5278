"""`mickle close-due`: what the clock makes due."""

from typing import Any

from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.lib import months
from mickle.ops.catalogue import COMMANDS
from mickle.ops.command import Command as Base
from mickle.settlement import settlement


class Command(Base):
    """Closes ended months; a worker does the same once a minute."""

    help = COMMANDS["close-due"]
    example = "mickle close-due"

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Close them and name them."""
        closed = settlement.close_due(at=instance.now())
        for month in closed:
            self.say(_("%(month)s is closed.") % {"month": months.text(month)})
        if not closed:
            self.say(
                _("No month is due: %(month)s is open.")
                % {"month": months.text(instance.open_month())}
            )
