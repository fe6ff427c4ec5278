"""A skewed month: zipf over things, log-normal nods a member. The same seed, the same month."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from mickle.lib import months
from mickle.lib.money import MICROS

SEED = 1707
SKEW = 1.05
OWNED = 0.6
BUDGETS = np.array([2, 3, 5, 5, 5, 10, 20])
FUNDS = np.array([2, 4, 10, 20, 40, 100])
NODS_AT_MOST = 500
SPARE = 2

Column = NDArray[np.int64]


@dataclass(frozen=True)
class Month:
    """Columns of one month: nods in order of member and thing; everything counts from 0."""

    member: Column
    thing: Column
    budget: Column
    funds: Column
    owner: Column


def when() -> int:
    """The month that is described: the one before this one."""
    return months.of(datetime.now(UTC)) - 1


def draw(members: int, nods: int) -> Month:
    """A month of so many nods; nobody nods at their own, or twice."""
    rng = np.random.default_rng(SEED)
    things = max(members // 2, 10)
    owner = np.where(rng.random(things) < OWNED, rng.integers(0, members, things), -1)
    weights = 1 / np.arange(1, things + 1) ** SKEW
    edges = np.cumsum(weights) / weights.sum()
    # Drawn with some to spare: doubles of the popular and nods at one's own fall away.
    each = rng.lognormal(0, 0.9, members)
    each = np.clip(each * nods * SPARE / each.sum(), 1, NODS_AT_MOST).astype(np.int64)
    member = np.repeat(np.arange(members), each)
    thing = np.searchsorted(edges, rng.random(member.size))
    pairs = np.unique(member * things + thing)
    member, thing = pairs // things, pairs % things
    given = np.flatnonzero(owner[thing] != member)
    kept = np.sort(rng.permutation(given)[:nods])
    return Month(
        member[kept],
        thing[kept],
        rng.choice(BUDGETS, members),
        rng.choice(FUNDS, members),
        owner,
    )


def one_page(givers: int) -> Month:
    """A month in which so many gave all of their coin to one page that is nobody's."""
    each = np.arange(givers)
    coin = np.full(givers, 5)
    return Month(each, np.zeros(givers, np.int64), coin, coin, np.array([-1]))


def rows(month: Month) -> dict[str, list[dict[str, object]]]:
    """The month as `mickle load` reads it."""
    text = months.text(when())
    return {
        "members": [
            {"username": f"m{n}", "budget": f"{budget}.00", "funds": f"{funds}.00"}
            for n, (budget, funds) in enumerate(zip(month.budget, month.funds, strict=True))
        ],
        "things": [
            {"id": n + 1, "url": f"https://t{n}.example/", "title": f"Thing {n}"}
            | ({"owner": f"m{owner}"} if owner >= 0 else {})
            for n, owner in enumerate(month.owner.tolist())
        ],
        "nods": [
            {"member": f"m{member}", "thing": thing + 1, "month": text}
            for member, thing in zip(month.member.tolist(), month.thing.tolist(), strict=True)
        ],
    }


def split(month: Month) -> tuple[Column, Column]:
    """The limit: gross of each thing and net of each member, in micros, over sorted columns."""
    size = month.budget.size
    spend = np.minimum(month.budget, month.funds) * MICROS
    n = np.bincount(month.member, minlength=size)
    spend[n == 0] = 0
    share, larger = np.divmod(spend, np.maximum(n, 1))
    begins = np.concatenate(([0], np.cumsum(n)[:-1]))
    rank = np.arange(month.member.size) - begins[month.member]
    amount = share[month.member] + (rank < larger[month.member])
    # Sums stay below 2**53, so a float adds them exactly.
    gross = np.bincount(month.thing, amount, month.owner.size).astype(np.int64)
    owned = month.owner >= 0
    net = gross - gross // 10
    earned = np.bincount(month.owner[owned], net[owned], size).astype(np.int64)
    return gross, earned
