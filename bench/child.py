"""What is measured in a process of its own: `python -m bench.child load|settle MEMBERS NODS`."""

import json
import os
import resource
import sys
import time
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mickle.config.settings")
django.setup()

from django.db import connection  # noqa: E402 - Django stands first

from bench import world  # noqa: E402
from mickle.instance import instance  # noqa: E402
from mickle.ledger import ledger  # noqa: E402
from mickle.ops import database, loading  # noqa: E402
from mickle.ops.world import World  # noqa: E402
from mickle.settlement import settlement  # noqa: E402
from mickle.settlement.models import Line  # noqa: E402


def load(members: int, nods: int) -> dict[str, float]:
    """Write the month as a described world."""
    described = World(world.rows(world.draw(members, nods)))
    database.make_ready()
    began = time.perf_counter()
    done = loading.load(described)
    return {"seconds": time.perf_counter() - began, "nods": done.nods}


def settle(members: int, nods: int) -> dict[str, float]:
    """Settle it, and compare every line and every owner with the split in numpy."""
    began = time.perf_counter()
    done = settlement.settle(month=world.when(), at=instance.now())
    spent = time.perf_counter() - began
    # What comparing takes later is not settling's.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "seconds": spent,
        "nods": done.nods,
        "transfers": done.transfers,
        "memory_mb": peak,
        "server_mb": _server_mb(),
        "equal": _equal(world.draw(members, nods)),
    }


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
    deed = {"load": load, "settle": settle}[sys.argv[1]]
    print(json.dumps(deed(int(sys.argv[2]), int(sys.argv[3]))))
