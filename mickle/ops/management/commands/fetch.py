"""`mickle fetch`: what the instance reads at an address, or why it does not."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from mickle.instance import street
from mickle.lib import reading
from mickle.lib.errors import Refused
from mickle.lib.fetch import Fetched
from mickle.lib.reading import Reading
from mickle.ops.catalogue import COMMANDS
from mickle.ops.command import Command as Base
from mickle.ops.command import takes_json

_READ = range(200, 300)


class NoPage(Refused):
    """A server answered, and not with a page."""


class SwitchedOff(Refused):
    """The instance reads nothing from the web."""


class Command(Base):
    """Asks as the pages do, with their limits and their cache."""

    help = COMMANDS["fetch"]
    example = "mickle fetch https://example.com/page"

    def add_arguments(self, parser: CommandParser) -> None:
        """Which page, in which form."""
        parser.add_argument("url", metavar="URL", help="the address of a page, feed or JSON file")
        takes_json(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Say what was read; raises SwitchedOff, Forbidden, Unreachable or NoPage."""
        if not settings.FETCH:
            raise SwitchedOff(
                _("MICKLE_FETCH is off here, so nothing is read from the web. Nothing was asked.")
            )
        found = street.fetcher().get(options["url"], at=datetime.now(UTC))
        if found.status not in _READ:
            raise NoPage(
                _("%(url)s answers %(status)s and no page. Nothing was read; check the address.")
                % {"url": found.url, "status": found.status}
            )
        read = reading.read(found.text, url=found.url, type=found.type, links=found.links)
        if options["json"]:
            self.say_json(_facts(found) | {"reading": _named(read)})
            return
        for name, value in _lines(found, read):
            self.say(f"{name:<12} {value}")


def _lines(found: Fetched, read: Reading) -> list[tuple[str, str]]:
    """Name and value of all there is; texts of strangers are plain, addresses are ASCII."""
    lines = [("address", hop) for hop in found.hops]
    lines.append(("type", found.type))
    lines.append(("read", f"{found.fetched_at:%Y-%m-%d %H:%M} UTC"))
    for name, value in read._asdict().items():
        label = name.replace("_", " ")
        if isinstance(value, str):
            lines += [(label, value)] * bool(value)
        else:
            lines += [(label, one if isinstance(one, str) else _joined(one)) for one in value]
    return lines


def _joined(part: tuple[object, ...]) -> str:
    """A funding, a fact or an item on one line."""
    return "  ".join(text for text in part if isinstance(text, str) and text)


def _facts(found: Fetched) -> dict[str, object]:
    return {
        "url": found.url,
        "status": found.status,
        "type": found.type,
        "hops": list(found.hops),
        "fetched_at": found.fetched_at.isoformat(),
        "from_cache": found.from_cache,
        "cut": found.cut,
        "characters": len(found.text),
    }


def _named(value: Any) -> Any:
    """A reading for a program, with the names of its parts."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _named(part) for name, part in value._asdict().items()}
    return [_named(part) for part in value] if isinstance(value, tuple) else value
