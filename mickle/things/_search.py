"""Finding things by the words of their title, description and address."""

import re

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from mickle.things._search_index import DOCUMENT
from mickle.things.models import Thing

FOUND_AT_MOST = 3_000
_WORDS_AT_MOST = 8
# One letter begins so many words that only the letter itself is looked for.
_PREFIX_CHARACTERS = 2
_WORD = re.compile(r"[^\W_]+")

_SQLITE = """
SELECT rowid FROM things_search WHERE things_search MATCH %s ORDER BY rowid DESC LIMIT %s
"""
# MATERIALIZED keeps the planner from walking all things newest first and reading each one's words.
_POSTGRESQL = f"""
WITH found AS MATERIALIZED (
  SELECT id FROM things_thing WHERE {DOCUMENT} @@ to_tsquery('simple', %s))
SELECT id FROM found ORDER BY id DESC LIMIT %s
"""


def matching(text: str) -> QuerySet[Thing]:
    """The newest things that have a word beginning with each word of the text."""
    words = _WORD.findall(text.lower())[:_WORDS_AT_MOST]
    if not words:
        return Thing.objects.none()
    if connection.vendor == "postgresql":
        sql, query = _POSTGRESQL, " & ".join(word + _star(word, ":*") for word in words)
    else:
        sql, query = _SQLITE, " ".join(f'"{word}"' + _star(word, "*") for word in words)
    return Thing.objects.filter(id__in=RawSQL(sql, (query, FOUND_AT_MOST)))  # noqa: S611 - bound


def _star(word: str, star: str) -> str:
    return star if len(word) >= _PREFIX_CHARACTERS else ""
