"""Runs of pytest, each in a fork of a process that has read the libraries and nothing of the house.

An interpreter with pytest and Django takes a second before its first test begins. `mickle` and
`tests` are read by each fork anew: they are those of the tree that is tested.
"""

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module, invalidate_caches
from pathlib import Path
from typing import NamedTuple

# What most tests come to need, as far as it can be read before there are settings.
LIBRARIES = (
    *("pytest", "_pytest.config", "_pytest.pytester", "pytest_django.fixtures"),
    *("hypothesis.stateful", "hypothesis.strategies"),
    *("psycopg.types.json", "asyncio", "sqlparse", "uuid", "xml.etree.ElementTree"),
    *("django.test", "django.db.models.sql.compiler", "django.db.migrations.executor"),
    *("django.db.backends.sqlite3.base", "django.db.backends.postgresql.base"),
    *("django.core.management.commands.migrate", "django.core.mail.backends.locmem"),
    *("django.contrib.auth.hashers", "django.contrib.messages.storage.fallback"),
    *("django.contrib.staticfiles.storage", "django.template.loader", "django.views.generic"),
    *("httpcore2", "truststore", "dns.resolver", "dnslib", "trustme", "lxml.etree", "protego"),
    *("publicsuffixlist", "yaml", "babel.numbers", "jsonschema"),
)
WITHIN_S = 600


class Ran(NamedTuple):
    """How a run of pytest ended, and what it printed."""

    returncode: int
    stdout: str


class Forks:
    """The process that is forked; one run at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env=_environment({}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def pytest(self, tree: Path, *words: str, said: Path, **more: str) -> Ran:
        """Run tests of the tree, in a process that knows nothing of this one."""
        asked = {
            "tree": str(tree),
            "words": words,
            "said": str(said),
            "env": _environment({"PYTHONPATH": str(tree)} | more),
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        return Ran(int(self._process.stdout.readline()), said.read_text())

    def stop(self) -> None:
        """End it; it ends by itself when nobody can ask any more."""
        self._process.communicate()


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    ours = ("PYTEST_", "MICKLE_", "DATABASE_URL", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH")
    return {n: value for n, value in os.environ.items() if not n.startswith(ours)} | dict(more)


def _serve() -> None:
    sys.path.pop(0)
    for library in LIBRARIES:
        import_module(library)
    read = {name.partition(".")[0] for name in sys.modules}
    assert not read & {"mickle", "tests"}, "a fork would not read those of its tree"
    # What is here already is no fork's garbage.
    gc.freeze()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            sys.exit(_run(**json.loads(line)))
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()


def _run(tree: str, words: list[str], said: str, env: dict[str, str]) -> int:
    """Become what `python -m pytest` in the tree would be."""
    signal.alarm(WITHIN_S)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.chdir(tree)
    os.environ.clear()
    os.environ.update(env)
    sys.path.insert(0, tree)
    sys.argv = ["pytest", *words]
    invalidate_caches()
    return int(import_module("pytest").main(words))


if __name__ == "__main__":
    _serve()
