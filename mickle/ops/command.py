"""What commands at an instance share: the words of their arguments, and how they answer."""

import argparse
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from mickle.lib import money, months
from mickle.lib.errors import Refused
from mickle.members import members
from mickle.members.models import Member
from mickle.ops.parsing import Command

__all__ = [
    "Command",
    "Unknown",
    "amount",
    "amounts",
    "decimal",
    "member_named",
    "month",
    "said",
    "takes_json",
    "takes_member",
    "text",
]

Read = TypeVar("Read")


class Unknown(Refused):
    """Nobody here has this name."""


def takes_json(parser: CommandParser) -> None:
    """Add `--json`."""
    parser.add_argument("--json", action="store_true", help="answer for a program")


def takes_member(parser: CommandParser, name: str = "MEMBER") -> None:
    """Add the name of a member."""
    parser.add_argument("member", metavar=name, type=text, help="a user name or an e-mail address")


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


def _text(word: str) -> str:
    try:
        word.encode()
    except UnicodeEncodeError:
        raise Refused(_("“%(word)s” is not UTF-8 text") % {"word": word}) from None
    return word


amount = _argument(_amount)
text = _argument(_text)
month = _argument(months.parse)


def decimal(micros: int) -> str:
    """Exact decimal text with the currency's places at least: 12.50, 0.416667."""
    return money.trimmed(micros, settings.CURRENCY_DECIMALS)


def said(micros: int) -> str:
    """An amount for people: 12.50 EUR."""
    return f"{decimal(micros)} {settings.CURRENCY}"


def amounts(**micros: int) -> dict[str, object]:
    """Each amount for a program twice: decimal text under its name, and micros."""
    found: dict[str, object] = {}
    for name, value in micros.items():
        found |= {name: decimal(value), f"{name}_micros": value}
    return found
