"""What is done in a process of its own: `python -m bench.child DEED N`."""

import json
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mickle.config.settings")
django.setup()

from django.db import connection, transaction  # noqa: E402 - Django stands first

from bench import clicks, served, world  # noqa: E402
from mickle.instance import instance  # noqa: E402
from mickle.ledger import ledger  # noqa: E402
from mickle.lib import months  # noqa: E402
from mickle.lib.money import MICROS  # noqa: E402
from mickle.members import members as people  # noqa: E402
from mickle.members.models import Member  # noqa: E402
from mickle.nods import nods  # noqa: E402
from mickle.nods.models import Nod  # noqa: E402
from mickle.ops import database, loading  # noqa: E402
from mickle.ops.world import World  # noqa: E402
from mickle.passes.models import SitePass  # noqa: E402
from mickle.passes.write import hashed  # noqa: E402
from mickle.settlement import settlement  # noqa: E402
from mickle.settlement.models import Line  # noqa: E402
from mickle.things import things as pages  # noqa: E402
from mickle.things.models import Thing  # noqa: E402

# How often it is asked what the server has used: to look at all processes takes milliseconds.
LOOK_S = 0.5


def load(members: int, nods: int) -> dict[str, float]:
    """Write the month as a described world."""
    described = World(world.rows(world.draw(members, nods)))
    database.make_ready()
    began = time.perf_counter()
    done = loading.load(described)
    seconds = time.perf_counter() - began
    if connection.vendor == "postgresql":
        # As a server does every five minutes: what it has logged is written over, not made anew.
        with connection.cursor() as cursor:
            cursor.execute("CHECKPOINT")
    return {"seconds": seconds, "nods": done.nods}


def settle(members: int, nods: int) -> dict[str, float]:
    """Settle it, and compare it with the split in numpy."""
    return settled(lambda: world.draw(members, nods))


def settled(drawn: Callable[[], world.Month]) -> dict[str, float]:
    """Settle a month, and compare every line and every owner with the split of it in numpy.

    It is drawn when all is measured: it is no part of what settling keeps in memory.
    """
    watch = _Watch()
    done = settlement.settle(month=world.when(), at=instance.now(), report=watch)
    watch("", 1, 1)
    # What comparing takes later is not settling's.
    own = served.peak_mb(os.getpid())
    started = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {
        "seconds": sum(watch.seconds.values()),
        "cpu_s": sum(watch.cpu_s.values()),
        "computed_s": watch.seconds["compute"],
        "proof_seconds": watch.seconds["proof"],
        "proof_cpu_s": watch.cpu_s["proof"],
        "nods": done.nods,
        "transfers": done.transfers,
        "memory_mb": max(own, started),
        "server_mb": _server_mb(),
        "equal": _equal(drawn()),
    }


class _Watch:
    """Notes what each stage of a settlement takes, in seconds and of CPU, the server's with it."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self.cpu_s: Counter[str] = Counter()
        self._server_s = _server_cpu_s()
        self._told = self._looked = time.perf_counter()
        self._told_cpu = _cpu_s() + self._server_s

    def __call__(self, label: str, done: int, _total: int) -> None:
        now = time.perf_counter()
        if now - self._looked > LOOK_S or not label:
            self._server_s, self._looked = _server_cpu_s(), now
        now_cpu = _cpu_s() + self._server_s
        # What is told as a stage begins was of the one before, which had no more to tell.
        stage = label if done else ""
        self.seconds[stage] += now - self._told
        self.cpu_s[stage] += now_cpu - self._told_cpu
        self._told, self._told_cpu = now, now_cpu


def release(givers: int) -> dict[str, float]:
    """Load and settle a month of one page that is nobody's, then give it to somebody and wait."""
    database.make_ready()
    loading.load(World(world.rows(world.one_page(givers))))
    at = instance.now()
    settlement.settle(month=world.when(), at=at)
    page, owner = Thing.objects.get(), people.join(email="o@example.org", username="o", at=at)
    people.note_top_up(member=owner, amount_micros=2 * MICROS, month=world.when())
    waits = ledger.total(ledger.Kind.WAITING)
    began = time.perf_counter()
    pages.set_owner(thing=page, owner=owner, at=at)
    settlement.release(thing=page, at=at)
    decided = time.perf_counter() - began
    settlement.release_due(at=at)
    spent = time.perf_counter() - began
    earned = ledger.balance(ledger.revenue(owner.id))
    return {
        "seconds": spent,
        "decided_ms": 1_000 * decided,
        "memory_mb": served.peak_mb(os.getpid()),
        "equal": waits == 5 * givers * MICROS and earned == waits - waits // 10,
    }


