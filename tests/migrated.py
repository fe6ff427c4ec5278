"""A database that has its tables, kept so that all who need a new one begin with a copy of it.

To migrate one takes seconds, and a run of all tests needs some thirty.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from tests.once import made_once

# Names the one of another run, for those that are told to begin with it.
TEMPLATE = "MICKLE_TEST_TEMPLATE"
_MICKLE = "import sys; from mickle.ops.main import main; sys.exit(main())"
_KEPT: list[Callable[[], Path]] = []


def keep_one(factory: pytest.TempPathFactory) -> None:
    """Have a database that nobody used yet at hand, made when it is asked for."""

    def make(folder: Path) -> None:
        out = ("DATABASE_URL", "MICKLE_DATA")
        facts = {name: value for name, value in os.environ.items() if name not in out}
        words = [sys.executable, "-c", _MICKLE, "audit", "--data", folder]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env=facts)

    def at_hand() -> Path:
        return made_once(factory, "migrated", make) / "mickle.sqlite3"

    told = os.environ.get(TEMPLATE)
    _KEPT[:] = [lambda: Path(told)] if told else [at_hand]


def kept() -> Path:
    """The file of the one at hand."""
    return _KEPT[0]()


def begin_with_tables(data: Path) -> None:
    """Let a new instance be a copy of the one at hand: its first start migrates nothing."""
    data.mkdir(exist_ok=True)
    if not (data / "mickle.sqlite3").exists():
        shutil.copy(kept(), data / "mickle.sqlite3")


def use_template(path: str) -> None:
    """Let the test database be a copy of the one at hand."""

    def copy(**_options: object) -> str:
        shutil.copy(kept(), path)
        connection.close()
        # Both, as Django does: the edge opens connections of its own by the settings.
        settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = path
        return path

    connection.creation.create_test_db = copy


def share_on_the_server(factory: pytest.TempPathFactory) -> None:
    """Let the first worker migrate a PostgreSQL and each other begin with a copy of its tables."""
    create = connection.creation.create_test_db

    def copy(**options: object) -> str:
        name = connection.creation._get_test_db_name()
        first: list[str] = []

        def make(folder: Path) -> None:
            first.append(create(**options))
            folder.mkdir(exist_ok=True)
            _on_the_server(f'CREATE DATABASE migrated TEMPLATE "{name}"')

        made_once(factory, "migrated", make)
        if not first:
            _on_the_server(f'CREATE DATABASE "{name}" TEMPLATE migrated')
            settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
        return name

    connection.creation.create_test_db = copy


def _on_the_server(command: str) -> None:
    connection.close()
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(command)
