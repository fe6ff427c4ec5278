"""Who nodded in a month is walked range by range, however many they are."""

import pytest
from django.db import connection

from mickle.lib import chunks
from mickle.lib.chunks import Range
from mickle.nods import nods
from tests.people import MID_NOVEMBER, NOVEMBER, instance_at, member, thing

pytestmark = pytest.mark.django_db


def test_a_range_is_found_without_all_who_come_after():
    instance_at("2026-11")
    both = [member("alice"), member("bob")]
    member("charlie")
    for page in (thing("page"), thing("other")):
        for who in both:
            nods.give(member=who, thing=page, at=MID_NOVEMBER)
    asked: list[str] = []

    def see(execute, sql, params, many, context):
        if sql.startswith("SELECT MAX(k)"):
            asked.append(sql % tuple(params))
        return execute(sql, params, many, context)

    spans: list[Range] = []
    with connection.execute_wrapper(see):
        chunks.walk(nods.givers(NOVEMBER), lambda span: spans.append(span) or 0)
    assert spans == [Range(0, both[-1].id)]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + asked[0])
            assert "ORDER BY" not in str(cursor.fetchall())
