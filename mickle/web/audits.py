"""The checks of every room that keeps money, in one list."""

from mickle.ledger import ledger
from mickle.ledger.ledger import Check
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.settlement import settlement


def run() -> list[Check]:
    """Recompute everything; reads only."""
    return [*ledger.audit(), *settlement.audit(), *payins.audit(), *payouts.audit()]
