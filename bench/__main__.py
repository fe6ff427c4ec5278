"""`python -m bench`: measure, and print a table. `--quick` takes a twentieth of the size."""

import argparse
import subprocess
from itertools import chain

from bench import month_end, street, table
from tests import databases

MEMBERS, NODS, REQUESTS = 100_000, 2_000_000, 200_000
QUICK = 20


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small run, to see that it works")
    part = QUICK if parser.parse_args().quick else 1
    version = subprocess.run(
        [databases.binaries() / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    print(table.machine(version.stdout.split()[2]), flush=True)
    parts = chain(
        street.figures(REQUESTS // part), month_end.figures(MEMBERS // part, NODS // part)
    )
    print("\n" + table.drawn(list(parts)))


if __name__ == "__main__":
    main()
