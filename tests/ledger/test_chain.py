"""The hash chain is what anybody computes from the transfers, on whichever database."""

import hashlib
from datetime import UTC

import pytest

from mickle.ledger import _audit, ledger
from mickle.ledger.models import Batch, Transfer
from tests.people import MID_NOVEMBER, NOVEMBER

pytestmark = pytest.mark.django_db

MEMOS = ("", "für Ñandú & 木", "100 % of 'it'", "two\nlines", "a\ttab")


def post_some() -> None:
    """Transfers with every fact there is, at instants with and without a part of a second."""
    for place, memo in enumerate(MEMOS):
        ledger.post(
            key=f"one {place}",
            debit=ledger.PROVIDER,
            credit=ledger.funds(place + 1),
            amount_micros=10**place,
            reason="TOP_UP",
            month=NOVEMBER if place % 2 else None,
            memo=memo,
            at=MID_NOVEMBER.replace(microsecond=place * 100),
        )
    ledger.reverse(key="back", of="one 1", reason="REVERSAL", at=MID_NOVEMBER)


def line(row: Transfer) -> str:
    """The line of a transfer, in Python."""
    facts = (row.id, row.key, row.debit_id, row.credit_id, row.amount_micros, row.reason)
    more = ("" if fact is None else fact for fact in (row.month, row.reverses_id))
    stamp = row.at.astimezone(UTC).isoformat(timespec="microseconds")
    return "\x1f".join(map(str, (*facts, *more, row.memo, stamp))) + "\n"


@pytest.mark.parametrize("at_once", [2, 5_000])
def test_the_chain_is_over_the_text_of_every_transfer(at_once, monkeypatch):
    monkeypatch.setattr(_audit, "_AT_ONCE", at_once)
    post_some()
    assert ledger.seal(at=MID_NOVEMBER) == len(MEMOS) + 1
    batch = Batch.objects.get()
    rows = list(Transfer.objects.order_by("id"))
    text = _audit.GENESIS + "".join(line(row) for row in rows)
    assert batch.hash == hashlib.sha256(text.encode()).hexdigest()
    assert (batch.first_transfer, batch.last_transfer) == (rows[0].id, rows[-1].id)
