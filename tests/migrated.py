"""A migrated SQLite kept as a file, so that another run of the tests starts with a copy of it."""

import os
import shutil

import pytest
from django.conf import settings
from django.db import connection

# Names the file: where to keep it for the test below, where to find it for every other run.
TEMPLATE = "MICKLE_TEST_TEMPLATE"


def use_template(path: str) -> None:
    """Let the test database be a copy; its tables are as migrated, triggers and all."""

    def copy(**_options: object) -> str:
        shutil.copy(os.environ[TEMPLATE], path)
        connection.close()
        # Both, as Django does: the edge opens connections of its own by the settings.
        settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = path
        return path

    connection.creation.create_test_db = copy


@pytest.mark.django_db(transaction=True)
def test_a_migrated_database_is_kept():
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [os.environ[TEMPLATE]])
        cursor.execute("SELECT count(*) FROM django_migrations")
        assert cursor.fetchone()[0] > 0
