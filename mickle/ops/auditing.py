"""The audit: every room recomputes what is its own."""

from collections.abc import Iterator

from mickle.claims import proofs
from mickle.closing import closing
from mickle.ledger import ledger
from mickle.ledger.ledger import Check
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.settlement import settlement
from mickle.teams import teams


def checks() -> Iterator[Check]:
    """Each invariant, looked at when it is its turn."""
    for room in (ledger, settlement, payins, payouts, closing, proofs, teams):
        yield from room.audit()
