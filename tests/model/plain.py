"""The money rules as plain dictionaries: what the whole product is compared with."""

from collections import defaultdict

from mickle.lib import money

MIN_RECEIVE = 2_000_000
EXPIRES_AFTER = 6


class Plain:
    """Members, things, nods and pots; every amount in micros."""

    def __init__(self, month: int) -> None:
        self.month = month
        self.funds: dict[str, int] = defaultdict(int)
        self.revenue: dict[str, int] = defaultdict(int)
        self.transit: dict[str, int] = {}
        self.topped_up: dict[str, int] = defaultdict(int)
        self.first_month: dict[str, int] = {}
        self.budget: dict[str, int] = {}
        self.paused: dict[str, bool] = defaultdict(bool)
        self.owner: dict[str, str | None] = {}
        self.refused: set[str] = set()
        self.order: dict[str, int] = {}
        self.nods: set[tuple[int, str, str]] = set()
        self.subscribed: set[tuple[str, str]] = set()
        self.waiting: dict[tuple[int, str, str], int] = {}
        self.fee = 0
        self.charity = 0

    def join(self, name: str) -> None:
        """A new member with the default budget."""
        self.budget[name] = 5_000_000
        self.funds[name] = self.revenue[name] = 0

    def top_up(self, name: str, amount: int) -> None:
        """Money arrives; what waits for the member is released once 2.00 is reached."""
        self.funds[name] += amount
        self.topped_up[name] += amount
        self.first_month.setdefault(name, self.month)
        self.release_owner(name)

    def receives(self, thing: str) -> str | None:
        """The member who may receive for a thing, or None."""
        owner = self.owner[thing]
        if owner is None or self.topped_up[owner] < MIN_RECEIVE:
            return None
        return owner

    def release_owner(self, name: str) -> None:
        """Release what waits for everything a member owns."""
        for thing in [one for one, owner in self.owner.items() if owner == name]:
            self.release(thing)

    def release(self, thing: str) -> None:
        """Pay what waits for a thing, by month, less the fee; the owner's own share goes back."""
        owner = self.receives(thing)
        if owner is None:
            return
        by_month: dict[int, int] = defaultdict(int)
        for key in [key for key in self.waiting if key[2] == thing]:
            amount = self.waiting.pop(key)
            if key[1] == owner:
                self.funds[owner] += amount
            else:
                by_month[key[0]] += amount
        for gross in by_month.values():
            self._pay(owner, gross)

    def _pay(self, owner: str, gross: int) -> None:
        fee = money.fee(gross, 1000)
        self.revenue[owner] += gross - fee
        self.fee += fee

    def refuse(self, thing: str) -> None:
        """For ever: what waits returns to its members."""
        self.refused.add(thing)
        for key in [key for key in self.waiting if key[2] == thing]:
            self.funds[key[1]] += self.waiting.pop(key)

    def counts(self, name: str, thing: str) -> bool:
        """Whether a nod counts at the freeze."""
        return thing not in self.refused and self.owner[thing] != name

    def settle(self) -> None:
        """Close the month, settle it, and let subscriptions nod in the next one."""
        self._expire()
        lines: dict[str, int] = defaultdict(int)
        for name in self.budget:
            self._spend(name, lines)
        for thing, gross in lines.items():
            owner = self.receives(thing)
            assert owner is not None
            self._pay(owner, gross)
        self.month += 1
        for name, thing in self.subscribed:
            if self.counts(name, thing):
                self.nods.add((self.month, name, thing))

    def _expire(self) -> None:
        for key in [key for key in self.waiting if key[0] == self.month - EXPIRES_AFTER]:
            self.funds[key[1]] += self.waiting.pop(key)

    def _spend(self, name: str, lines: dict[str, int]) -> None:
        given = [thing for month, who, thing in self.nods if (month, who) == (self.month, name)]
        spend = 0 if self.paused[name] else min(self.budget[name], self.funds[name])
        if not spend:
            return
        if not given:
            if self.first_month.get(name, self.month) < self.month:
                self.funds[name] -= spend
                self.charity += spend
            return
        valid = {self.order[thing]: thing for thing in given if self.counts(name, thing)}
        for place, share in money.share_out(spend, list(valid)).items():
            thing = valid[place]
            self.funds[name] -= share
            if self.receives(thing):
                lines[thing] += share
            elif share:
                self.waiting[self.month, name, thing] = share

    def waits(self, name: str) -> int:
        """What is set aside of a member."""
        return sum(amount for key, amount in self.waiting.items() if key[1] == name)
