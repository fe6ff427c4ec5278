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
        # By kind of payout and member: how much, and how much of it had been topped up.
        self.transit: dict[tuple[str, str], tuple[int, int]] = {}
        self.topped_up: dict[str, int] = defaultdict(int)
        self.first_month: dict[str, int] = {}
        self.budget: dict[str, int] = {}
        self.paused: dict[str, bool] = defaultdict(bool)
        self.owner: dict[str, str | None] = {}
        self.refused: set[str] = set()
        self.into: dict[str, str] = {}
        self.gone: set[str] = set()
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
        self.release_all()

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

    def target(self, thing: str) -> str:
        """What a page was merged into, or the page."""
        return self.into.get(thing, thing)

    def nods_at(self, name: str, thing: str) -> set[tuple[int, str, str]]:
        """The open month's nods of a member at a page, or at what is one with it by now."""
        here = {key for key in self.nods if key[:2] == (self.month, name)}
        return {key for key in here if self.target(key[2]) == self.target(thing)}

    def stands(self, thing: str) -> bool:
        """Whether a page is one of its own that can get nods."""
        return thing not in self.refused and thing not in self.into

    def waits_for(self, thing: str) -> list[tuple[int, str, str]]:
        """What waits for a page, or for one that was merged into it."""
        return [key for key in self.waiting if self.target(key[2]) == thing]

    def release_all(self) -> None:
        """Pay all that waits and need not."""
        for thing in self.owner:
            self.release(thing)

    def release(self, thing: str) -> None:
        """Pay what waits for a thing, by line, less the fee; the owners' own shares go back."""
        by_line: dict[tuple[int, str], int] = defaultdict(int)
        for key in self.waits_for(thing):
            owners = self.receives(thing, key[0])
            if not owners:
                continue
            amount = self.waiting.pop(key)
            if key[1] in owners:
                self.funds[key[1]] += amount
            else:
                by_line[key[0], key[2]] += amount
        for (month, _line), gross in by_line.items():
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
        for key in self.waits_for(thing):
            self.funds[key[1]] += self.waiting.pop(key)

    def merge(self, thing: str, into: str) -> None:
        """Two pages are one for ever, and what was merged into the one is the other's too."""
        self.into |= {one: into for one, other in self.into.items() if other == thing}
        self.into[thing] = into

    def withdraw(self, name: str, amount: int) -> None:
        """Earnings are on their way to a bank."""
        self.revenue[name] -= amount
        self.transit["REVENUE", name] = (amount, 0)

    def refund(self, name: str, amount: int) -> None:
        """Funds are on their way back; what was topped up is taken from first."""
        counted = min(amount, self.topped_up[name])
        self.funds[name] -= amount
        self.topped_up[name] -= counted
        self.transit["REFUND", name] = (amount, counted)

    def arrive(self, kind: str, name: str, *, fails: bool) -> None:
        """The bank has done it, or sent it back."""
        amount, counted = self.transit.pop((kind, name))
        if fails:
            (self.funds if kind == "REFUND" else self.revenue)[name] += amount
            self.topped_up[name] += counted

    def close(self, name: str) -> None:
        """Who leaves has back what waits and is paid each whole cent; the rest is charity's."""
        self.gone.add(name)
        self.nods = {nod for nod in self.nods if nod[:2] != (self.month, name)}
        self.subscribed = {one for one in self.subscribed if one[0] != name}
        self.owner |= {thing: None for thing, owner in self.owner.items() if owner == name}
        for key in [key for key in self.waiting if key[1] == name]:
            self.funds[name] += self.waiting.pop(key)
        for pot, send in ((self.funds, self.refund), (self.revenue, self.withdraw)):
            if whole := money.whole_minor(pot[name]):
                send(name, whole)
            self.charity += pot[name]
            pot[name] = 0

    def counts(self, name: str, thing: str) -> bool:
        """Whether a nod counts at the freeze."""
        target = self.target(thing)
        return target not in self.refused and name not in self.owners(target, self.month)

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
            target = self.target(thing)
            if self.owner[target] != name and self.counts(name, target):
                self.nods.add((self.month, name, target))

    def _expire(self) -> None:
        for key in [key for key in self.waiting if key[0] == self.month - EXPIRES_AFTER]:
            self.funds[key[1]] += self.waiting.pop(key)

    def _spend(self, name: str, lines: dict[str, int]) -> None:
        mine = [thing for month, who, thing in self.nods if (month, who) == (self.month, name)]
        given = {self.target(thing) for thing in mine}
        spend = 0 if self.paused[name] else min(self.budget[name], self.funds[name])
        if not spend or name in self.gone:
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
