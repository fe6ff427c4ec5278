"""No statement of the edge reads a whole table, however large it grows."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mickle.edge import _database
from mickle.lib import months
from mickle.nods import nods
from mickle.passes import passes
from mickle.things import things
from tests import people
from tests.edge.street import Street
from tests.teams.teaming import holding_from

NOW = datetime.now(UTC)
MONTH = months.of(NOW)


def whole_tables(database, text: str, names: dict) -> list[str]:
    """The steps of a statement that read every row of a table."""
    if connection.vendor == "sqlite":
        steps = [row[3] for row in database.query("EXPLAIN QUERY PLAN " + text, names)]
        read = [step for step in steps if step.startswith("SCAN ") and "json_each" not in step]
        # What a statement made itself has as many rows as were asked for.
        made = ("SCAN g", "SCAN (", "SCAN i", "SCAN inside")
        return [step for step in read if step not in made and not step.startswith(made[:2])]
    steps = [row[0] for row in database.query("EXPLAIN " + text, names)]
    return [step for step in steps if "Seq Scan" in step or "Hash Join" in step]


@pytest.fixture
def said(monkeypatch):
    """Statements with their values, as the edge runs them."""
    found: dict[str, dict] = {}
    for kind in (_database._Sqlite, _database._Postgresql):

        def query(self, text, names, real=kind.query):
            found[text] = names
            return real(self, text, names)

        monkeypatch.setattr(kind, "query", query)
    return found


def test_every_statement_of_the_edge_finds_its_rows_by_an_index(street: Street, said):
    people.instance_at(months.text(MONTH))
    alice = people.member("alice", funds="5.00", month=MONTH - 1)
    page = things.find_or_add(url="https://blog.example/1", at=NOW)
    ben = people.member("ben")
    things.set_owner(thing=page, owner=ben, at=NOW)
    holding_from(MONTH, {ben: 50, people.member("chris"): 50}, page)
    code = passes.grant(member=alice, site="blog.example", nonce="n", at=NOW)
    token = passes.exchange(code=code, nonce="n", at=NOW).token
    asks = [{"url": page.url, "key": "k"}, {"id": page.id, "key": "k"}, {"id": page.id}]
    for path in ("/c/nod", "/c/take-back"):
        for ask in asks:
            street.run(street.post(path, ask | {"pass": token}))
    street.together(f"id={page.id}", "url=https://blog.example/1")
    statements = dict(said)
    assert len(statements) >= 10
    assert any("inside" in text for text in statements)
    database = _database.connect()
    try:
        for text, names in statements.items():
            assert whole_tables(database, text, names) == [], text
    finally:
        database.close()


def test_codes_secrets_and_keys_are_found_by_an_index(transactional_db):
    people.instance_at(months.text(MONTH))
    alice = people.member("alice", funds="5.00", month=MONTH - 1)
    page = things.find_or_add(url="https://blog.example/1", at=NOW)
    code = passes.grant(member=alice, site="blog.example", nonce="n", at=NOW)
    with CaptureQueriesContext(connection) as captured:
        passes.exchange(code=code, nonce="n", at=NOW)
        for _twice in range(2):
            nods.give(member=alice, thing=page, at=NOW, key="k")
    asked = [one["sql"] for one in captured if "_hash" in one["sql"] or '"key"' in one["sql"]]
    assert len(asked) >= 4
    database = _database.connect()
    try:
        for text in asked:
            if text.startswith(("SELECT", "UPDATE")):
                assert whole_tables(database, text.replace("%", "%%"), {}) == [], text
    finally:
        database.close()
