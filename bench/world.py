"""A skewed month: zipf over things, log-normal nods a member. The same seed, the same month."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

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
# Members drawn at once; a larger month is so many after each other, in memory only while drawn.
BLOCK = 100_000

Column = NDArray[np.int64]
# Who nods at what, in half the memory: there are a hundred million of them.
Short = NDArray[np.int32]


@dataclass(frozen=True)
class Month:
    """Columns of one month: nods in order of member and thing; everything counts from 0."""

    member: Short
    thing: Short
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
    blocks = [
        _nods(rng, range(first, min(first + BLOCK, members)), nods / members, edges, owner)
        for first in range(0, members, BLOCK)
    ]
    return Month(
        np.concatenate([member for member, _thing in blocks]),
        np.concatenate([thing for _member, thing in blocks]),
        rng.choice(BUDGETS, members),
        rng.choice(FUNDS, members),
        owner,
    )


def _nods(
    rng: np.random.Generator, who: range, each_gives: float, edges: NDArray[Any], owner: Column
) -> tuple[Short, Short]:
    """The nods of a range of members, as many as they give together, in order."""
    things = owner.size
    # Drawn with some to spare: doubles of the popular and nods at one's own fall away.
    each = rng.lognormal(0, 0.9, len(who))
    wanted = round(each_gives * who.stop) - round(each_gives * who.start)
    each = np.clip(each * wanted * SPARE / each.sum(), 1, NODS_AT_MOST).astype(np.int64)
    member = np.repeat(np.arange(who.start, who.stop), each)
    thing = np.searchsorted(edges, rng.random(member.size))
    pairs = np.unique(member * things + thing)
    member, thing = pairs // things, pairs % things
    given = np.flatnonzero(owner[thing] != member)
    kept = np.sort(rng.permutation(given)[:wanted])
    return member[kept].astype(np.int32), thing[kept].astype(np.int32)


def keep(month: Month, path: Path) -> None:
    """Write a month to a file, for processes that need the same one."""
    with path.open("wb") as file:
        np.savez(file, **vars(month))


def read(path: Path) -> Month:
    """The month of a file."""
    with np.load(path) as columns:
        return Month(**columns)


def one_page(givers: int) -> Month:
    """A month in which so many gave all of their coin to one page that is nobody's."""
    each = np.arange(givers, dtype=np.int32)
    coin = np.full(givers, 5)
    return Month(each, np.zeros(givers, np.int32), coin, coin, np.array([-1]))


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
