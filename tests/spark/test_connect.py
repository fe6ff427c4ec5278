"""A month computed by a server of Spark Connect comes to the bytes of the database."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.browser.conftest import free_port
from tests.ops.worlds import ago, small, written

MICKLE = Path(sys.executable).with_name("mickle")
SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"
STARTED_WITHIN_S = 90


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The one of Spark's own wheel, on loopback."""
    spec = find_spec("pyspark")
    assert spec is not None
    assert spec.origin is not None
    home, port = Path(spec.origin).parent, free_port()
    facts = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": port,
        "spark.sql.shuffle.partitions": 1,
        "spark.sql.codegen.wholeStage": "false",
        "spark.ui.enabled": "false",
    }
    # A process of a minute does not live to see its code compiled for speed.
    named = {
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    }
    words = [word for name, value in facts.items() for word in ("--conf", f"{name}={value}")]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            [home / "bin" / "spark-submit", "--class", SERVER, "--master", "local[1]", *words],
            env=os.environ | named,
            cwd=tmp_path,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    late = time.monotonic() + STARTED_WITHIN_S
    # Its port is open before it can answer.
    while "Spark Connect server started at" not in (said := (tmp_path / "log").read_text()):
        assert time.monotonic() < late, said
        assert server.poll() is None, said
        time.sleep(0.5)
    yield f"sc://127.0.0.1:{port}"
    server.terminate()
    server.wait()


def test_a_month_is_settled_over_spark_connect(address, tmp_path):
    """By the command: a process is a client of Spark in one way for as long as it lives."""
    named = {"MICKLE_DATA": str(tmp_path / "data"), "MICKLE_SPARK": address}
    kept = {name: text for name, text in os.environ.items() if name != "DATABASE_URL"}

    def mickle(*words: str) -> str:
        done = subprocess.run(
            [MICKLE, *words], env=kept | named, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    mickle("load", written(tmp_path, small()))
    rehearsed = json.loads(mickle("settle", ago(1), "--dry-run", "--json"))
    settled = json.loads(mickle("settle", ago(1), "--engine", "spark", "--json"))
    assert settled["result_sha256"] == rehearsed["result_sha256"]
    [books] = (tmp_path / "data").glob("*.sqlite3")
    with closing(sqlite3.connect(books)) as there:
        [(engine,)] = there.execute("SELECT engine FROM settlement_run").fetchall()
    assert engine.startswith("Spark 4")
    assert not list((tmp_path / "data" / "spark").glob("*"))
