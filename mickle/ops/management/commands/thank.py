"""`mickle thank`: a nod for each project a piece of software stands on."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.lib import months
from mickle.lib.errors import Refused
from mickle.members.models import Member
from mickle.nods import nods
from mickle.ops import standing_on
from mickle.ops.catalogue import COMMANDS
from mickle.ops.command import Command as Base
from mickle.ops.command import member_named, takes_json, text
from mickle.ops.progress import bar
from mickle.ops.standing_on import Project
from mickle.things import things


class WhichOne(Refused):
    """Either a file or the environment."""


class Command(Base):
    """Nods at home pages; what has none that is known is named, not guessed."""

    help = COMMANDS["thank"]
    example = "mickle thank requirements.txt --member alice"

    def add_arguments(self, parser: CommandParser) -> None:
        """What it stands on, and who thanks."""
        parser.add_argument(
            "file",
            metavar="FILE",
            nargs="?",
            type=Path,
            help="a requirements.txt, a pylock.toml or a node_modules folder",
        )
        parser.add_argument(
            "--installed", action="store_true", help="all that is installed beside this command"
        )
        parser.add_argument("--member", metavar="NAME", type=text, required=True, help="who thanks")
        takes_json(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Nod at each, and say which are new, which were given before and which are unknown."""
        if (options["file"] is None) != options["installed"]:
            raise WhichOne(_("Give either a FILE or --installed. Nothing was changed."))
        member = member_named(options["member"])
        found = (
            standing_on.installed()
            if options["installed"]
            else standing_on.of_file(options["file"])
        )
        told = _Told()
        for project in bar(found, len(found), _("nods")):
            _thank(member, project, told)
        if options["json"]:
            self.say_json(vars(told))
        else:
            self._tell(member, told)

    def _tell(self, member: Member, told: "_Told") -> None:
        self.say(
            _("New nods of %(name)s for %(month)s: %(new)s. Given before: %(before)s.")
            % {
                "name": member.username,
                "new": len(told.nodded),
                "month": told.month or months.text(instance.open_month()),
                "before": len(told.before),
            }
        )
        if told.refused:
            self.say(_("No nod for: %s.") % ", ".join(told.refused))
        if told.unknown:
            self.say(_("No home page is known of: %s.") % ", ".join(told.unknown))


class _Told:
    """What became of each project, by name."""

    def __init__(self) -> None:
        self.month = ""
        self.nodded: list[str] = []
        self.before: list[str] = []
        self.refused: list[str] = []
        self.unknown: list[str] = []


def _thank(member: Member, project: Project, told: _Told) -> None:
    if not project.url:
        told.unknown.append(project.name)
        return
    at = instance.now()
    try:
        thing = things.find_or_add(
            url=project.url,
            at=at,
            title=project.name,
            description=project.summary,
            category="software",
            added_by=member,
            read=False,
        )
        given = nods.give(member=member, thing=thing, at=at, source="thank")
    except Refused:
        # Their own, one whose maker wants no nods, or an address that is none.
        told.refused.append(project.name)
        return
    told.month = months.text(given.month)
    (told.nodded if given.new else told.before).append(project.name)
