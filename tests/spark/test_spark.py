"""A month on a real cluster of Spark comes to the bytes of the database, or is refused whole."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from mickle.settlement import _database, _duckdb, _engine, _spark, settlement
from mickle.settlement.models import Line, Run
from tests.browser.conftest import free_port
from tests.people import EARLY_DECEMBER, NOVEMBER
from tests.settlement import test_same_bytes
from tests.settlement.test_engines import WORLDS, random_month
from tests.settlement.test_stages import books
from tests.spark.conftest import CLUSTER

# What a run of the tests says to those it starts, and the next one says for itself.
RUN = ("PYTEST_XDIST", "DATABASE_URL", "MICKLE_TEST_DATABASE", "MICKLE_DATA")

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def on_the_cluster(settings, cluster: str, tmp_path: Path) -> Iterator[Path]:
    """Spark is the cluster, and its files are in a folder where nothing may be left."""
    settings.SPARK, settings.SPARK_FILES = cluster, str(tmp_path / "files")
    yield tmp_path / "files"
    assert not list((tmp_path / "files").glob("*"))


def test_random_worlds_come_to_the_same_bytes_on_every_engine(settings):
    """Through the store of fsspec that is the files of this machine: the calls of any other."""
    settings.SPARK_FILES = f"file://{settings.SPARK_FILES}"
    inputs, taken_in = random_month(random.Random("cluster"), WORLDS)
    results = []
    for opened in (_database.opened, _duckdb.opened, _spark.opened):
        _database.forget()
        with opened(inputs) as engine:
            results.append(_engine.run(engine, NOVEMBER, taken_in))
    assert len({result.sha256 for result in results}) == 1
    assert results[0].lines > WORLDS


def test_a_month_is_settled_by_the_cluster():
    test_same_bytes.world()
    sha256 = settlement.rehearse(month=NOVEMBER, at=EARLY_DECEMBER).result_sha256
    done = settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER, engine="spark")
    assert done.result_sha256 == sha256
    assert Run.objects.get(month=NOVEMBER).engine.startswith("Spark 4")
    books()


def test_a_month_of_postgresql_is_settled_by_the_same_cluster(cluster):
    """A run of its own, as a process has one database; a second cluster would take a minute."""
    words = (
        "-m",
        "pytest",
        __file__,
        "--database",
        "postgresql",
        "-k",
        "is_settled_by_the_cluster",
    )
    kept = {name: text for name, text in os.environ.items() if not name.startswith(RUN)}
    run = subprocess.run(
        [sys.executable, *words, "-q", "-p", "no:xdist"],
        env=kept | {CLUSTER: cluster},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in run.stdout, run.stdout[-2000:] + run.stderr[-2000:]


def test_a_cluster_that_is_down_is_said_and_replaced_only_when_told(settings):
    settings.SPARK = f"spark://127.0.0.1:{free_port()}"
    test_same_bytes.world()
    said = {"month": NOVEMBER, "at": EARLY_DECEMBER, "engine": "spark"}
    with pytest.raises(settlement.NoSpark, match=r"cannot be reached.*Nothing was changed"):
        settlement.settle(**said)
    assert not Line.objects.exists()
    assert not Run.objects.exists()
    settlement.settle(**said, fall_back=True)
    assert Run.objects.get(month=NOVEMBER).engine == _database.Database().name


def test_where_java_dies_on_the_way_it_is_said_and_the_same_process_settles_again(monkeypatch):
    """A worker lives for months: what died in it once must not be asked for ever."""
    test_same_bytes.world()
    run = _engine.run

    def killed(*asked: object) -> _engine.Result:
        java = import_module("pyspark").SparkContext._gateway.proc
        java.kill()
        java.wait()
        return run(*asked)

    monkeypatch.setattr(_engine, "run", killed)
    said = {"month": NOVEMBER, "at": EARLY_DECEMBER, "engine": "spark"}
    with pytest.raises(settlement.NotComputed, match=r"Nothing of it was posted.*settle it again"):
        settlement.settle(**said)
    assert not Line.objects.exists()
    monkeypatch.setattr(_engine, "run", run)
    settlement.settle(**said)
    assert Run.objects.get(month=NOVEMBER).engine.startswith("Spark 4")
    assert import_module("pyspark").SparkContext._gateway is None
    books()


def test_without_java_it_says_what_to_type(monkeypatch):
    monkeypatch.setattr(_spark.shutil, "which", lambda _program: None)
    test_same_bytes.world()
    with pytest.raises(settlement.NoSpark, match="apt-get install openjdk"):
        settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER, engine="spark")
