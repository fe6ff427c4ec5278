"""Bugs of months that are charged afterwards."""

from tests.seeded.bug import Bug

ARREARS = [
    Bug(
        "a charge has parts of a cent",
        "settlement/_dues.py",
        "SELECT %(month)s, member, amount - amount %% %(unit)s, NULL FROM (",
        "SELECT %(month)s, member, amount, NULL FROM (",
        "tests/settlement/test_arrears.py -k each_case",
    ),
    Bug(
        "what nobody may receive is charged at once",
        "settlement/_dues.py",
        'total="w.total")',
        'total="w.received")',
        "tests/settlement/test_arrears.py -k each_case",
    ),
    Bug(
        "what was put off falls due for ever",
        "settlement/_dues.py",
        '"later": EXPIRES_AFTER_MONTHS',
        '"later": 60',
        "tests/settlement/test_arrears.py -k after_six_months",
    ),
    Bug(
        "what was given up is charged",
        "settlement/_dues.py",
        "AND NOT EXISTS (SELECT 1 FROM settlement_returnedshare r",
        "AND 0 = (SELECT 0 * COUNT(*) FROM settlement_returnedshare r",
        "tests/settlement/test_arrears.py -k given_up",
    ),
    Bug(
        "the smallest charge is any",
        "settlement/_dues.py",
        '"least": settings.CHARGE_MIN_MICROS',
        '"least": 1',
        "tests/settlement/test_arrears.py -k carried_on",
    ),
    Bug(
        "an owner pays for a page of their own",
        "settlement/_dues.py",
        "AND n.member_id <> c.owner",
        "",
        "tests/settlement/test_arrears.py -k cannot_be_received",
    ),
    Bug(
        "what is paid is paid again",
        "settlement/_charges.py",
        "WHERE c.state = '{Charge.State.ASKED}' {{within}}",
        "WHERE c.state <> 'DROPPED' {{within}}",
        "tests/settlement/test_arrears.py -k nothing_moves",
    ),
    Bug(
        "what was dropped is taken all the same",
        "settlement/_charges.py",
        "WHERE c.state = '{Charge.State.ASKED}' {{within}}",
        "WHERE c.state <> 'PAID' {{within}}",
        "tests/settlement/test_arrears.py -k three_times_unpaid",
    ),
    Bug(
        "the fee is that of each payment",
        "settlement/_charges.py",
        "SET fee_micros = f.fee FROM s_fee f",
        "SET fee_micros = f.before FROM s_fee f",
        "tests/settlement/test_arrears.py -k fee_is_that_of_the_sum",
    ),
    Bug(
        "charges are collected outside of a transaction",
        "settlement/_charges.py",
        "return chunks.walk(_PAYERS, lambda span: _pay(span, at))",
        "return _pay(Range(0, 1 << 60), at)",
        "tests/crash/test_dying.py -k collecting",
    ),
    Bug(
        "a charge is dropped a time too early",
        "settlement/_charges.py",
        "tries__gte=settings.CHARGE_TRIES",
        "tries__gte=settings.CHARGE_TRIES - 1",
        "tests/settlement/test_arrears.py -k three_times_unpaid",
    ),
    Bug(
        "a refund takes what pays a charge",
        "web/views/money.py",
        "                kept_micros=kept,",
        "                kept_micros=0,",
        "tests/journeys/test_arrears.py -k one_transfer",
    ),
    Bug(
        "more is charged at once than funds may hold",
        "settlement/_dues.py",
        "WHERE upto <= %(most)s OR",
        "WHERE upto >= 0 OR",
        "tests/settlement/test_arrears.py -k more_at_once",
    ),
]
