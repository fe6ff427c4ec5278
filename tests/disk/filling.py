"""An instance on a disk that fills up: does what each line of standard input asks, and says how.

`python -m tests.disk.filling`; the data folder is on the disk. The lines: `month N` has members top
up and nod in it, `settle N` settles it, `write` tops up until it cannot, `books` looks at them all.
"""

import os
import random
import sys
from contextlib import suppress
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mickle.config.settings")
django.setup()

from django.db import DatabaseError, connection  # noqa: E402 - Django stands first

from mickle.edge import _database  # noqa: E402
from mickle.ledger import ledger  # noqa: E402
from mickle.lib import months  # noqa: E402
from mickle.nods import nods  # noqa: E402
from mickle.ops import database, failures  # noqa: E402
from mickle.payins import payins  # noqa: E402
from mickle.payins.models import Payin  # noqa: E402
from mickle.settlement import settlement  # noqa: E402
from tests.people import MID_NOVEMBER, creator, instance_at, member, thing  # noqa: E402

MEMBERS, PAGES, GIVEN, ONCE = 30, 30, 5, 12
MICROS = 1_230_000
_WRITTEN_OVER = {"sqlite": "PRAGMA wal_checkpoint(TRUNCATE)", "postgresql": "CHECKPOINT"}
answered: list[str] = []


class World:
    """Members who top up and nod, month after month."""

    def __init__(self) -> None:
        database.make_ready()
        instance_at("2026-11")
        self.people = [member(f"m{n}") for n in range(MEMBERS)]
        owners = [creator(f"o{n}") for n in range(3)]
        self.pages = [thing(f"p{n}", [None, *owners][n % 4]) for n in range(PAGES)]
        self.chance = random.Random("disk")
        # As the edge of a process that serves: with it the index of SQLite's log stays, and where
        # there are not 32 KB for a new one nothing could be read.
        self.kept = _database.connect() if connection.vendor == "sqlite" else None
        for place in range(MEMBERS):
            self._top_up(f"start:{place}", place, MICROS * 200)

    def month(self, month: str) -> str:
        """Everybody tops up and nods."""
        at = months.start(int(month)) + timedelta(days=2)
        for place in range(0, MEMBERS, 3):
            self._top_up(f"{month}:{place}", place)
        nods.record_many(
            (int(month), who.id, page.id, at, "test")
            for who in self.people
            for page in self.chance.sample(self.pages, GIVEN)
        )
        # Else the room of what was written before is written over.
        with connection.cursor() as cursor:
            cursor.execute(_WRITTEN_OVER[connection.vendor])
        return "done"

    def settle(self, month: str) -> str:
        """Settle it, or go on."""
        at = months.end(int(month)) + timedelta(days=4)
        # What follows a settlement can meet the full disk too; the clock does it again.
        with suppress(settlement.AlreadySettled):
            settlement.settle(month=int(month), at=at)
        return f"settled {settlement.month_totals(int(month)).nods}"

    def write(self, name: str) -> str:
        """Top up again and again."""
        for turn in range(ONCE):
            self._top_up(f"{name}:{turn}", turn % MEMBERS)
        return "done"

    def books(self) -> str:
        """All that was answered is there, and every check holds."""
        kept = set(Payin.objects.values_list("reference", flat=True))
        lost = [key for key in answered if key not in kept]
        checks = [*ledger.audit(), *settlement.audit(), *payins.audit()]
        wrong = [check for check in checks if not check.ok]
        return f"lost {lost} wrong {wrong}" if lost or wrong else f"ok {len(answered)}"

    def _top_up(self, key: str, place: int, micros: int = MICROS) -> None:
        payins.top_up(
            member=self.people[place], amount_micros=micros, reference=key, at=MID_NOVEMBER
        )
        answered.append(key)


def main() -> None:
    world = World()
    print("ready", flush=True)
    for line in sys.stdin:
        deed, *words = line.split()
        try:
            said = getattr(world, deed)(*words)
        except (DatabaseError, OSError) as error:
            said = failures.sentence(error)
            connection.close()
        print(said, flush=True)


if __name__ == "__main__":
    main()
