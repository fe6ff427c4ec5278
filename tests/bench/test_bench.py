"""The benchmarks compare with the arithmetic of the split itself, and each of them runs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import psycopg
import pytest

from bench import live, nods, served, settling, table, world
from bench.__main__ import QUICK, parts
from bench.clicks import Plan
from mickle.lib import money
from mickle.lib.money import MICROS
from tests import databases

PARTS = ("nods", "live", "settling", "mixed", "release", "reading", "least")


def test_the_split_in_numpy_is_the_split():
    month = world.draw(60, 400)
    gross, earned = world.split(month)
    lines, revenue = np.zeros_like(gross), np.zeros_like(earned)
    for member in range(month.budget.size):
        spend = int(min(month.budget[member], month.funds[member])) * MICROS
        given = month.thing[month.member == member].tolist()
        for thing, share in money.share_out(spend, given).items():
            lines[thing] += share
    for thing, sum_micros in enumerate(lines.tolist()):
        if (owner := month.owner[thing]) >= 0:
            revenue[owner] += sum_micros - money.fee(sum_micros, 1000)
    assert (gross == lines).all()
    assert (earned == revenue).all()
    assert gross.sum() > 0


def test_a_month_is_drawn_with_skew_to_its_size_and_the_same_each_time():
    month, again = world.draw(300, 3000), world.draw(300, 3000)
    assert month.member.size == 3000
    assert all((getattr(month, name) == getattr(again, name)).all() for name in ("member", "thing"))
    popular = np.sort(np.bincount(month.thing))[::-1]
    assert popular[: popular.size // 10].sum() > 1000
    assert not (month.owner[month.thing] == month.member).any()
    pairs = month.member * 10_000 + month.thing
    assert (np.diff(pairs) > 0).all()


def test_a_table_stands_in_columns():
    drawn = table.drawn([table.Figure("a", "1 s"), table.Figure("longer", "2", "x", "0.5", "3")])
    head, rule, first, second = drawn.splitlines()
    assert head.index("measured") == first.index("1 s") == second.index("2")
    assert set(rule) == {"-"}


def test_cpu_time_is_read_of_the_process_itself():
    before = served.cpu_s(os.getpid())
    sum(number * number for number in range(3_000_000))
    assert served.cpu_s(os.getpid()) > before


def migrate(facts: dict[str, str]) -> None:
    words = [sys.executable, "-c", "from mickle.ops.main import main; main()", "clock"]
    subprocess.run(words, env=served.environment(facts), cwd=served.ROOT, check=True)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a migrated database."""
    made = tmp_path_factory.mktemp("embedded") / "data"
    migrate({"MICKLE_DATA": str(made)})
    return made


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], nods.Place]]:
    """One PostgreSQL for all figures; gives each a migrated database of its own."""
    with nods.postgresql() as place:
        first, made = place.facts["DATABASE_URL"], []

        def another(source: str) -> nods.Place:
            made.append(f"bench{len(made)}")
            with closing(psycopg.connect(first, autocommit=True)) as raw:
                raw.execute(f"CREATE DATABASE {made[-1]} TEMPLATE {source}")
            url = first.removesuffix("postgres") + made[-1]
            return replace(place, facts=place.facts | {"DATABASE_URL": url})

        migrate(another("template1").facts)
        yield another


@pytest.fixture
def _made(embedded, cluster, monkeypatch) -> None:
    """Measure on databases that are migrated already: that is no part of a figure."""
    real = nods.sqlite

    @contextmanager
    def sqlite() -> Iterator[nods.Place]:
        with real() as place:
            shutil.copytree(embedded, place.folder, dirs_exist_ok=True)
            yield place

    @contextmanager
    def postgresql() -> Iterator[nods.Place]:
        yield cluster("bench0")

    for part in (nods, live, settling):
        monkeypatch.setattr(part, "sqlite", sqlite)
        monkeypatch.setattr(part, "postgresql", postgresql, raising=False)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Of the parts that start servers one a day."""
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", databases.drawn(metafunc.config, PARTS, days=len(PARTS)))


@pytest.mark.slow
@pytest.mark.usefixtures("_made")
def test_each_part_of_the_button_is_measured_and_nothing_fails(name, monkeypatch):
    monkeypatch.setattr(settling, "QUIET_S", 5.0)
    monkeypatch.setattr(settling, "MIXED_NODS", 4_000)
    monkeypatch.setattr(live, "PAUSE_S", 0.03)
    figures = list(parts(QUICK * 20, 2.0)[name]())
    assert len(figures) >= 2
    assert all(figure.found for figure in figures)
    # Others say what a figure is made of.
    assert any(figure.budget for figure in figures)
    if name == "mixed":
        assert [figure.found.partition(" of ")[0] for figure in figures] == ["0 errors"] * 2


def test_clicks_of_a_plan_are_all_different():
    plan = Plan(port=1, members=40, first_thing=100, things=30)
    pairs = [plan.pair(number) for number in range(40 * 30)]
    assert len(set(pairs)) == len(pairs)
    assert {thing for _member, thing in pairs} == set(range(100, 130))
