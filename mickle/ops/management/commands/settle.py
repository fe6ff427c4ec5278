"""`mickle settle`: month end."""

from dataclasses import asdict
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mickle.instance import instance
from mickle.lib import months
from mickle.ops import progress
from mickle.ops.catalogue import COMMANDS
from mickle.ops.command import Command as Base
from mickle.ops.command import amounts, month, said, takes_json
from mickle.settlement import settlement


def _stages() -> dict[str, str]:
    return {
        "expire": _("what expires"),
        "expired": _("what expired"),
        "owners": _("who owns what"),
        "freeze": _("spends"),
        "compute": _("result"),
        "members": _("shares"),
        "lines": _("pages"),
        "pay": _("owners"),
        "charges": _("charges"),
        "proof": _("proof"),
    }


class Command(Base):
    """Settles one month, or goes on where a settlement stopped."""

    help = COMMANDS["settle"]
    example = "mickle settle 2026-11"

    def add_arguments(self, parser: CommandParser) -> None:
        """Which month."""
        parser.add_argument("month", metavar="MONTH", type=month, help="for example 2026-11")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what it would come to, and change nothing"
        )
        parser.add_argument(
            "--engine",
            choices=settlement.ENGINES,
            default="",
            help="what computes it; a dry run takes the database",
        )
        parser.add_argument(
            "--fall-back",
            action="store_true",
            help="take the database where the engine cannot be reached",
        )
        takes_json(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Settle it and say what it came to."""
        name, dry = months.text(options["month"]), options["dry_run"]
        settle = (
            settlement.rehearse
            if dry
            else partial(
                settlement.settle, engine=options["engine"], fall_back=options["fall_back"]
            )
        )
        with progress.staged(_("Settling %(month)s") % {"month": name}, _stages()) as report:
            done = settle(month=options["month"], at=instance.now(), report=report)
        if options["json"]:
            facts = _facts(done) | {"month": name, "dry_run": dry}
            if dry:
                # Settled in earnest, it has another key and so another root.
                del facts["proof_root"]
            self.say_json(facts)
        elif dry:
            self.say(
                _("Nothing was changed. Settled now, %(month)s would come to this:")
                % {"month": name}
            )
            self.say(_told(done))
            rows = {"lines": f"{done.lines:,}", "transfers": f"{done.transfers:,}"}
            self.say(_("Rows: %(lines)s pages, %(transfers)s transfers.") % rows)
            self.say(_("Result SHA-256: %(hash)s") % {"hash": done.result_sha256})
        else:
            self.say(_("%(month)s is settled: ") % {"month": name} + _told(done))
            self.say(_("The root of its proof: %(root)s") % {"root": done.proof_root})


def _facts(done: settlement.Settled) -> dict[str, Any]:
    """What it came to for a program, amounts as text."""
    facts = asdict(done)
    sums = {
        key.removesuffix("_micros"): facts.pop(key)
        for key in list(facts)
        if key.endswith("_micros")
    }
    return facts | {"currency": settings.CURRENCY} | amounts(**sums)


def _told(done: settlement.Settled) -> str:
    """What it came to in a sentence or two."""
    gave = ngettext("%(n)s member gave %(sum)s", "%(n)s members gave %(sum)s", done.members)
    nods = ngettext("%(n)s nod", "%(n)s nods", done.nods)
    return _(
        "%(gave)s with %(nods)s. %(paid)s went to owners "
        "(fee %(fee)s inside), %(waiting)s is set aside, %(charity)s went to charities."
    ) % {
        "gave": gave % {"n": f"{done.members:,}", "sum": said(done.spent_micros)},
        "nods": nods % {"n": f"{done.nods:,}"},
        "paid": said(done.paid_micros),
        "fee": said(done.fee_micros),
        "waiting": said(done.waiting_micros),
        "charity": said(done.charity_micros),
    }
