"""A believable world of play money: the software installed here, nodded at by made-up people."""

import random
import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.instance.models import Instance
from mickle.ledger import ledger
from mickle.lib import months, urls
from mickle.lib.errors import Refused
from mickle.ops import loading, standing_on
from mickle.ops.standing_on import Project
from mickle.ops.world import Row, World
from mickle.settlement import settlement

SEED = 1707
MONTHS = 3
SKEW = 1.1
OPERATOR = "demo-olga"
# The example account of the standard; no bank pays to it.
IBAN = "DE89370400440532013000"
_GIVERS = (
    *("Ada", "Amir", "Anouk", "Bao", "Bela", "Chidi", "Cora", "Dag", "Dilara", "Edda"),
    *("Emeka", "Fatou", "Finn", "Gul", "Hanna", "Idris", "Ines", "Jamal", "Jorun", "Kaya"),
    *("Kofi", "Lale", "Linus", "Mara", "Mateo", "Nadia", "Nils", "Oona", "Omar", "Paavo"),
    *("Priya", "Quinn", "Rosa", "Ruben", "Saga", "Sami", "Tala", "Tomas", "Uma", "Viggo"),
)
_MAKERS = (
    *("Bruno", "Cleo", "Dimitri", "Elif", "Greta", "Hugo"),
    *("Ivana", "Jonas", "Kiran", "Lotte", "Malik", "Noor"),
)


class NotEmpty(Refused):
    """The demo needs an instance of its own."""


@dataclass(frozen=True)
class Shown:
    """What the demo made; without a password when it was here before."""

    things: int
    nods: int
    settled: list[int]
    password: str = ""


def is_here() -> bool:
    """Whether this instance holds a demo world already."""
    return instance.here().kind == Instance.Kind.DEMO and not loading.is_empty()


def fill() -> Shown:
    """Fill an empty instance; raises NotEmpty. What was loaded stays when a settlement stops."""
    now = instance.now()
    password = secrets.token_urlsafe(9)
    with transaction.atomic():
        # Of two that begin at once the second waits here, and finds the first one's world.
        instance.take_owners()
        if not loading.is_empty() or instance.here().kind == Instance.Kind.TEST:
            raise NotEmpty(
                _(
                    "The demo needs an empty instance, and this one is in use; "
                    "choose another folder with --data. Nothing was changed."
                )
            )
        loaded = loading.load(World(_described(now, password)), kind=Instance.Kind.DEMO)
    settled = [months.of(now) - back for back in range(MONTHS - 1, 0, -1)]
    return Shown(loaded.things, loaded.nods, settled, password)


def settle(shown: Shown) -> None:
    """Settle the first months of what was filled."""
    now = instance.now()
    for month in shown.settled:
        settlement.settle(month=month, at=now)
    ledger.seal(at=now)


def _described(now: datetime, password: str) -> dict[str, list[Row]]:
    """The world as `mickle load` reads it; the same for the same environment and month."""
    # Not for secrets: the same seed draws the same world.
    draw = random.Random(SEED)  # noqa: S311
    before = months.text(months.of(now) - MONTHS)
    pages = _pages(draw)
    makers = [_person(name, "2.00", before) for name in _MAKERS]
    for page, maker in zip(pages, makers, strict=False):
        page["owner"] = maker["username"]
    makers[0]["iban"] = IBAN
    givers = [
        _person(name, draw.choice(("20.00", "40.00", "100.00")), before)
        | {"budget": draw.choice(("2.00", "3.00", "5.00", "5.00", "5.00", "10.00", "20.00"))}
        | {"public_nods": draw.random() < 1 / 3}
        for name in _GIVERS
    ]
    operator = _person("Olga", "2.00", before) | {"operator": True, "password": password}
    # Popular pages are owned and unowned in turns: the draw goes over them in another order.
    order = pages[:]
    draw.shuffle(order)
    order.sort(key=lambda page: page is not pages[0])
    return {
        "charities": [
            {"slug": "open-library", "name": "Open Library Fund (demo)", "url": ""},
            {"slug": "free-press", "name": "Free Press Fund (demo)", "url": ""},
        ],
        "members": [operator, *makers, *givers],
        "things": pages,
        "nods": [nod for giver in givers for nod in _nods(giver, order, now, draw)],
    }


def _person(name: str, funds: str, funds_month: str) -> Row:
    return {
        "username": f"demo-{name.lower()}",
        "email": f"{name.lower()}@demo.example",
        "name": f"{name} (demo)",
        "funds": funds,
        "funds_month": funds_month,
    }


def _pages(draw: random.Random) -> list[Row]:
    """One page for each home page; the order is that of no alphabet."""
    pages: dict[str, Row] = {}
    for project in standing_on.installed():
        if identity := _identity(project.url):
            pages.setdefault(identity, _page(project))
    rows = [pages[identity] for identity in sorted(pages)]
    draw.shuffle(rows)
    return [row | {"id": number} for number, row in enumerate(rows, start=1)]


def _identity(url: str) -> str:
    try:
        return urls.admit(url).identity
    except Refused:
        return ""


def _page(project: Project) -> Row:
    by = f" By {project.author}." if project.author else ""
    return {
        "url": project.url,
        "title": project.name,
        "description": f"{project.summary.rstrip('.')}.{by}" if project.summary else by.strip(),
        "category": "software",
        "language": "en_GB",
        "tags": ["python", "free software"],
    }


def _nods(giver: Row, pages: list[Row], now: datetime, draw: random.Random) -> list[Row]:
    """Each month a few nods, most of them at what is most popular."""
    weights = [1 / (rank + 1) ** SKEW for rank in range(len(pages))]
    found: list[Row] = []
    last = months.of(now)
    for month in range(last - MONTHS + 1, last + 1):
        wanted = min(len(pages), max(1, round(draw.lognormvariate(1.9, 0.6))))
        chosen: dict[int, None] = {}
        while len(chosen) < wanted:
            chosen.update(dict.fromkeys(draw.choices(range(len(pages)), weights, k=wanted)))
        text = months.text(month)
        instants = _instants(month, wanted, now, draw)
        found += [
            {"member": giver["username"], "thing": pages[place]["id"], "month": text, "at": at}
            for place, at in zip(list(chosen)[:wanted], instants, strict=True)
        ]
    return found


def _instants(month: int, count: int, now: datetime, draw: random.Random) -> list[str]:
    """Instants of a month that have passed, in order."""
    begun = months.start(month)
    length = min(months.end(month), now) - begun
    drawn = sorted(begun + length * draw.random() for _one in range(count))
    return [f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in drawn]
