"""Long work leaves SQLite's one writer's place to whoever is served, and to nobody else."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection

from mickle.lib import chunks, company

ROOT = Path(__file__).parents[2]
SERVES = "import mickle.config.wsgi; print('here', flush=True); input()"


@pytest.fixture(autouse=True)
def _a_file(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "NAME", str(tmp_path / "mickle.sqlite3"))


@contextmanager
def a_server(folder: Path) -> Iterator[None]:
    """A process with the pages of the database in a folder; killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVES],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"MICKLE_DATA": str(folder)},
    )
    try:
        assert process.stdout.readline() == "here\n"
        yield
    finally:
        process.kill()
        process.communicate()


def paused(monkeypatch, took_s: float) -> float:
    slept = []
    monkeypatch.setattr(chunks.time, "sleep", slept.append)
    chunks.let_others(took_s)
    return sum(slept)


def test_a_process_that_serves_is_known_until_it_dies(tmp_path, monkeypatch):
    assert not company.is_served()
    with a_server(tmp_path):
        assert company.is_served()
        assert chunks._locked_s() == chunks.LOCKED_S["sqlite"]
        assert paused(monkeypatch, 0.01) == 0.01
    assert not company.is_served()
    assert chunks._locked_s() == chunks.UNSERVED_S
    assert 0 < paused(monkeypatch, 0.01) < 0.001


def test_a_process_that_serves_leaves_room_for_itself():
    company.serve()
    company.serve()
    assert company.is_served()
