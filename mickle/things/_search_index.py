"""The full-text index of things, which follows their table by itself.

On SQLite triggers write it, on PostgreSQL it is an index over an expression. Both are installed
after every migrate, because a later migration of Django's rebuilds a table on SQLite without them.
"""

from django.db import connection

_SQLITE_TABLE = """
CREATE VIRTUAL TABLE IF NOT EXISTS things_search USING fts5(
  title, description, url, content='things_thing', content_rowid='id',
  tokenize="unicode61 remove_diacritics 0", prefix='3')
"""
_REMOVE = """
INSERT INTO things_search (things_search, rowid, title, description, url)
VALUES ('delete', OLD.id, OLD.title, OLD.description, OLD.url);
"""
_ADD = """
INSERT INTO things_search (rowid, title, description, url)
VALUES (NEW.id, NEW.title, NEW.description, NEW.url);
"""
_SQLITE_TRIGGERS = {
    "things_search_added": f"AFTER INSERT ON things_thing BEGIN {_ADD} END",
    "things_search_removed": f"AFTER DELETE ON things_thing BEGIN {_REMOVE} END",
    "things_search_changed": (
        f"AFTER UPDATE OF title, description, url ON things_thing BEGIN {_REMOVE} {_ADD} END"
    ),
}
_SQLITE_FILL = "INSERT INTO things_search (things_search) VALUES ('rebuild')"

# Without punctuation an address is words; with it the parser of PostgreSQL keeps it whole. The
# collation makes capitals of all scripts small, whatever the locale of the server.
DOCUMENT = (
    "to_tsvector('simple', lower(translate(title || ' ' || description || ' ' || url,"
    " './:?#&=-_~+@%%', '             ') COLLATE \"und-x-icu\"))"
)
_POSTGRESQL = f"CREATE INDEX IF NOT EXISTS things_search ON things_thing USING gin (({DOCUMENT}))"


def install(**_signal: object) -> None:
    """Create what is missing of the index; receives Django's post_migrate."""
    tables = connection.introspection.table_names()
    if "things_thing" not in tables:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRESQL.replace("%%", "%"))
            return
        cursor.execute(_SQLITE_TABLE)
        for name, text in _SQLITE_TRIGGERS.items():
            cursor.execute(f"CREATE TRIGGER IF NOT EXISTS {name} {text}")
        if "things_search" not in tables:
            cursor.execute(_SQLITE_FILL)
