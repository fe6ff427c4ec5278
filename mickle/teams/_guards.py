"""Triggers that keep the history of teams as it was written, on both databases.

Installed after every migrate: one that rebuilds the table on SQLite drops them silently.
"""

from django.db import connection

TABLE = "teams_entry"
_SAID = "the history of a team is append-only"

_SQLITE = (
    (
        f"CREATE TRIGGER IF NOT EXISTS {TABLE}_no_update BEFORE UPDATE ON {TABLE}"
        f" BEGIN SELECT RAISE(ABORT, '{_SAID}'); END"
    ),
    (
        f"CREATE TRIGGER IF NOT EXISTS {TABLE}_no_delete BEFORE DELETE ON {TABLE}"
        f" BEGIN SELECT RAISE(ABORT, '{_SAID}'); END"
    ),
    # INSERT OR REPLACE passes the other two.
    (
        f"CREATE TRIGGER IF NOT EXISTS {TABLE}_no_replace BEFORE INSERT ON {TABLE}"
        f" WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE id = NEW.id)"
        f" BEGIN SELECT RAISE(ABORT, '{_SAID}'); END"
    ),
)
_POSTGRESQL = f"""
CREATE OR REPLACE FUNCTION teams_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '{_SAID}' USING ERRCODE = 'restrict_violation'; END $$;
CREATE OR REPLACE TRIGGER {TABLE}_no_change BEFORE UPDATE OR DELETE ON {TABLE}
FOR EACH ROW EXECUTE FUNCTION teams_refuse();
CREATE OR REPLACE TRIGGER {TABLE}_no_truncate BEFORE TRUNCATE ON {TABLE}
FOR EACH STATEMENT EXECUTE FUNCTION teams_refuse();
"""


def install(**_signal: object) -> None:
    """Create the triggers that are missing; receives Django's post_migrate."""
    if TABLE not in connection.introspection.table_names():
        return
    with connection.cursor() as cursor:
        for statement in _SQLITE if connection.vendor == "sqlite" else (_POSTGRESQL,):
            cursor.execute(statement)


def missing() -> set[str]:
    """The names of the triggers that should be there and are not, or are switched off."""
    if connection.vendor == "sqlite":
        wanted = {f"{TABLE}_{what}" for what in ("no_update", "no_delete", "no_replace")}
        listed = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        wanted = {f"{TABLE}_no_change", f"{TABLE}_no_truncate"}
        listed = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'"
    with connection.cursor() as cursor:
        cursor.execute(listed)
        return wanted - {name for (name,) in cursor.fetchall()}
