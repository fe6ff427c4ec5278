"""Writers on a database that dies under them: each deed is said again until it is answered.

`python -m tests.postmaster.writing [--settling]`; a line on standard input asks for the books, for
an audit of them, or for the months that were settled beside. The answer is how many top-ups were
answered so far, or months settled, or what is wrong.
"""

import os
import sys
import threading
import time
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import count

import django
import psycopg

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mickle.config.settings")
django.setup()

from django.db import Error, connection, transaction  # noqa: E402 - Django stands first

from mickle.ledger import ledger  # noqa: E402
from mickle.lib import chunks, months  # noqa: E402
from mickle.members.models import Member  # noqa: E402
from mickle.nods import nods  # noqa: E402
from mickle.nods.models import Nod  # noqa: E402
from mickle.ops import database  # noqa: E402
from mickle.payins import payins  # noqa: E402
from mickle.payins.models import Payin  # noqa: E402
from mickle.settlement import settlement  # noqa: E402
from mickle.things.models import Thing  # noqa: E402
from tests.people import MID_NOVEMBER, NOVEMBER, instance_at, member, thing  # noqa: E402

WRITERS, PAGES = 4, 5
CENT = 10_000
# The keys of top-ups and the nods that were answered, as (member, month, thing).
topped_up: set[str] = set()
nodded: set[tuple[int, int, int]] = set()
months_settled: list[int] = []


def write(who: Member, pages: list[Thing], number: int) -> None:
    """Top up a cent and nod, for ever; each under its key until it is answered."""
    for turn in count():
        key, page = f"w{number}-{turn}", pages[turn % PAGES]
        at = months.start(NOVEMBER) + timedelta(seconds=turn)
        until_answered(
            lambda: payins.top_up(member=who, amount_micros=CENT, reference=key, at=at)  # noqa: B023
        )
        topped_up.add(key)
        given = until_answered(
            lambda: nods.give(member=who, thing=page, at=MID_NOVEMBER)  # noqa: B023
        )
        nodded.add((who.id, given.month, page.id))


def until_answered(deed):
    """Try until the database answers."""
    while True:
        try:
            return deed()
        # What closing a cursor of the server's raises comes as the driver's own.
        except (Error, psycopg.Error):
            connection.close()
            time.sleep(0.02)


def books(*, whole: bool) -> str:
    """What was answered is there, once, and the funds are what was topped up; a whole audit."""
    answered, given = set(topped_up), set(nodded)
    with transaction.atomic(), connection.cursor() as cursor:
        # The writers go on: all is read as it was at one moment.
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return _looked_at(answered, given, whole=whole)


def _looked_at(answered: set[str], given: set[tuple[int, int, int]], *, whole: bool) -> str:
    kept = Payin.objects.values_list("reference", flat=True)
    lost = [*answered - set(kept)]
    lost += given - set(Nod.objects.values_list("member_id", "month", "thing_id"))
    checks = [*ledger.audit(), *settlement.audit()] if whole else []
    wrong = [check for check in checks if not check.ok]
    pots = [kind for kind in ledger.Kind if kind != ledger.Kind.PROVIDER]
    held = sum(sum(ledger.balances(kind).values()) for kind in pots)
    if lost or wrong or held != len(kept) * CENT:
        return f"lost {lost}, wrong {wrong}, {held} micros of {len(kept)} top-ups"
    return f"ok {len(answered)}"


def settle() -> None:
    """Settle one month after the other, for ever; what the database died in goes on."""
    # Many short transactions, so that death comes in the middle of something.
    chunks.FIRST = chunks.FEWEST = chunks.MOST = 1
    for month in count(NOVEMBER):
        until_answered(partial(settled, month))
        months_settled.append(month)


def settled(month: int) -> None:
    """It was settled before where only the answer was lost."""
    with suppress(settlement.AlreadySettled):
        settlement.settle(month=month, at=months.start(month + 1) + timedelta(days=4))


def main() -> None:
    database.make_ready()
    instance_at("2026-11")
    people = [member(f"m{n}") for n in range(WRITERS)]
    pages = [thing(f"p{n}") for n in range(PAGES)]
    for number, who in enumerate(people):
        threading.Thread(target=write, args=(who, pages, number), daemon=True).start()
    if "--settling" in sys.argv:
        threading.Thread(target=settle, daemon=True).start()
    print("ready", flush=True)
    for line in sys.stdin:
        if line == "months\n":
            print(f"ok {len(months_settled)}", flush=True)
            continue
        asked = partial(books, whole=line == "audit\n")
        print(until_answered(asked), flush=True)


if __name__ == "__main__":
    main()
