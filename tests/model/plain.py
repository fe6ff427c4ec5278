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
        # Of the one team: its percents, and what each keeper said of a page, by month.
        self.percents: list[tuple[int, dict[str, int]]] = []
        self.said: dict[str, list[tuple[int, str, bool]]] = defaultdict(list)
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
        for thing in self.owner:
            self.release(thing)

    def agree(self, percents: dict[str, int]) -> None:
        """The team has other percents from next month on; who left has back what they put in."""
        self.percents.append((self.month + 1, percents))
        for thing, words in self.said.items():
            _month, keeper, inside = words[-1]
            if inside and keeper not in percents:
                self.say(thing, keeper, inside=False)

    def say(self, thing: str, keeper: str, *, inside: bool) -> None:
        """A keeper shares a page with the team from next month on, or no more."""
        self.said[thing].append((self.month + 1, keeper, inside))

    def team(self, month: int) -> dict[str, int]:
        """Who has which part of the team in a month."""
        return next((parts for since, parts in reversed(self.percents) if since <= month), {})

    def owners(self, thing: str, month: int) -> dict[str, int]:
        """Who has which part of a thing in a month: its owner, or the team."""
        owner = self.owner[thing]
        if owner is None:
            return {}
        words = [word for word in self.said.get(thing, ()) if word[0] <= month and word[1] == owner]
        return self.team(month) if words and words[-1][2] else {owner: 1}

    def receives(self, thing: str, month: int) -> dict[str, int]:
        """The parts of those who receive for a thing of a month; nobody where one may not."""
        owners = self.owners(thing, month)
        able = all(self.topped_up[owner] >= MIN_RECEIVE for owner in owners)
        return owners if able else {}

    def release(self, thing: str) -> None:
        """Pay what waits for a thing, by month, less the fee; the owners' own shares go back."""
        by_month: dict[int, int] = defaultdict(int)
        for key in [key for key in self.waiting if key[2] == thing]:
            owners = self.receives(thing, key[0])
            if not owners:
                continue
            amount = self.waiting.pop(key)
            if key[1] in owners:
                self.funds[key[1]] += amount
            else:
                by_month[key[0]] += amount
        for month, gross in by_month.items():
            self._pay(self.receives(thing, month), gross)

    def _pay(self, owners: dict[str, int], gross: int) -> None:
        fee = money.fee(gross, 1000)
        names = list(self.budget)
        weights = {names.index(owner): weight for owner, weight in owners.items()}
        for place, part in money.weighed_parts(gross - fee, weights).items():
            self.revenue[names[place]] += part
        self.fee += fee

    def refuse(self, thing: str) -> None:
        """For ever: what waits returns to its members."""
        self.refused.add(thing)
        for key in [key for key in self.waiting if key[2] == thing]:
            self.funds[key[1]] += self.waiting.pop(key)

    def counts(self, name: str, thing: str) -> bool:
        """Whether a nod counts at the freeze."""
        return thing not in self.refused and name not in self.owners(thing, self.month)

    def settle(self) -> None:
        """Close the month, settle it, and let subscriptions nod in the next one."""
        self._expire()
        lines: dict[str, int] = defaultdict(int)
        for name in self.budget:
            self._spend(name, lines)
        for thing, gross in lines.items():
            owners = self.receives(thing, self.month)
            assert owners
            self._pay(owners, gross)
        self.month += 1
        for name, thing in self.subscribed:
            # A monthly nod rests while the page is one's own, alone or through a team.
            if self.owner[thing] != name and self.counts(name, thing):
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
            if self.receives(thing, self.month):
                lines[thing] += share
            elif share:
                self.waiting[self.month, name, thing] = share

    def waits(self, name: str) -> int:
        """What is set aside of a member."""
        return sum(amount for key, amount in self.waiting.items() if key[1] == name)
