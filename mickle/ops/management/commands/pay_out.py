"""`mickle pay-out`: the file for the bank."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.lib.errors import Refused
from mickle.ops.catalogue import COMMANDS
from mickle.ops.command import Command as Base
from mickle.ops.command import said
from mickle.payouts import payouts
from mickle.payouts.models import PayoutFile


class NoFile(Refused):
    """The place for the file is taken, or there is no earlier file."""


class Command(Base):
    """Puts every requested payout in one file, once."""

    help = COMMANDS["pay-out"]
    example = "mickle pay-out --file payouts-2026-12.xml"

    def add_arguments(self, parser: CommandParser) -> None:
        """Where the file goes."""
        parser.add_argument(
            "--file", metavar="OUT.xml", type=Path, required=True, help="a new file, pain.001"
        )
        parser.add_argument(
            "--last", action="store_true", help="write the newest file again and pay nobody new"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Make room for the file first, so that no payout is claimed that cannot be written."""
        path: Path = options["file"]
        try:
            out = open(path, "xb", opener=_private)  # noqa: SIM115 - closed below
        except FileExistsError as error:
            raise NoFile(
                _("%(file)s is there already. Choose another name; nobody was paid.")
                % {"file": path}
            ) from error
        made: PayoutFile | None = None
        try:
            with out:
                made = _newest() if options["last"] else payouts.make_file(at=instance.now())
                out.write(made.content)
                out.flush()
                os.fsync(out.fileno())
        except BaseException as error:
            path.unlink(missing_ok=True)
            if made is None:
                raise
            raise _not_written(path, made, error) from error
        self.say(
            _("Payments in %(file)s (%(id)s): %(payments)s, together %(sum)s.")
            % {
                "payments": made.payments,
                "sum": said(made.sum_micros),
                "file": path,
                "id": made.message_id,
            }
        )


def _not_written(path: Path, made: PayoutFile, error: BaseException) -> NoFile:
    """Its payouts are in this file for ever, so running the command again would not write it."""
    return NoFile(
        _(
            "%(file)s cannot be written (%(why)s). Nothing is lost: %(id)s stands in the books; "
            "write it with mickle pay-out --last --file OTHER.xml, or download it on the page "
            "Payouts."
        )
        % {
            "file": path,
            "why": getattr(error, "strerror", None) or type(error).__name__,
            "id": made.message_id,
        }
    )


def _private(path: str, flags: int) -> int:
    # It names people and their accounts.
    return os.open(path, flags, 0o600)


def _newest() -> PayoutFile:
    found = PayoutFile.objects.order_by("-id").first()
    if found is None:
        raise NoFile(_("No file was made yet."))
    return found
