"""What all commands share: their parser, the words of their arguments, and how they answer."""

import argparse
import json
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from mickle.lib import money, months
from mickle.lib.errors import Refused
from mickle.members import members
from mickle.members.models import Member

Read = TypeVar("Read")

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


class Unknown(Refused):
    """Nobody here has this name."""


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
        self.stdout.write(text)

    def say_json(self, answer: object) -> None:
        """Write the answer for a program."""
        self.stdout.write(json.dumps(answer, indent=1, ensure_ascii=False))


def takes_json(parser: CommandParser) -> None:
    """Add `--json`."""
    parser.add_argument("--json", action="store_true", help="answer for a program")


def takes_member(parser: CommandParser, name: str = "MEMBER") -> None:
    """Add the name of a member."""
    parser.add_argument("member", metavar=name, help="a user name or an e-mail address")


def member_named(name: str) -> Member:
    """The member with this user name or e-mail address; raises Unknown."""
    found = members.find(name.strip())
    if found is None or found.closed_at is not None:
        raise Unknown(_("Nobody here is called “%(name)s”.") % {"name": name})
    return found


def _argument(read: Callable[[str], Read]) -> Callable[[str], Read]:
    """A reader of arguments whose refusals argparse shows as they are."""

    def typed(text: str) -> Read:
        try:
            return read(text)
        except Refused as refused:
            raise argparse.ArgumentTypeError(str(refused)) from refused

    return typed


def _amount(text: str) -> int:
    return money.parse(text, settings.CURRENCY_DECIMALS)


amount = _argument(_amount)
month = _argument(months.parse)


def decimal(micros: int) -> str:
    """Exact decimal text with the currency's places at least: 12.50, 0.416667."""
    least = settings.CURRENCY_DECIMALS
    whole, _dot, part = money.exact(micros).partition(".")
    part = part.rstrip("0").ljust(least, "0")
    return f"{whole}.{part}" if part else whole


def said(micros: int) -> str:
    """An amount for people: 12.50 EUR."""
    return f"{decimal(micros)} {settings.CURRENCY}"


def amounts(**micros: int) -> dict[str, object]:
    """Each amount for a program twice: decimal text under its name, and micros."""
    found: dict[str, object] = {}
    for name, value in micros.items():
        found |= {name: decimal(value), f"{name}_micros": value}
    return found
