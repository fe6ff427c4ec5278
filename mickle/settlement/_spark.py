"""The engine for months past a billion nods: Spark, on this machine or on a cluster.

It reads the frozen rows as Parquet files, sorted by member, that DuckDB writes where both can see
them: in a folder or in an object store. Extra `mickle[spark]`.
"""

import re
import shutil
import socket
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from mickle.lib import files, leftovers
from mickle.lib.errors import NeedsAPerson
from mickle.settlement import _duckdb
from mickle.settlement._protocol import Input, Row

_BATCH = 10_000
_REACHED_WITHIN_S = 5
# Where no port is said; what else Spark can be told, such as yarn, names no single machine.
_PORTS = {"spark": 7077, "sc": 15002}
# The hosts with their ports, of several masters with a comma between. What stands before or after
# them may be a token, and is never said.
_ADDRESS = re.compile(r"(spark|sc)://(?:[^/@]*@)?([^/;?#]*)(.*)", re.DOTALL)


class NoSpark(NeedsAPerson):
    """Spark cannot be had; nothing was changed."""


class Spark:
    """Computes on a session of Spark, and keeps what it computed as files."""

    def __init__(self, session: Any, folder: str) -> None:
        self.name = f"Spark {session.version}"
        self._session, self._folder = session, folder

    def view(self, name: str, select: str) -> None:
        """Make it a view of the session."""
        self._session.sql(select).createOrReplaceTempView(name)

    def keep(self, name: str, select: str, *, key: str) -> None:  # noqa: ARG002 - it needs no index
        """Write it to files, so that no part is ever computed twice."""
        path = f"{self._folder}/{name}"
        self._session.sql(select).write.parquet(path)
        self.read(name, path)

    def read(self, name: str, path: str) -> None:
        """Give files a name."""
        self._session.read.parquet(path).createOrReplaceTempView(name)

    def rows(self, select: str) -> Iterator[Sequence[Row]]:
        """Read it in batches, a partition at a time."""
        found = map(tuple, self._session.sql(select).toLocalIterator())
        while rows := list(islice(found, _BATCH)):
            yield rows


@contextmanager
def opened(inputs: Mapping[str, Input]) -> Iterator[Spark]:
    """Spark with what the month's SELECTs give on the books as they are committed."""
    folder = f"{settings.SPARK_FILES or Path(settings.DATA_DIR) / 'spark'}/{uuid.uuid4().hex}"
    with leftovers.folder(Path(settings.DATA_DIR), elsewhere=folder):
        try:
            _duckdb.export(inputs, folder)
            with _session() as session:
                engine = Spark(session, folder)
                for name in inputs:
                    engine.read(name, f"{folder}/{name}.parquet")
                yield engine
        finally:
            files.discard(folder)


def must_be_reached() -> None:
    """Raises NoSpark when nobody answers at the address of the settings."""
    found = _ADDRESS.fullmatch(settings.SPARK)
    scheme, hosts, rest = found.groups() if found is not None else ("", "", "")
    if scheme != "sc" and not shutil.which("java"):
        raise NoSpark(
            _(
                "Spark needs Java 17 or newer, and there is none; nothing was changed. On Debian"
                " type: apt-get install openjdk-17-jre-headless"
            )
        )
    if not scheme:
        return
    try:
        _reach(hosts, rest, _PORTS[scheme])
    except (OSError, ValueError) as error:
        raise NoSpark(
            _(
                "Spark cannot be reached at %(address)s (%(error)s). Nothing was changed. Start it"
                " or change MICKLE_SPARK; with --fall-back the database computes the month."
            )
            % {
                "address": f"{scheme}://{hosts}",
                "error": getattr(error, "strerror", None) or error,
            }
        ) from error


def _reach(hosts: str, rest: str, usual_port: int) -> None:
    """Raises OSError unless one of the hosts answers; ValueError for what is no address."""
    if rest and not rest.startswith("/"):
        # The client would take it for a part of the port, and say all of it.
        raise ValueError("a / has to follow the port")
    why = OSError("no host")
    for host in hosts.split(","):
        parts = urlsplit(f"//{host}")
        try:
            place = (parts.hostname or "", parts.port or usual_port)
            socket.create_connection(place, timeout=_REACHED_WITHIN_S).close()
        except OSError as error:
            why = error
        else:
            return
    raise why


@contextmanager
def _session() -> Iterator[Any]:
    """A session for as long as the block runs, and no process of Java after it.

    One that died, or lost its master, would answer nobody who settles later in this process.
    """
    session = None
    try:
        session = _begun()
        yield session
    finally:
        _end(session)


def _end(session: Any) -> None:
    context = import_module("pyspark").SparkContext
    # A context may be there where no session came of it.
    for one in (session, context._active_spark_context):  # noqa: SLF001 - it has no other name
        if one is not None:
            # What died cannot be stopped.
            with suppress(Exception):
                one.stop()
    gateway = context._gateway  # noqa: SLF001 - the same
    if gateway is not None and gateway.proc is not None:
        context._gateway = context._jvm = None  # noqa: SLF001 - the same
        gateway.shutdown()
        # It goes when there is no more to read.
        gateway.proc.stdin.close()
        gateway.proc.wait()


def _begun() -> Any:
    builder = import_module("pyspark.sql").SparkSession.builder
    if settings.SPARK.startswith("sc://"):
        session = builder.remote(settings.SPARK).getOrCreate()
    else:
        named = builder.master(settings.SPARK).appName("Mickle")
        session = named.config("spark.ui.enabled", "false").getOrCreate()
    # The texts count on an error where a figure leaves 64 bits, whatever the cluster's own default.
    session.conf.set("spark.sql.ansi.enabled", "true")
    return session
