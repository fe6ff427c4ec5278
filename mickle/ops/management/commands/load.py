"""`mickle load`: a described world."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from mickle.ops import loading, world
from mickle.ops.catalogue import COMMANDS
from mickle.ops.command import Command as Base
from mickle.ops.command import takes_json


class Command(Base):
    """Loads a world; the same file a second time changes nothing."""

    help = COMMANDS["load"]
    example = "mickle load world.json"

    def add_arguments(self, parser: CommandParser) -> None:
        """Which file."""
        parser.add_argument("file", metavar="WORLD.json", type=Path, help="see world.schema.json")
        takes_json(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Load it and say how much was new."""
        done = loading.load(world.read(options["file"]))
        if options["json"]:
            self.say_json({"new": asdict(done)})
        elif not any(asdict(done).values()):
            self.say(_("All of this world was here before. Nothing was changed."))
        else:
            self.say(
                _(
                    "New here: members %(members)s, things %(things)s, nods %(nods)s, "
                    "subscriptions %(subscriptions)s, top-ups %(payins)s, charities %(charities)s."
                )
                % {name: f"{count:,}" for name, count in asdict(done).items()}
            )
