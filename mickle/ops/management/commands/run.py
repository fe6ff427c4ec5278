"""`mickle run`: the whole of Mickle in one process."""

import argparse
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.members.models import Member
from mickle.ops import serving
from mickle.ops.catalogue import COMMANDS
from mickle.ops.command import Command as Base

PORT_LIMIT = 65_535
WORKERS_LIMIT = 64


def _number(low: int, high: int) -> Any:
    def read(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(
                _("“%(text)s” is not a number from %(low)s to %(high)s")
                % {"text": text, "low": low, "high": high}
            )
        return int(text)

    return read


class Command(Base):
    """Serves until it is stopped with Ctrl-C."""

    help = COMMANDS["run"]
    example = "mickle run --port 8080 --data ~/mickle"

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to listen."""
        parser.add_argument("--host", default="127.0.0.1", help="127.0.0.1 unless TLS is in front")
        parser.add_argument(
            "--port", type=_number(0, PORT_LIMIT), default=8000, help="8000; 0 takes any free one"
        )
        parser.add_argument(
            "--workers", type=_number(1, WORKERS_LIMIT), default=1, help="processes; 1 is enough"
        )
        parser.add_argument(
            "--no-worker", action="store_true", help="leave what is due to mickle worker"
        )
        parser.add_argument("--demo", action="store_true", help="fill an empty instance first")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Take the port, say the address, serve."""
        host = options["host"]
        serving.check_host(host)
        if options["demo"]:
            call_command("demo", stdout=self.stdout)
        listening = serving.bind(host, options["port"])
        where = serving.address(host, listening)
        self.say_now(_("Mickle is at %(address)s (Ctrl-C ends it).") % {"address": where})
        if not Member.objects.filter(is_operator=True).exists():
            link = f"{where}/setup/{instance.new_setup_token()}"
            self.say_now(_("Nobody runs it yet. This link works once: %(link)s") % {"link": link})
        serving.serve(listening, workers=options["workers"], works=not options["no_worker"])
