"""The parser of every command, and how it answers; needs no settings and no database."""

import argparse
import json
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser

from mickle.ops import terminal

# What Django's own commands offer and an operator of Mickle has no use for.
_DJANGO = {
    "force_color": False,
    "no_color": True,
    "pythonpath": None,
    "settings": None,
    "skip_checks": True,
    "traceback": False,
    "verbosity": 1,
}


class Parser(CommandParser):
    """Says what is wrong with a command line in one sentence, and exits 2."""

    def error(self, message: str) -> NoReturn:
        """Name the mistake and where the help is."""
        self.exit(2, f"{self.prog}: {message.rstrip('.')}. See {self.prog} --help.\n")


class Command(BaseCommand):
    """A command of Mickle; `help` and `example` are what `--help` shows."""

    example = ""
    requires_system_checks = ()

    def create_parser(self, prog_name: str, subcommand: str, **_kwargs: Any) -> CommandParser:
        """A parser with the command's own arguments only."""
        parser = Parser(
            prog=f"{prog_name} {subcommand.replace('_', '-')}",
            description=self.help,
            epilog=f"Example:\n  {self.example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        parser.add_argument("--data", metavar="DIR", help="the folder of the instance's data")
        parser.set_defaults(**_DJANGO)
        self.add_arguments(parser)
        return parser

    def say(self, text: str) -> None:
        """Write one line of the answer."""
        with terminal.told():
            self.stdout.write(text)

    def say_now(self, text: str) -> None:
        """Write one line that somebody waits for while the command goes on."""
        self.say(text)
        with terminal.told():
            self.stdout.flush()

    def say_json(self, answer: object) -> None:
        """Write the answer for a program, in letters that the output has."""
        spoken = getattr(self.stdout, "encoding", None) or "utf-8"
        plain = spoken.lower().replace("-", "") != "utf8"
        self.say(json.dumps(answer, indent=1, ensure_ascii=plain))
