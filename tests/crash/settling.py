"""A settler to be killed: forks once for each line it reads, so that the next one is there at once.

`python -m tests.crash.settling [--as-it-is]`; a line is a month and the instant at which it is
settled. The child's process id is said when it begins, and how it ended.
"""

import os
import sys
from contextlib import suppress
from datetime import datetime

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mickle.config.settings")
django.setup()

from mickle.lib import chunks  # noqa: E402 - Django stands first
from mickle.settlement import _tree, settlement  # noqa: E402

if "--as-it-is" not in sys.argv:
    # Many short transactions, so that death comes in the middle of something.
    chunks.FIRST = chunks.FEWEST = chunks.MOST = 5
    _tree.BLOCK, _tree._AT_ONCE = 2, 1


def main() -> None:
    print("ready", flush=True)
    for line in sys.stdin:
        month, at = line.split()
        child = os.fork()
        if not child:
            with suppress(settlement.AlreadySettled):
                settlement.settle(month=int(month), at=datetime.fromisoformat(at))
            os._exit(0)
        print(child, flush=True)
        _pid, status = os.waitpid(child, 0)
        print("killed" if os.WIFSIGNALED(status) else f"ended {status}", flush=True)


if __name__ == "__main__":
    main()
