"""A member's funds by the month they were for: what a month's end took belongs to that month."""

from dataclasses import dataclass

from mickle.ledger import ledger
from mickle.ledger.ledger import Kind, Row
from mickle.lib import months
from mickle.members.models import Member
from mickle.settlement import _waiting


@dataclass(frozen=True)
class Move:
    """One move of funds, signed, in the month it was for; one that is foreseen has no row yet."""

    month: int
    amount_micros: int
    row: Row | None


def moves(member: Member) -> list[Move]:
    """Every move of a member's funds, oldest first."""
    pot = ledger.funds(member.id)
    return [_move(row, pot) for row in ledger.transfers(pot)]


def _move(row: Row, pot: ledger.Pot) -> Move:
    if row.debit == pot:
        if row.credit.kind == Kind.POOL and row.month is not None:
            return Move(row.month, -row.amount_micros, row)
        return Move(months.of(row.at), -row.amount_micros, row)
    if row.key.startswith("expire:") and row.month is not None:
        # It came back before that month's spend, to be given with it.
        return Move(row.month + _waiting.EXPIRES_AFTER_MONTHS, row.amount_micros, row)
    return Move(months.of(row.at), row.amount_micros, row)


def at_start(listed: list[Move], month: int) -> int:
    """What was there when a month began, once all months before it are settled."""
    return max(_sum_before(listed, month), 0)


def carried(listed: list[Move], month: int) -> int:
    """What came after a month's end and was for it still; below 0 what went to the one before."""
    return max(-_sum_before(listed, month + 1), 0) - max(-_sum_before(listed, month), 0)


def _sum_before(listed: list[Move], month: int) -> int:
    """Below 0 where money that came later paid for a month, before its freeze."""
    return sum(move.amount_micros for move in listed if move.month < month)


def topped_up(listed: list[Move], month: int) -> int:
    """What came from outside in a month."""
    outside = (Kind.PROVIDER, Kind.UNASSIGNED)
    return sum(
        move.amount_micros
        for move in listed
        if move.month == month
        and move.amount_micros > 0
        and move.row is not None
        and move.row.debit.kind in outside
    )


def given(listed: list[Move]) -> int:
    """What ends of months have taken so far, waiting shares included."""
    return -sum(
        move.amount_micros
        for move in listed
        if move.row is not None and move.row.credit.kind == Kind.POOL
    )
