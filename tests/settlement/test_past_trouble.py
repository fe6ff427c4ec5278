"""Nods that have left where much is in the way: their number, a changed archive, who is at them."""

import pytest
from django.db import connection, transaction

from mickle.settlement import _audit
from tests.people import NOVEMBER

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("name", ["_WRONG_LINES", "_WRONG_RECEIPTS"])
def test_the_audit_asks_once_which_months_have_left(name):
    """And not for each line: of a hundred thousand members it never came to an end."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite asks once by itself")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        # As little as makes few rows many.
        cursor.execute("SET LOCAL work_mem = '64kB'")
        cursor.execute(
            f"INSERT INTO nods_past (month, member_id, nods) SELECT {NOVEMBER} + m, i, 1"
            " FROM generate_series(1, 5000) i, generate_series(0, 1) m"
        )
        cursor.execute("ANALYZE nods_past")
        cursor.execute(f"EXPLAIN {getattr(_audit, name)}", {})
        plan = "\n".join(step for (step,) in cursor.fetchall())
        transaction.set_rollback(True)
    assert "(NOT (hashed SubPlan" in plan
    assert "(NOT (SubPlan" not in plan
