"""Triggers that make the books append-only on both databases.

A later migration of Django's rebuilds a table on SQLite and silently drops its triggers, so they
are installed after every migrate, and `audit` asks for each by name.
"""

from django.db import connection

TABLES = ("ledger_transfer", "ledger_batch")

_SQLITE = """
CREATE TRIGGER IF NOT EXISTS {table}_no_update BEFORE UPDATE ON {table}
BEGIN SELECT RAISE(ABORT, 'the books are append-only'); END;
CREATE TRIGGER IF NOT EXISTS {table}_no_delete BEFORE DELETE ON {table}
BEGIN SELECT RAISE(ABORT, 'the books are append-only'); END;
CREATE TRIGGER IF NOT EXISTS {table}_no_replace BEFORE INSERT ON {table}
WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})
BEGIN SELECT RAISE(IGNORE); END;
"""

# INSERT OR REPLACE passes the other two triggers; IGNORE still lets ON CONFLICT DO NOTHING work.
_SAME = {
    "ledger_transfer": "key = NEW.key OR id = NEW.id",
    "ledger_batch": (
        "id = NEW.id OR first_transfer = NEW.first_transfer"
        " OR last_transfer = NEW.last_transfer OR hash = NEW.hash"
    ),
}

_POSTGRESQL = """
CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the books are append-only' USING ERRCODE = 'restrict_violation'; END $$;
CREATE OR REPLACE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}
FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE OR REPLACE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
"""


def install(**_signal: object) -> None:
    """Create the triggers that are missing; receives Django's post_migrate."""
    if not set(TABLES) <= set(connection.introspection.table_names()):
        return
    with connection.cursor() as cursor:
        for table in TABLES:
            if connection.vendor == "postgresql":
                cursor.execute(_POSTGRESQL.format(table=table))
                continue
            text = _SQLITE.format(table=table, same=_SAME[table])
            for statement in text.split("END;")[:-1]:
                cursor.execute(statement + "END;")


def expected() -> set[str]:
    """The names of all triggers that have to be there."""
    if connection.vendor == "postgresql":
        return {f"{table}_{what}" for table in TABLES for what in ("no_change", "no_truncate")}
    names = ("no_update", "no_delete", "no_replace")
    return {f"{table}_{what}" for table in TABLES for what in names}


def present() -> set[str]:
    """The names of the triggers that are there and switched on."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'"
            )
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        return {name for (name,) in cursor.fetchall()}
