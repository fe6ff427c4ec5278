"""Statements and books as CSV and JSON: the same figures as on the pages, exact."""

import csv
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _

from mickle.ledger import ledger
from mickle.ledger.ledger import Kind, Row
from mickle.lib import money, months
from mickle.settlement.settlement import Move, OwnerStatement, Statement

# A spreadsheet runs a cell that begins with one of these as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value


def csv_response(name: str, head: Sequence[str], lines: Iterable[Sequence[object]]) -> HttpResponse:
    """A CSV file to keep; text cells that a spreadsheet would run are quoted."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    writer = csv.writer(response)
    writer.writerow(head)
    for line in lines:
        writer.writerow([_cell(value) for value in line])
    return response


def statement_csv(found: Statement) -> HttpResponse:
    """One line a share."""
    head = ("month", "thing", "title", "state", "share", "fee", "currency")
    lines = (
        (
            months.text(found.month),
            share.thing.url,
            share.thing.title,
            share.state,
            _exact(share.amount_micros),
            _exact(share.fee_micros),
            settings.CURRENCY,
        )
        for share in found.shares
    )
    kind = "forecast" if found.forecast else "statement"
    return csv_response(f"{kind}-{months.text(found.month)}", head, lines)


def _exact(micros: int) -> object:
    return _Number(money.exact(micros))


class _Number:
    """Decimal text of our own; never from a person, so it needs no quote."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


def statement_json(found: Statement) -> dict[str, Any]:
    """Amounts in micros, so that nothing is rounded."""
    return {
        "month": months.text(found.month),
        "state": str(found.state),
        "forecast": found.forecast,
        "currency": settings.CURRENCY,
        "budget_micros": found.budget_micros,
        "spend_micros": found.spend_micros,
        "charity": found.charity.name if found.charity else None,
        "shares": [
            {
                "thing": share.thing.url,
                "title": share.thing.title,
                "state": share.state,
                "amount_micros": share.amount_micros,
                "fee_micros": share.fee_micros,
            }
            for share in found.shares
        ],
    }


def owner_csv(found: OwnerStatement) -> HttpResponse:
    """One line a thing; those with fewer than three givers are summed."""
    head = (
        "month",
        "thing",
        "title",
        "nods",
        "gross",
        "fee",
        "net",
        "currency",
        "team",
        "team_net",
    )
    lines = (
        (
            months.text(found.month),
            line.thing.url if line.thing else "",
            line.thing.title if line.thing else _("other"),
            line.nods,
            _exact(line.gross_micros),
            _exact(line.fee_micros),
            _exact(line.net_micros),
            settings.CURRENCY,
            line.team,
            _exact(line.team_micros) if line.team else "",
        )
        for line in found.lines
    )
    return csv_response(f"revenue-{months.text(found.month)}", head, lines)


def journal_csv(month: int) -> HttpResponse:
    """Every transfer booked in a month."""
    head = ("id", "at", "key", "reason", "month", "debit", "credit", "amount", "currency", "memo")
    lines = (
        (
            row.id,
            row.at.isoformat(),
            row.key,
            row.reason,
            months.text(row.month) if row.month is not None else "",
            _pot(row.debit),
            _pot(row.credit),
            _exact(row.amount_micros),
            settings.CURRENCY,
            row.memo,
        )
        for row in ledger.journal(month)
    )
    return csv_response(f"journal-{months.text(month)}", head, lines)


def _pot(pot: ledger.Pot) -> str:
    return f"{pot.kind} {pot.holder_id}" if pot.holder_id else str(pot.kind)


def trial_balance_csv(month: int) -> HttpResponse:
    """Debits, credits and balance by kind of account at the end of a month."""
    head = ("account", "debits", "credits", "balance", "currency")
    sums = ledger.trial_balance(months.end(month))
    lines = (
        (kind, _exact(out), _exact(into), _exact(into - out), settings.CURRENCY)
        for kind, (out, into) in sums.items()
    )
    return csv_response(f"trial-balance-{months.text(month)}", head, lines)


def movements(found: Statement) -> list[dict[str, Any]]:
    """Moves of a member's funds in a month in words, those with the same words summed."""
    sums: dict[tuple[str, str], int] = {}
    for move in found.movements:
        words = _move_words(move)
        sums[words] = sums.get(words, 0) + move.amount_micros
    if found.carried_micros:
        came = found.carried_micros > 0
        label = _("Came after the month’s end, and counted") if came else _("For the month before")
        sums[label, ""] = found.carried_micros
    return [
        {"label": label, "note": note, "amount_micros": amount}
        for (label, note), amount in sums.items()
    ]


def _move_words(move: Move) -> tuple[str, str]:
    """What a move was, and what was noted of it."""
    into = move.amount_micros > 0
    if move.row is None:
        return (_("Would come back, it waits") if into else _("Would be given")), ""
    note = move.row.memo if into and move.row.debit.kind == Kind.PROVIDER else ""
    return move_name(move.row, into=into), note


def move_name(row: Row, *, into: bool) -> str:
    """What a move of funds was, for its member."""
    other = row.debit.kind if into else row.credit.kind
    names = {
        (Kind.PROVIDER, True): _("Topped up"),
        (Kind.UNASSIGNED, True): _("Topped up, once it was clear that it was yours"),
        (Kind.REVENUE, True): _("Moved from what you earned"),
        (Kind.WAITING, True): _("Came back, it had waited"),
        (Kind.POOL, True): _("Came back from the month’s pool"),
        (Kind.POOL, False): _("Given at the month’s end"),
        (Kind.WAITING, False): _("Set aside, waiting"),
        (Kind.PAYOUT, False): _("Refunded to you"),
        (Kind.PAYOUT, True): _("A refund that failed came back"),
        (Kind.PROVIDER, False): _("Went back to where it came from"),
        (Kind.CHARITY, False): _("To a charity"),
    }
    return names.get((Kind(other), into), _("Moved"))
