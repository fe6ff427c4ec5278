"""`mickle worker`: what the clock makes due, in a process of its own."""

import signal
import threading
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from mickle.lib.errors import Refused
from mickle.ops.catalogue import COMMANDS
from mickle.ops.command import Command as Base
from mickle.ops.working import Worker


class Undone(Refused):
    """Something that is due failed."""


class Command(Base):
    """Works until it is stopped; any number of workers may work beside each other."""

    help = COMMANDS["worker"]
    example = "mickle worker"

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to stay."""
        parser.add_argument(
            "--once", action="store_true", help="do what is due now, and end; for a timer"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Work until SIGINT or SIGTERM, or until nothing is due."""
        worker = Worker()
        if options["once"]:
            while worker.look():
                pass
            if failing := worker.failing():
                raise Undone(
                    _(
                        "Not everything that is due could be done: %(names)s. It is tried again;"
                        " Jobs, on the operator's pages, says why."
                    )
                    % {"names": ", ".join(failing)}
                )
            return
        told = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: told.set())
        worker.start()
        self.say_now(_("Working (Ctrl-C ends it)."))
        told.wait()
        worker.stop()
