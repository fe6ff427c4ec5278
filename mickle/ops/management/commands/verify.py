"""`mickle verify`: a proof, checked by anybody, anywhere."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from mickle.lib import proof_files, proofs
from mickle.lib.errors import Refused
from mickle.lib.proof_files import LIMIT_BYTES, Malformed, OfMonth, OfShares, Wrong, amount
from mickle.ops.catalogue import COMMANDS
from mickle.ops.parsing import Command as Base


class Command(Base):
    """Reads the files it is given and nothing else: no settings, no database, no net."""

    help = COMMANDS["verify"]
    example = "mickle verify my-shares-2026-11.json --json-of 2026-11.json"

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, and what its root has to be."""
        parser.add_argument("file", metavar="FILE", help="a proof of shares, or of a month")
        parser.add_argument("--list", action="store_true", help="name every share of the file")
        parser.add_argument("--root", metavar="HEX", help="the root that was published")
        parser.add_argument(
            "--json-of", metavar="MONTHFILE", help="the file that was published for the month"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Say what was checked; raises Malformed or Wrong, each with what it is."""
        try:
            proof = _read(options["file"])
            if isinstance(proof, OfShares):
                self._tell_shares(proof, named=options["list"])
            self._tell_month(proof)
            self._compare(proof, options["root"], options["json_of"])
        except KeyboardInterrupt:
            raise Refused("Stopped. Nothing was decided.") from None
        except (MemoryError, RecursionError):
            raise Malformed("This is no proof: it is too large for this machine.") from None

    def _tell_shares(self, proof: OfShares, *, named: bool) -> None:
        total = proof_files.sum_micros(proof)
        proof_files.check(proof)
        count = len(proof.shares)
        self.say(
            f"{count} {'share' if count == 1 else 'shares'} of {proof.head.month}, together "
            f"{amount(total, proof.head.currency)}."
        )
        self.say(
            f"They are in the tree of the month, at place {proof.place + 1:,} of "
            f"{proof.head.members:,}."
        )
        for text in proof.shares if named else ():
            # A file comes from anybody, and a terminal obeys more than letters.
            self.say(f"  {text if text.isprintable() else ascii(text)}")

    def _tell_month(self, proof: OfShares | OfMonth) -> None:
        head = proof.head
        self.say(f"The month and its tree come to the root {proof.root}.")
        sums = ", ".join(
            f"{name} {amount(getattr(head, name), head.currency)}"
            for name in ("given", "paid", "fee", "waiting", "charity")
        )
        self.say(f"It stands for {head.members:,} members and {head.shares:,} shares: {sums}.")

    def _compare(self, proof: OfShares | OfMonth, root: str | None, month_file: str | None) -> None:
        """Hold the root against what was published; raises Wrong where it is another."""
        if root is not None:
            _must_be(root.strip().lower(), proof.root, "you gave")
            self.say("That is the root you gave.")
        if month_file is not None:
            other = _read(month_file)
            if not isinstance(other, OfMonth):
                raise Malformed(f"{month_file} is not the file of a month.")
            _must_be(other.root, proof.root, f"{month_file} has")
            self.say(f"That is the root in {month_file}.")
        if root is None and month_file is None:
            self.say(
                "Now compare the root with the one that is published for the month: with another "
                "one this file proves nothing."
            )


def _must_be(wanted: str, found: str, whose: str) -> None:
    if not proofs.is_hash(wanted):
        raise Malformed("A root has 64 digits of 0-9 and a-f.")
    if wanted != found:
        raise Wrong(f"The file comes to the root {found}, and {whose} {wanted}.")


def _read(name: str) -> OfShares | OfMonth:
    """The proof in a file, of which no more is read than a proof can have."""
    path = Path(name)
    try:
        if path.exists() and not path.is_file():
            raise Malformed(f"{name} is not a file.")
        with path.open("rb") as file:
            content = file.read(LIMIT_BYTES + 1)
    except OSError as error:
        raise Malformed(f"{name} cannot be read: {error.strerror or error}.") from None
    return proof_files.read(content)
