"""A real cluster of Spark on loopback: a standalone master with two worker processes.

Its tests need `mickle[spark]` and Java, and run with `make test-spark` alone.
"""

import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests import databases
from tests.browser.conftest import free_port

# Names a cluster that is there already.
CLUSTER = "MICKLE_TEST_CLUSTER"
# Each starts a Spark of its own, most of a minute: they take turns by the day, with --long all run.
TURNS = (
    "test_a_month_is_settled_over_spark_connect",
    "test_a_month_of_postgresql_is_settled_by_the_same_cluster",
    "test_where_java_dies_on_the_way_it_is_said_and_the_same_process_settles_again",
)
WORKERS = 2
STARTED_WITHIN_S = 90


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Collect them only where they are asked for by name."""
    asked = any("spark" in str(argument) for argument in config.args)
    return None if asked or collection_path.name == "conftest.py" else True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what has its turn on another day."""
    out = set(TURNS).difference(databases.drawn(config, TURNS, days=len(TURNS)))
    databases.leave_out(config, items, [item for item in items if item.name in out])


def _process(folder: Path, kind: str, *arguments: str) -> subprocess.Popen[bytes]:
    spec = find_spec("pyspark")
    assert spec is not None
    assert spec.origin is not None
    home = Path(spec.origin).parent
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [home / "bin" / "spark-class", f"org.apache.spark.deploy.{kind}", *arguments],
            env=os.environ | {"SPARK_HOME": str(home), "SPARK_WORKER_DIR": str(folder / "work")},
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _alive(pages: int) -> int:
    """How many workers the master knows of."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{pages}/json/") as answer:
            return int(json.load(answer)["aliveworkers"])
    except OSError:
        return 0


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a master with two workers."""
    if CLUSTER in os.environ:
        yield os.environ[CLUSTER]
        return
    folder = tmp_path_factory.mktemp("spark")
    # Two hundred parts, as for a large month, take minutes for a few rows.
    few = "--conf spark.sql.shuffle.partitions=2 pyspark-shell"
    os.environ |= {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_SUBMIT_ARGS": few}
    # Processes of a minute do not live to see their code compiled for speed.
    os.environ["JDK_JAVA_OPTIONS"] = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    port, pages = free_port(), free_port()
    address = f"spark://127.0.0.1:{port}"
    here = ("--host", "127.0.0.1", "--webui-port")
    with ExitStack() as stack:
        running = [_process(folder, "master.Master", *here, str(pages), "--port", str(port))]
        running += [
            _process(folder, "worker.Worker", *here, "0", "--cores", "1", "-m", "1g", address)
            for _worker in range(WORKERS)
        ]
        for one in running:
            stack.callback(one.wait)
            stack.callback(one.terminate)
        late = time.monotonic() + STARTED_WITHIN_S
        while _alive(pages) < WORKERS:
            assert time.monotonic() < late, (folder / "log").read_text()
            time.sleep(0.5)
        yield address