def read(count: int) -> dict[str, float]:
    """A member's month of so many nods, settled and running, read again and again; CPU, best."""
    database.make_ready()
    at = instance.now()
    month = months.of(at)
    instance.begin(month=month - 1)
    names = (people.NewMember(username=f"m{n}", joined_at=at) for n in range(count // 15 + 2))
    giver, *owners = people.join_many(names, budget_month=month)
    Member.objects.update(topped_up_micros=2 * MICROS, funded_month=month - 2)
    urls = (f"https://site{n // 4}.example/{n}" for n in range(count))
    with transaction.atomic():
        first, *_more = pages.bulk_add(pages.NewThing(url=url, created_at=at) for url in urls)
        for n in range(count):
            Thing.objects.filter(id=first + n).update(owner=owners[n % len(owners)])
    pots = {"debit": ledger.PROVIDER, "credit": ledger.funds(giver)}
    past = months.start(month - 1)
    ledger.post(key="top-up", **pots, amount_micros=90 * MICROS, reason="TOP_UP", at=past)
    nods.record_many(
        (one, giver, first + n, months.start(one), "page")
        for one in (month - 1, month)
        for n in range(count)
    )
    settlement.settle(month=month - 1, at=at)
    who = Member.objects.get(id=giver)
    return {
        "statement_ms": _best_ms(lambda: settlement.statement(member=who, month=month - 1)),
        "forecast_ms": _best_ms(lambda: settlement.statement(member=who, month=month)),
        "fetched_ms": _best_ms(lambda: list(Nod.objects.filter(month=month).values_list("at"))),
    }


def _best_ms(read: Callable[[], object]) -> float:
    """What this process spends on it at its quickest, of twenty; the database's server is apart."""
    spent = []
    for _turn in range(20):
        began = time.process_time()
        read()
        spent.append(time.process_time() - began)
    return 1_000 * min(spent)


def button(members: int, things: int) -> dict[str, float]:
    """Pages of one site, and a pass for it for so many members, who are made where none are."""
    database.make_ready()
    at = instance.now()
    month = months.of(at)
    if not Member.objects.exists():
        new = (people.NewMember(username=f"m{n}", joined_at=at) for n in range(members))
        people.join_many(new, budget_month=month)
        # Counted as if they had topped up; the books are not what is measured here.
        Member.objects.update(funded_month=month - 1)
    with transaction.atomic():
        first, *_more, last = pages.bulk_add(
            pages.NewThing(url=f"https://{clicks.SITE}/{n}", created_at=at) for n in range(things)
        )
    assert last - first == things - 1
    ids = Member.objects.order_by("id").values_list("id", flat=True)[:members]
    rows = (
        SitePass(
            member_id=member_id,
            site=clicks.SITE,
            token_hash=hashed(f"mkp_{place}"),
            code_hash=hashed(f"code {place}"),
            made_at=at,
            used_at=at,
            expires_at=at + timedelta(days=9),
        )
        for place, member_id in enumerate(ids)
    )
    made = SitePass.objects.bulk_create(rows, batch_size=1_000)
    # What the clock makes due after so much at once is done before anything is measured.
    settlement.close_due(at=at)
    ledger.seal(at=at)
    return {"members": len(made), "first_thing": first, "things": things}


def _cpu_s() -> float:
    """What this process has used by now, those it started and saw end with it."""
    return sum(os.times()[:4])


@cache
def _server() -> int:
    """The process that started all others of the server; 0 where there is none."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return _stat(cursor.fetchone()[0])[1]


def _stat(pid: int | str) -> list[int]:
    """What the system says of a process from its parent on, as numbers."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        # It has ended meanwhile.
        return [0] * 20
    return [0, *map(int, text.rpartition(")")[2].split()[1:])]


def _server_cpu_s() -> float:
    """What all processes of the server have used by now, those that have ended with them."""
    if not (first := _server()):
        return 0.0
    found = [_stat(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    ticks = sum(_stat(first)[11:15]) + sum(sum(one[11:13]) for one in found if one[1] == first)
    return ticks * served.TICK_S


def _server_mb() -> float:
    """What the server's own process took at its peak, without the pages all share."""
    if connection.vendor != "postgresql":
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    facts = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    peak, shared = (int(facts[name].split()[0]) for name in ("VmHWM", "RssShmem"))
    return max(peak - shared, 0) / 1024


def _equal(month: world.Month) -> bool:
    gross, earned = world.split(month)
    lines = dict(Line.objects.values_list("thing_id", "gross_micros"))
    wanted = {n + 1: micros for n, micros in enumerate(gross.tolist()) if micros}
    held = ledger.balances(ledger.Kind.REVENUE)
    return lines == wanted and sorted(held.values()) == sorted(
        micros for micros in earned.tolist() if micros
    )


if __name__ == "__main__":
    deeds: dict[str, Callable[..., dict[str, float]]]
    deeds = {"load": load, "settle": settle, "button": button, "release": release, "read": read}
    print(json.dumps(deeds[sys.argv[1]](*map(int, sys.argv[2:]))))
