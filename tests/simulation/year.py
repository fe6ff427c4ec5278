"""A year of a small instance, drawn from one seed: its people, its bank, its clock, its faults.

Nothing but the seed decides what happens, so a year that fails is lived again by its number.
"""

import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, connection
from django.db.transaction import TransactionManagementError

from mickle.closing import closing
from mickle.ledger import ledger
from mickle.ledger.ledger import Check, Kind
from mickle.lib import months
from mickle.lib.errors import Refused
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.ops import deeds
from mickle.payins import payins
from mickle.payins.models import Payin
from mickle.payouts import payouts
from mickle.payouts.models import Payout
from mickle.settlement import settlement
from mickle.teams import teams
from mickle.things import things
from mickle.things.models import Thing
from tests.crash.dying import dying
from tests.people import instance_at, thing

JANUARY = months.parse("2027-01")
IBAN = "DE89370400440532013000"
PEOPLE, PAGES = 9, 8
SKEW = timedelta(minutes=5)
# What a worker does of itself; mails are of no account here.
CLOCKWORK = [deed for deed in deeds.DEEDS if "mail" not in deed.name and deed.name != "keep-house"]

log = logging.getLogger(__name__)


class Bank:
    """What the operator's bank says, some of it twice, late, or in another order."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.entries: list[tuple[datetime, dict[str, Any]]] = []
        # What lies at the bank, whatever the books say; micros.
        self.holds = 0
        self.seen: set[str] = set()
        self.serial = 0

    def transfer(self, micros: int, reference: str, at: datetime) -> None:
        """Somebody sends money; the entry comes once or more often, within three days."""
        self.serial += 1
        entry = {"amount_micros": micros, "key": f"entry {self.serial}", "reference": reference}
        entry |= {"payer_name": "Somebody", "payer_account": IBAN}
        for _time in range(self.chance.choice((1, 1, 2, 5))):
            self.entries.append((at + timedelta(hours=self.chance.randrange(72)), entry))

    def arrived(self, at: datetime) -> Iterator[dict[str, Any]]:
        """The entries the operator sees by now, in any order."""
        due = [entry for when, entry in self.entries if when <= at]
        self.entries = [(when, entry) for when, entry in self.entries if when > at]
        self.chance.shuffle(due)
        for entry in due:
            yield entry
            if entry["key"] not in self.seen:
                self.seen.add(entry["key"])
                self.holds += entry["amount_micros"]


class Year:
    """Lives day after day; every month's end is looked at whole."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.bank = Bank(self.chance)
        self.at = months.start(JANUARY) + timedelta(hours=9)
        self.deaths = self.faults = self.serial = 0
        instance_at("2027-01")
        members.list_charity(slug="library", name="Library", iban=IBAN)
        self.people = [self._join(i) for i in range(PEOPLE)]
        self.pages = [thing(f"page{i}").id for i in range(PAGES)]

    def _join(self, i: int) -> int:
        who = members.join(email=f"p{i}@example.org", username=f"p{i}", at=self.at)
        payouts.set_account(member=who, iban=IBAN, holder_name=f"Person {i}")
        return who.id

    def live(self, days: int) -> None:
        """Day after day, now and then many at once while nothing runs."""
        end = self.at + timedelta(days=days)
        while self.at < end:
            for _event in range(self.chance.randrange(5)):
                self._happens()
            self._desk()
            # A worker looks every other minute or not for days, and catches up.
            if self.chance.random() < 0.3:
                self._clockwork()
            idle = self.chance.random() < 0.01
            self.at += timedelta(days=self.chance.randrange(5, 40) if idle else 1)
        self.send_again()

    def _happens(self) -> None:
        deed = self.chance.choices(DEEDS, WEIGHTS)[0]
        who = Member.objects.get(id=self.chance.choice(self.people))
        page = Thing.objects.get(id=self.chance.choice(self.pages))
        if who.closing_at is None:
            self._try(lambda: deed(self, who, page))

    def _try(
        self, deed: Callable[[], object], *, within: int = 40, times_as_likely: int = 1
    ) -> bool:
        """Do it; a refusal is an answer. False where a death or a fault came between.

        `within` so many statements it comes.
        """
        fate = self.chance.random() / times_as_likely
        try:
            if fate < 0.05:
                with dying(self.chance.randrange(1, within)) as boundaries:
                    deed()
                self.deaths += bool(boundaries.where)
                return not boundaries.where
            if fate < 0.12:
                with self._fault(self.chance.randrange(1, within)):
                    deed()
            else:
                deed()
        except Refused as refused:
            log.debug("%s", refused)
        except (OperationalError, TransactionManagementError):
            # The second where it was the undoing of a part that failed.
            self.faults += 1
            return False
        return True

    @contextmanager
    def _fault(self, place: int) -> Iterator[None]:
        left = place

        def execute(run: Callable[..., Any], *words: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                raise OperationalError("the disk is full")
            return run(*words)

        with connection.execute_wrapper(execute):
            yield

    def _desk(self) -> None:
        """The operator books what the bank says, and sends and ticks off payouts now and then."""
        for entry in self.bank.arrived(self.at):
            booked = False
            while not booked:
                # Whatever goes wrong, the entry stands in the bank's statement until it is booked.
                self._try(lambda entry=entry: payins.book(**entry, at=self.at))
                booked = Payin.objects.filter(key=entry["key"]).exists()
        if self.chance.random() < 0.2 and payouts.requested().exists():
            self._try(lambda: payouts.make_file(at=self.at))
        for one in Payout.objects.filter(state=Payout.State.SENT).order_by("id"):
            self._bank_decides(one)
        if self.chance.random() < 0.02:
            done = Payout.objects.filter(state=Payout.State.EXECUTED).order_by("-id").first()
            if done is not None:
                self._mark(done, executed=False)

    def send_again(self) -> None:
        """What came back from the bank after its member had left goes out once more."""
        for one in closing.stranded():
            name = {"iban": IBAN, "holder_name": "Somebody"}
            try:
                closing.send_again(member=one.member, **name, at=self.at)
            except Refused as refused:
                log.debug("%s", refused)

    def _bank_decides(self, one: Payout) -> None:
        if self.chance.random() < 0.5:
            self._mark(one, executed=self.chance.random() < 0.9)

    def _mark(self, one: Payout, *, executed: bool) -> None:
        before = one.state
        mark = payouts.mark_executed if executed else payouts.mark_failed
        self._try(lambda: mark(payout=one, at=self.at))
        one.refresh_from_db()
        out = Payout.State.EXECUTED
        self.bank.holds += one.amount_micros * ((before == out) - (one.state == out))

    def _clockwork(self) -> None:
        """What a worker does: each deed that is due; where it died on the way, life goes on first.

        A settlement has hundreds of statements, and may die in any of them.
        """
        for deed in CLOCKWORK:
            risk = {"within": self.chance.choice((40, 400)), "times_as_likely": 2}
            for _time in range(8):
                if not deed.due(self.at) or self._try(lambda d=deed: d.do(self.at), **risk):
                    break
                for _event in range(self.chance.randrange(4)):
                    self._happens()
                if self.chance.random() < 0.1:
                    # It is not tried again before another day.
                    break

    def key(self) -> str:
        """A new key of a click."""
        self.serial += 1
        return f"click {self.serial}"

    def checks(self) -> list[Check]:
        """Every invariant that fails, and whether the bank holds what the books say."""
        found = [
            *(*ledger.audit(), *settlement.audit(), *payins.audit()),
            *(*payouts.audit(), *closing.audit(), *teams.audit()),
        ]
        clients = sum(ledger.total(kind) for kind in Kind if kind not in _NOT_AT_THE_BANK)
        booked = -ledger.total(Kind.PROVIDER)
        detail = f"{self.bank.holds} at the bank, {booked} booked, {clients} of clients and fees"
        found.append(Check("The bank holds it", 1, self.bank.holds == booked == clients, detail))
        return [check for check in found if not check.ok]


_NOT_AT_THE_BANK = (Kind.PROVIDER,)


def _top_up(year: Year, who: Member, _page: Thing) -> None:
    wrong = year.chance.random() < 0.05
    reference = "no idea" if wrong else payins.reference(who)
    year.bank.transfer(year.chance.randrange(100, 4_000) * 10_000, reference, year.at)


def _pay_what_is_asked(year: Year, who: Member, _page: Thing) -> None:
    asked = sum(who.charges.filter(state="ASKED").values_list("amount_micros", flat=True))
    if asked:
        year.bank.transfer(asked, payins.reference(who), year.at)


def _nod(year: Year, who: Member, page: Thing) -> None:
    skew = SKEW * year.chance.uniform(-1, 1)
    nods.give(member=who, thing=page, at=year.at + skew)


def _take_back(year: Year, who: Member, page: Thing) -> None:
    nods.take_back(member=who, thing=page, at=year.at)


def _subscribe(year: Year, who: Member, page: Thing) -> None:
    nods.subscribe(member=who, thing=page, runs_months=3, at=year.at)


def _budget(year: Year, who: Member, _page: Thing) -> None:
    micros = year.chance.randrange(200, 3_000) * 10_000
    paused = year.chance.random() < 0.2
    members.set_budget(member=who, at=year.at, amount_micros=micros, paused=paused)


def _claim(year: Year, who: Member, page: Thing) -> None:
    things.set_owner(thing=page, owner=who, at=year.at)
    settlement.release(thing=page, at=year.at)


def _let_go(year: Year, _who: Member, page: Thing) -> None:
    things.set_owner(thing=page, owner=None, at=year.at)


def _give_up(year: Year, who: Member, page: Thing) -> None:
    month = months.of(year.at) - year.chance.randrange(1, 4)
    settlement.take_back_waiting(member=who, month=month, thing=page, at=year.at)


def _refuse(year: Year, _who: Member, page: Thing) -> None:
    if page.owner_id and year.chance.random() < 0.1:
        settlement.refuse(thing=page, at=year.at)


def _take_down(year: Year, _who: Member, page: Thing) -> None:
    if page.state == Thing.State.TAKEN_DOWN:
        things.put_back(thing=page, at=year.at)
        settlement.release(thing=page, at=year.at)
    elif year.chance.random() < 0.3:
        things.take_down(thing=page, at=year.at)


def _merge(year: Year, _who: Member, page: Thing) -> None:
    other = Thing.objects.get(id=year.chance.choice(year.pages))
    if year.chance.random() < 0.2:
        things.merge(thing=page, into=other, at=year.at)


def _found_team(year: Year, who: Member, _page: Thing) -> None:
    other = Member.objects.get(id=year.chance.choice(year.people))
    first = year.chance.randrange(1, 100)
    team = teams.found(by=who, name="Band", percents={who: first, other: 100 - first}, at=year.at)
    asked = teams.open_agreement(team)
    if asked is not None:
        teams.answer(agreement=asked, member=other, yes=year.chance.random() < 0.9, at=year.at)


def _share(year: Year, who: Member, page: Thing) -> None:
    team = year.chance.choice([*teams.of(who), None])
    if page.owner_id != who.id:
        return
    if team is None or year.chance.random() < 0.2:
        teams.take_out(keeper=who, what=page, at=year.at)
    else:
        teams.put_in(team=team, keeper=who, what=page, at=year.at)


def _withdraw(year: Year, who: Member, _page: Thing) -> None:
    payouts.request(member=who, at=year.at, key=year.key())


def _to_funds(year: Year, who: Member, _page: Thing) -> None:
    payins.to_funds(member=who, at=year.at, key=year.key())


def _refund(year: Year, who: Member, _page: Thing) -> None:
    name = {"iban": IBAN, "holder_name": who.username}
    payouts.refund(member=who, **name, at=year.at, key=year.key())


def _leave(year: Year, who: Member, _page: Thing) -> None:
    if year.chance.random() < 0.15:
        nods_do = year.chance.choice(("settle", "take_back"))
        name = {"iban": IBAN, "holder_name": who.username}
        closing.close(member=who, at=year.at, open_nods=nods_do, **name)


_TABLE = {
    _nod: 40, _top_up: 8, _pay_what_is_asked: 12, _take_back: 5, _subscribe: 4, _budget: 4,
    _claim: 4, _let_go: 1, _give_up: 3, _refuse: 1, _take_down: 2, _merge: 1, _found_team: 1,
    _share: 2, _withdraw: 4, _to_funds: 2, _refund: 2, _leave: 2,
}  # fmt: skip
DEEDS, WEIGHTS = list(_TABLE), list(_TABLE.values())
