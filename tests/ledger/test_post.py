import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from mickle.ledger import ledger
from mickle.ledger._guards import expected, install, present
from mickle.ledger.models import Account, Batch, Transfer
from mickle.lib.money import LIMIT_MICROS
from tests.people import EUR, MID_NOVEMBER, NOVEMBER

pytestmark = pytest.mark.django_db

ALICE, BOB = ledger.funds(1), ledger.revenue(2)


def arrive(amount: str = "5.00", key: str = "in") -> bool:
    return ledger.post(
        key=key,
        debit=ledger.PROVIDER,
        credit=ALICE,
        amount_micros=EUR(amount),
        reason="TOP_UP",
        at=MID_NOVEMBER,
    )


def give(amount: str, key: str = "give") -> bool:
    return ledger.post(
        key=key,
        debit=ALICE,
        credit=BOB,
        amount_micros=EUR(amount),
        reason="SHARE",
        at=MID_NOVEMBER,
        month=NOVEMBER,
    )


def broken() -> list[str]:
    return [check.name for check in ledger.audit() if not check.ok]


def test_a_transfer_moves_its_amount_from_debit_to_credit():
    assert arrive()
    assert give("2.00")
    assert [ledger.balance(pot) for pot in (ledger.PROVIDER, ALICE, BOB)] == [
        -EUR("5.00"),
        EUR("3.00"),
        EUR("2.00"),
    ]
    assert broken() == []


def test_the_same_key_posts_once():
    assert arrive() is True
    assert arrive() is False
    assert ledger.balance(ALICE) == EUR("5.00")


def test_the_same_key_with_other_content_is_refused():
    arrive()
    with pytest.raises(ledger.KeyReused, match="Nothing was booked"):
        arrive("6.00")
    assert ledger.balance(ALICE) == EUR("5.00")


def test_nobody_gives_what_is_not_there():
    arrive("1.00")
    with pytest.raises(ledger.Insufficient), transaction.atomic():
        give("1.01")
    assert ledger.balance(ALICE) == EUR("1.00")
    assert ledger.find("give") is None


@pytest.mark.parametrize("micros", [0, -1, LIMIT_MICROS + 1, 2**63, -(2**63)])
def test_an_amount_out_of_range_is_a_defect(micros):
    with pytest.raises(ValueError, match="cannot be posted"):
        ledger.post(
            key="x",
            debit=ledger.PROVIDER,
            credit=ALICE,
            amount_micros=micros,
            reason="TOP_UP",
            at=MID_NOVEMBER,
        )


def test_a_transfer_is_reversed_by_a_second_one_and_only_once():
    arrive()
    give("2.00")
    assert ledger.reverse(key="undo", of="give", reason="FAILED", at=MID_NOVEMBER)
    assert (ledger.balance(ALICE), ledger.balance(BOB)) == (EUR("5.00"), 0)
    with pytest.raises(IntegrityError), transaction.atomic():
        ledger.reverse(key="undo again", of="give", reason="FAILED", at=MID_NOVEMBER)
    assert broken() == []


SELECT = """
SELECT 'bulk:' || CAST(holder_id AS TEXT) AS key, 'FUNDS' AS debit_kind, holder_id AS debit_holder,
       'POOL' AS credit_kind, %(month)s AS credit_holder, 1000000 AS amount_micros
FROM ledger_account WHERE kind = 'FUNDS'
"""


def bulk(expected_rows: int | None = None) -> int:
    return ledger.post_from_select(
        SELECT,
        {"month": NOVEMBER},
        reason="SPEND",
        month=NOVEMBER,
        at=MID_NOVEMBER,
        expected=expected_rows,
    )


def two_members_with_funds() -> None:
    for member, amount in ((1, "5.00"), (2, "7.50")):
        top_up(member, amount)


def top_up(member: int, amount: str) -> None:
    ledger.post(
        key=f"in:{member}",
        debit=ledger.PROVIDER,
        credit=ledger.funds(member),
        amount_micros=EUR(amount),
        reason="TOP_UP",
        at=MID_NOVEMBER,
    )


def test_a_select_posts_each_row_once():
    two_members_with_funds()
    assert bulk(2) == 2
    assert ledger.balance(ledger.pool(NOVEMBER)) == EUR("2.00")
    assert bulk() == 0
    assert ledger.balance(ledger.pool(NOVEMBER)) == EUR("2.00")
    assert broken() == []


def test_a_select_that_was_half_posted_posts_the_rest():
    two_members_with_funds()
    assert bulk() == 2
    top_up(3, "5.00")
    assert bulk(3) == 1
    assert ledger.balance(ledger.pool(NOVEMBER)) == EUR("3.00")
    assert broken() == []


def test_a_key_of_a_select_that_is_another_transfers_is_refused():
    two_members_with_funds()
    give_key = "bulk:2"
    ledger.post(
        key=give_key,
        debit=ledger.funds(2),
        credit=BOB,
        amount_micros=EUR("1.00"),
        reason="X",
        at=MID_NOVEMBER,
    )
    with pytest.raises(ledger.KeyReused, match=give_key), transaction.atomic():
        bulk()
    assert broken() == []


