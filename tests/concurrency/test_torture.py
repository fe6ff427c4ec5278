"""Eight clients do whatever there is to do, all at once, and none waits for another for ever.

Some seconds in each run, ten minutes with --long. What anybody may be told is a refusal; whatever
else is raised, a deadlock above all, is a failure. The books are looked at when all have stopped.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Lock
from typing import Any

import pytest
from django.test import override_settings

from mickle.instance.models import Month
from mickle.lib.errors import Refused
from mickle.members.models import Member
from mickle.things.models import Thing
from tests.concurrency.together import together
from tests.people import thing
from tests.simulation.year import IBAN, PEOPLE, Bank, Year

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

CLIENTS, SECONDS, LONG_S = 8, 5, 600
# From one look of the operator's to the next.
DAYS, PAUSE_S, TURNS = 10, 0.1, 4


class OneBank(Bank):
    """The bank of many clients."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        self.guard = Lock()

    def transfer(self, *said: Any) -> None:
        with self.guard:
            super().transfer(*said)

    def arrived(self, *said: Any) -> Iterator[dict[str, Any]]:
        with self.guard:
            entries = list(super().arrived(*said))
        yield from entries


class Town(Year):
    """The world of all, and what its operator does; nothing dies in it."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.bank = OneBank(self.chance)
        self.raised: Counter[str] = Counter()
        self.done: Counter[str] = Counter()

    def _try(self, deed: Callable[[], object], **_risk: int) -> bool:
        try:
            deed()
            self.done["done"] += 1
        except Refused:
            self.done["refused"] += 1
        except Exception as error:  # noqa: BLE001 - all of them are told at the end
            self.raised[f"{type(error).__name__}: {error}"] += 1
            return False
        return True

    def operate(self, until: float) -> None:
        """Book, send, settle; until a month has ended, however slow the machine is."""
        turns = 0
        while time.monotonic() < until or turns < TURNS:
            turns += 1
            self._desk()
            self._clockwork()
            self.send_again()
            self._move_in()
            self.at += timedelta(days=DAYS)
            time.sleep(PAUSE_S)

    def _move_in(self) -> None:
        """Somebody new for who left, and another page for one that was merged or refused."""
        for place, who in enumerate(self.people):
            if Member.objects.get(id=who).closing_at is not None:
                self.serial += 1
                self.people[place] = self._join(PEOPLE + self.serial)
        for place, page in enumerate(self.pages):
            if Thing.objects.get(id=page).state in ("MERGED", "REFUSED"):
                self.serial += 1
                self.pages[place] = thing(f"new{self.serial}").id


class Client(Town):
    """One of many in a town."""

    def __init__(self, town: Town, number: int) -> None:
        self.town, self.number, self.serial = town, number, 0
        self.chance = random.Random(f"{town.chance.random()} {number}")
        self.bank, self.people, self.pages = town.bank, town.people, town.pages
        self.raised, self.done = Counter(), Counter()

    @property
    def at(self) -> Any:
        return self.town.at

    def key(self) -> str:
        return f"{self.number}: {super().key()}"

    def rage(self, until: float) -> None:
        while time.monotonic() < until:
            self._happens()


@pytest.mark.parametrize("mode", ["prepaid", "arrears"])
def test_whatever_is_done_at_once_is_done_or_refused(mode, request):
    seed = random.randrange(2**32)
    with override_settings(BANK_IBAN=IBAN, BANK_NAME="Mickle", MODE=mode):
        town = Town(seed)
        town.live(30)
        clients = [Client(town, number) for number in range(CLIENTS - 1)]
        seconds = LONG_S if request.config.getoption("--long") else SECONDS
        until = time.monotonic() + seconds

        def deed(number: int) -> None:
            if number == 0:
                town.operate(until)
            else:
                clients[number - 1].rage(until)

        assert together(CLIENTS, deed) == [None] * CLIENTS
        raised = sum((one.raised for one in clients), town.raised)
        assert raised == {}, f"seed {seed}"
        assert town.checks() == [], f"seed {seed}"
        done = sum((one.done for one in clients), town.done)
        assert done["done"] > 10 * seconds
        assert Month.objects.filter(settled_at__isnull=False).exists()
