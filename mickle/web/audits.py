"""The checks of every room that keeps money, in one list."""

from mickle.claims import proofs
from mickle.closing import closing
from mickle.ledger import ledger
from mickle.ledger.ledger import Check
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.settlement import settlement
from mickle.teams import teams


def run() -> list[Check]:
    """Recompute everything; reads only."""
    rooms = (ledger, settlement, payins, payouts, closing, proofs, teams)
    return [check for room in rooms for check in room.audit()]