def test_a_select_with_another_number_of_rows_is_a_defect_and_posts_nothing():
    two_members_with_funds()
    with pytest.raises(AssertionError, match="2 transfers were due"), transaction.atomic():
        bulk(3)
    assert ledger.balance(ledger.pool(NOVEMBER)) == 0


def test_a_select_that_gives_a_key_twice_is_a_defect_and_posts_nothing():
    two_members_with_funds()
    twice = f"{SELECT} UNION ALL {SELECT}".replace("1000000 AS", "1000001 AS", 1)
    with pytest.raises((AssertionError, IntegrityError)), transaction.atomic():
        ledger.post_from_select(
            twice, {"month": NOVEMBER}, reason="SPEND", month=NOVEMBER, at=MID_NOVEMBER
        )
    assert broken() == []


def test_a_select_that_would_go_below_nought_posts_nothing():
    two_members_with_funds()
    more = SELECT.replace("1000000 AS", "5000001 AS")
    with pytest.raises(ledger.Insufficient), transaction.atomic():
        ledger.post_from_select(
            more, {"month": NOVEMBER}, reason="SPEND", month=NOVEMBER, at=MID_NOVEMBER
        )
    assert ledger.balance(ledger.funds(1)) == EUR("5.00")


CHANGES = [
    "UPDATE ledger_transfer SET amount_micros = 1",
    "UPDATE ledger_transfer SET memo = 'x' WHERE key = 'in'",
    "DELETE FROM ledger_transfer",
    "UPDATE ledger_batch SET hash = 'x'",
    "DELETE FROM ledger_batch",
]


@pytest.mark.parametrize("statement", CHANGES)
def test_the_books_refuse_every_change(statement):
    arrive()
    ledger.seal(at=MID_NOVEMBER)
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_the_books_cannot_be_emptied_or_replaced():
    arrive()
    if connection.vendor == "postgresql":
        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE ledger_transfer CASCADE")
    else:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT OR REPLACE INTO ledger_transfer SELECT id, key, 1, reason, month, memo, at,"
                " credit_id, debit_id, reverses_id FROM ledger_transfer"
            )
    assert Transfer.objects.get().amount_micros == EUR("5.00")
    assert broken() == []


def test_triggers_a_later_migration_dropped_are_missed_and_put_back():
    with connection.cursor() as cursor:
        where = " ON ledger_transfer" if connection.vendor == "postgresql" else ""
        name = next(iter(sorted(expected())))
        where = where.replace("transfer", "batch") if "batch" in name else where
        cursor.execute(f"DROP TRIGGER {name}{where}")
    assert broken() == ["Triggers guard the books"]
    install()
    assert present() >= expected()
    assert broken() == []


def test_sealed_transfers_form_a_chain():
    arrive()
    assert ledger.seal(at=MID_NOVEMBER) == 1
    give("1.00")
    give("1.50", "again")
    assert ledger.seal(at=MID_NOVEMBER) == 2
    assert ledger.seal(at=MID_NOVEMBER) == 0
    first, second = Batch.objects.order_by("id")
    assert second.previous_hash == first.hash
    assert broken() == []


TAMPERINGS = [
    ("Balances equal transfers", "UPDATE ledger_account SET balance_micros = balance_micros + 1"),
    ("Chain of batches", "UPDATE ledger_transfer SET memo = 'changed' WHERE key = 'in'"),
    ("Chain of batches", "UPDATE ledger_transfer SET month = 24322 WHERE key = 'in'"),
    ("Balances equal transfers", "UPDATE ledger_transfer SET amount_micros = amount_micros + 1"),
    ("Balances equal transfers", "DELETE FROM ledger_transfer WHERE key = 'give'"),
    ("Chain of batches", "UPDATE ledger_batch SET transfers = transfers + 1"),
]


@pytest.mark.parametrize(("check", "statement"), TAMPERINGS)
def test_the_audit_finds_what_was_tampered_with(check, statement):
    arrive()
    give("1.00")
    ledger.seal(at=MID_NOVEMBER)
    with connection.cursor() as cursor:
        for name in expected():
            table = name.split("_no_")[0]
            on = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER {name}{on}")
        cursor.execute(statement)
    install()
    assert check in broken()


def test_an_unknown_pot_holds_nothing():
    assert ledger.balance(ledger.funds(99)) == 0
    assert ledger.transfers(ledger.funds(99)) == []
    assert not Account.objects.exists()


def test_the_journal_and_the_trial_balance_agree():
    arrive()
    give("2.00")
    rows = ledger.journal(NOVEMBER)
    assert [(row.key, row.amount_micros) for row in rows] == [
        ("in", EUR("5.00")),
        ("give", EUR("2.00")),
    ]
    sums = ledger.trial_balance()
    assert sum(out for out, _into in sums.values()) == sum(into for _out, into in sums.values())
    assert sums["FUNDS"] == (EUR("2.00"), EUR("5.00"))
