"""`python -m bench`: measure, and print a table.

`--quick` takes a twentieth of the size; `--long` lets the mixed load run for half an hour on each
database, a month of a hundred million nods settle, and the least of twenty million be done;
`--only nods` measures one part. What `--only growth` finds lands in the docs, if it is not quick;
it takes hours, so that it has to be asked for.
"""

import argparse
import subprocess
from collections.abc import Callable, Iterator
from functools import partial

from bench import growth, least, live, month_end, nods, reading, releasing, settling, street, table
from bench.table import Figure
from tests import databases

MEMBERS, NODS, REQUESTS = 100_000, 2_000_000, 200_000
GIVERS = 1_000_000
READ = 3_000
QUICK = 20
MIXED_S, MIXED_QUICK_S, MIXED_LONG_S = 60.0, 20.0, 1_800.0
# Too long for a run of everything.
IF_ASKED = ("growth",)
Measure = Callable[[], Iterator[Figure]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small run, to see that it works")
    parser.add_argument("--long", action="store_true", help="half an hour of mixed load, twice")
    parser.add_argument("--only", choices=parts(1, 1.0), help="one part")
    asked = parser.parse_args()
    version = subprocess.run(
        [databases.binaries() / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    print(table.machine(version.stdout.split()[2]), flush=True)
    mixed_s = MIXED_LONG_S if asked.long else MIXED_QUICK_S if asked.quick else MIXED_S
    found = parts(QUICK if asked.quick else 1, mixed_s, long=asked.long)
    named = [asked.only] if asked.only else [name for name in found if name not in IF_ASKED]
    measured = [found[name] for name in named]
    figures = [figure for measure in measured for figure in measure()]
    print("\n" + table.drawn(figures) + f"\n\nload after {table.load()}")


def parts(part: int, mixed_s: float, *, long: bool = False) -> dict[str, Measure]:
    """What can be measured, by name; a part of the size."""
    sizes = [nods // part for nods in growth.SIZES + (growth.LONG_SIZES if long else ())]
    into = growth.DOCS if part == 1 else None
    return {
        "street": partial(street.figures, REQUESTS // part),
        "nods": partial(nods.figures, part),
        "live": partial(live.figures, part),
        "settling": partial(settling.figures, part),
        "mixed": partial(settling.mixed, mixed_s),
        "release": partial(releasing.figures, GIVERS // part),
        "reading": partial(reading.figures, READ // part),
        "least": partial(least.figures, (growth.SIZES[-1] if long else NODS) // part),
        "month-end": partial(month_end.figures, MEMBERS // part, NODS // part),
        "growth": partial(growth.figures, sizes, into=into),
    }


if __name__ == "__main__":
    main()
