"""The engine for months past a billion nods: Spark, on this machine or on a cluster.

It reads the frozen rows as Parquet files, sorted by member, that DuckDB writes where both can see
them: in a folder or in an object store. Extra `mickle[spark]`.
"""

import shutil
import socket
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from mickle.lib import files
from mickle.lib.errors import Refused
from mickle.settlement import _duckdb
from mickle.settlement._protocol import Input, Row

_BATCH = 10_000
_REACHED_WITHIN_S = 5
# Where no port is said; what else Spark can be told, such as yarn, names no single machine.
_PORTS = {"spark": 7077, "sc": 15002}


class NoSpark(Refused):
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
    try:
        _duckdb.export(inputs, folder)
        session = _session()
        try:
            engine = Spark(session, folder)
            for name in inputs:
                engine.read(name, f"{folder}/{name}.parquet")
            yield engine
        finally:
            session.stop()
    finally:
        files.remove(folder)


def must_be_reached() -> None:
    """Raises NoSpark when nobody answers at the address of the settings."""
    address = settings.SPARK
    parts = urlsplit(address.replace("[", "").replace("]", ""))
    if parts.scheme != "sc" and not shutil.which("java"):
        raise NoSpark(
            _(
                "Spark needs Java 17 or newer, and there is none; nothing was changed. On Debian"
                " type: apt-get install openjdk-17-jre-headless"
            )
        )
    if parts.scheme not in _PORTS:
        return
    where = (parts.hostname or "", parts.port or _PORTS[parts.scheme])
    try:
        socket.create_connection(where, timeout=_REACHED_WITHIN_S).close()
    except OSError as error:
        raise NoSpark(
            _(
                "Spark cannot be reached at %(address)s (%(error)s). Nothing was changed. Start it"
                " or change MICKLE_SPARK; with --fall-back the database computes the month."
            )
            % {"address": address, "error": error.strerror or error}
        ) from error


def _session() -> Any:
    builder = import_module("pyspark.sql").SparkSession.builder
    if settings.SPARK.startswith("sc://"):
        session = builder.remote(settings.SPARK).getOrCreate()
    else:
        named = builder.master(settings.SPARK).appName("Mickle")
        session = named.config("spark.ui.enabled", "false").getOrCreate()
    # The texts count on an error where a figure leaves 64 bits, whatever the cluster's own default.
    session.conf.set("spark.sql.ansi.enabled", "true")
    return session
