"""Finding things by the words of their title, description and address."""

import re
from collections.abc import Sequence

from django.db import connection, transaction

from mickle.things._search_index import DOCUMENT

FOUND_AT_MOST = 3_000
_WORDS_AT_MOST = 8
# Fewer letters begin so many words that only the word itself is looked for.
_PREFIX_CHARACTERS = 3
_WORD = re.compile(r"[^\W_]+")

_SQLITE = """
SELECT rowid FROM things_search WHERE things_search MATCH %s ORDER BY rowid DESC LIMIT %s
"""
# The words of a thing are in the index alone; a plan that reads things one after the other would
# split each one's text anew. MATERIALIZED and the switch round the query keep to the index.
_POSTGRESQL = f"""
WITH found AS MATERIALIZED (
  SELECT id FROM things_thing WHERE {DOCUMENT} @@ to_tsquery('simple', %s))
SELECT id FROM found ORDER BY id DESC LIMIT %s
"""


def matching(text: str) -> list[int]:
    """Ids of the newest things that have a word beginning with each word of the text."""
    words = _WORD.findall(text.lower())[:_WORDS_AT_MOST]
    if not words:
        return []
    found = _find(words, "")
    # What a common word begins is long to merge, and the word itself has found enough.
    if len(found) < FOUND_AT_MOST and any(len(word) >= _PREFIX_CHARACTERS for word in words):
        return _find(words, "*")
    return found


def _find(words: Sequence[str], star: str) -> list[int]:
    stars = [star if len(word) >= _PREFIX_CHARACTERS else "" for word in words]
    pairs = list(zip(words, stars, strict=True))
    if connection.vendor == "postgresql":
        sql = _POSTGRESQL
        query = " & ".join(word + (":*" if star else "") for word, star in pairs)
    else:
        sql, query = _SQLITE, " ".join(f'"{word}"{star}' for word, star in pairs)
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(sql, [query, FOUND_AT_MOST])
        found = [row[0] for row in cursor.fetchall()]
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan TO DEFAULT")
    return found
