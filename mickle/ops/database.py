"""Brings a database up to this version of Mickle before a command uses it."""

import fcntl
import glob
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext as _

from mickle.lib.errors import Refused

MIGRATE_LOCK = 14
# Stands among the migrations while they are applied, and until what follows the last of them, such
# as the triggers that guard the books, is there too.
UNDER_WAY = ("mickle", "under_way")


class NewerData(Refused):
    """The data was written by a later version."""


class FewLetters(Refused):
    """The database cannot keep every letter."""


class NotEmpty(Refused):
    """The database is somebody else's, or half of a backup; no instance begins in it."""


class HasMoved(Refused):
    """The instance is in PostgreSQL, and none is to begin in its place."""


def make_ready() -> bool:
    """Migrate when a migration is missing or was stopped; True where there was no instance yet.

    Raises NewerData, FewLetters or NotEmpty, and HasMoved where the SQLite was put aside, and
    nobody says where the instance is now.
    """
    _must_be_here()
    known, new = _on_disk(), False
    if _missing(known):
        with _alone():
            # Whoever held the lock before may have done it already.
            if _missing(known):
                new = not MigrationRecorder(connection).has_table()
                if new:
                    _must_have_every_letter()
                _must_be_free()
                _migrate()
    return new


def said_new() -> str:
    """What whoever meant another instance has to know."""
    place = settings.DATABASES["default"]["NAME"]
    if connection.vendor == "postgresql":
        place = _("the database of DATABASE_URL")
    return _(
        "There was no instance in %(place)s, so an empty one was made. If you meant another, "
        "name it with --data, MICKLE_DATA or DATABASE_URL."
    ) % {"place": place}


def aside(source: Path, when: str) -> Path:
    """The name under which a SQLite that was moved is kept."""
    return source.with_name(f"{source.stem}-moved-{when}{source.suffix}")


def moved_away(source: Path) -> Path | None:
    """As what a SQLite that was moved is kept, the newest; None where it is there, or never was."""
    pattern = aside(source.with_stem(glob.escape(source.stem)), "*").name
    kept = [] if source.exists() else sorted(source.parent.glob(pattern))
    return kept[-1] if kept else None


def _must_be_here() -> None:
    if connection.vendor != "sqlite":
        return
    if kept := moved_away(Path(str(connection.settings_dict["NAME"]))):
        raise HasMoved(
            _(
                "This instance has moved to PostgreSQL: set DATABASE_URL to it. What was here is"
                " kept as %(path)s. Nothing was changed."
            )
            % {"path": kept}
        )


def _migrate() -> None:
    recorder = MigrationRecorder(connection)
    recorder.ensure_schema()
    recorder.record_applied(*UNDER_WAY)
    call_command("migrate", verbosity=0, interactive=False)
    recorder.record_unapplied(*UNDER_WAY)


def _must_have_every_letter() -> None:
    """Look before the first table is made: an encoding stays what it is."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_encoding")
        [encoding] = cursor.fetchone()
    if encoding != "UTF8":
        raise FewLetters(
            _(
                "The database keeps text as %(encoding)s, and so not every letter. Nothing was "
                "changed; make another: createdb NAME --encoding UTF8 --template template0"
            )
            % {"encoding": encoding}
        )


def _must_be_free() -> None:
    """Look before the first table is made: names may be those of somebody else's tables."""
    applied = MigrationRecorder(connection).applied_migrations()
    ours = {app.label for app in apps.get_app_configs() if app.name.startswith("mickle.")}
    if UNDER_WAY in applied or any(label in ours for label, _name in applied):
        return
    # A migration that was killed at its very beginning left this one, and nothing in it.
    if tables := set(connection.introspection.table_names()) - {"django_migrations"}:
        raise NotEmpty(
            _(
                "The database has tables already (%(table)s among others), and is no instance of "
                "Mickle, or half of one. Nothing was changed; name an empty database, or restore "
                "the backup into a new one."
            )
            % {"table": min(tables)}
        )


def _missing(known: set[tuple[str, str]]) -> bool:
    applied = set(MigrationRecorder(connection).applied_migrations())
    rooms = {app.label for app in apps.get_app_configs()}
    if ahead := sorted(one for one in applied - known if one[0] in rooms):
        raise NewerData(
            _(
                "This data was written by a later version of Mickle (%(migration)s). "
                "Install that version; nothing was changed."
            )
            % {"migration": ".".join(ahead[0])}
        )
    return bool(known - applied) or UNDER_WAY in applied


def _on_disk() -> set[tuple[str, str]]:
    """The migrations that come with the code, by name; none of them is imported."""
    found: set[tuple[str, str]] = set()
    for app in apps.get_app_configs():
        spec = find_spec(f"{app.name}.migrations")
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            names = (module.name for module in pkgutil.iter_modules([folder]))
            found.update((app.label, name) for name in names if name[0] not in "_~")
    return found


@contextmanager
def _alone() -> Iterator[None]:
    """Let one process at a time migrate; the others wait and find it done."""
    with (settings.DATA_DIR / "migrate.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATE_LOCK])
        try:
            yield
        finally:
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATE_LOCK])
