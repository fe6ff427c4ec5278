"""Chooses the database of a test run before Django reads its settings.

`pytest --database postgresql` starts a private PostgreSQL on a socket of its own (no TCP; as root
the server runs as another user); the default is SQLite in a file. Loaded by `-p tests.databases`.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest

_ENV = "MICKLE_TEST_DATABASE"
_DAY = "MICKLE_TEST_DAY"


def _wanted() -> str:
    for place, word in enumerate(sys.argv):
        if word.startswith("--database="):
            return word.partition("=")[2]
        if word == "--database":
            return sys.argv[place + 1]
    return os.environ.get(_ENV, "sqlite")


def binaries() -> Path:
    """The folder of the newest PostgreSQL here."""
    found = Path("/usr/lib/postgresql").glob("*/bin")
    newest = sorted(found, key=lambda path: int(path.parent.name))
    if newest:
        return newest[-1]
    initdb = shutil.which("initdb")
    if initdb is None:
        raise SystemExit("The tests need PostgreSQL. Type: apt-get install postgresql")
    return Path(initdb).resolve().parent


class Server:
    """A private PostgreSQL in a folder of its own."""

    def __init__(self, *, durable: bool = False, within: Path | None = None) -> None:
        """A durable one is for benchmarks: what was answered stands after a power cut.

        One within a small disk keeps its log small, and what it answered when it dies by itself.
        """
        self.switches = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
        if not durable:
            self.switches = dict.fromkeys(self.switches, "off")
        if within is not None:
            self.switches |= {"synchronous_commit": "on", "full_page_writes": "on"}
            self.switches |= {"min_wal_size": "2MB", "max_wal_size": "8MB"}
        self.folder = Path(tempfile.mkdtemp(prefix="mickle-pg-", dir=within))
        self.who: dict[str, object] = {}
        if os.geteuid() == 0:
            names = {user.pw_name: user for user in pwd.getpwall()}
            user = names.get("postgres") or names["nobody"]
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self.env = {**os.environ, "HOME": str(self.folder), "LC_ALL": "C"}
        sized = ["--wal-segsize=1"] if within is not None else []
        named = ("-D", "data", "-U", "test", "-A", "trust", "-E", "UTF8", "--no-sync")
        self._run("initdb", *named, *sized)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [binaries() / program, *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            env=self.env,
            cwd=self.folder,
            **self.who,  # type: ignore[call-overload]
        )

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self.log = (self.folder / "log").open("a")
        self.process = subprocess.Popen(
            [
                *(binaries() / "postgres", "-D", "data", "-k", str(self.folder), "-h", ""),
                *("-c", "max_connections=100", "-c", "shared_buffers=256MB"),
                *chain(*(("-c", f"{name}={state}") for name, state in self.switches.items())),
            ],
            env=self.env,
            cwd=self.folder,
            stderr=self.log,
            **self.who,  # type: ignore[call-overload]
        )
        for _attempt in range(200):
            try:
                psycopg.connect(host=str(self.folder), user="test", dbname="postgres").close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise SystemExit((self.folder / "log").read_text()[-500:])

    @property
    def url(self) -> str:
        """The DATABASE_URL of the server's first database."""
        return f"postgresql://test@{str(self.folder).replace('/', '%2F')}/postgres"

    def stop(self) -> None:
        """End the server and forget its data."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder)


_server: Server | None = None
_data: str | None = None
if "PYTEST_XDIST_WORKER" not in os.environ:
    _data = tempfile.mkdtemp(prefix="mickle-test-")
    os.environ["MICKLE_DATA"] = _data
    os.environ[_ENV] = _wanted()
    os.environ.setdefault(_DAY, str(datetime.now(UTC).toordinal()))
    os.environ.pop("DATABASE_URL", None)
    if os.environ[_ENV] == "postgresql":
        _server = Server()
        _server.start()
        os.environ["DATABASE_URL"] = _server.url


def day() -> int:
    """The day that says what is drawn; one of its own to live a run again, and no midnight."""
    return int(os.environ[_DAY])


T = TypeVar("T")


def drawn(config: pytest.Config, among: Sequence[T], *, days: int, ahead: int = 0) -> Sequence[T]:
    """Of what is dear, every `days`-th: all of it within as many days, and with --long at once.

    Who is a day ahead has those of tomorrow.
    """
    return among if config.getoption("--long") else among[(day() + ahead) % days :: days]


def take_turns(
    config: pytest.Config,
    items: list[pytest.Item],
    among: Sequence[pytest.Item],
    *,
    days: int,
    ahead: int = 0,
) -> None:
    """Leave out those of a run's tests that have their turn on another day; see `drawn`."""
    leave_out(config, items, set(among).difference(drawn(config, among, days=days, ahead=ahead)))


def leave_out(
    config: pytest.Config, items: list[pytest.Item], out: Collection[pytest.Item]
) -> None:
    """Take tests out of a run, and say so."""
    items[:] = [item for item in items if item not in out]
    config.hook.pytest_deselected(items=list(out))


def names_some(config: pytest.Config) -> bool:
    """Whether a run is of tests that were named; they run whosever turn it is."""
    whole = {Path(where).name for where in config.getini("testpaths")}
    named = {Path(word).name for word in config.args} - whole
    return bool(named or config.getoption("keyword"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Name the options of this suite."""
    parser.addoption("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.addoption("--long", action="store_true", help="the long runs too")


def pytest_report_header() -> str:
    """Say which database is under test, and how to draw the same again."""
    return f"database: {os.environ[_ENV]}, drawn by {_DAY}={day()}"


def pytest_unconfigure() -> None:
    """Stop the server and remove the data folder."""
    if _server is not None:
        _server.stop()
    if _data is not None:
        shutil.rmtree(_data, ignore_errors=True)
