"""Writes a batch as the writer's thread does, without limits."""

from mickle.edge._database import Database
from mickle.edge._giving import Batch
from mickle.edge._judging import Ask, Judge, Verdict
from mickle.lib.buckets import Buckets

NO_LIMIT = 10**6


def write(database: Database, *asks: Ask) -> list[Verdict]:
    limit = Buckets(a_second=NO_LIMIT, burst=NO_LIMIT)
    return Batch(database, Judge(a_day=NO_LIMIT, members=limit)).write(asks).verdicts
