"""Which engines compute a month."""

from importlib.util import find_spec

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from mickle.lib.errors import NeedsAPerson
from mickle.nods.models import Nod
from mickle.settlement import _database, _duckdb, _spark
from mickle.settlement._protocol import Opener

# From so many nods on another engine costs less time than a wrong result would.
LARGE = 1_000_000
NAMES: tuple[str, ...] = settings.ENGINES
_OPENED: tuple[Opener, ...] = (_database.opened, _duckdb.opened, _spark.opened)
_OPENERS = dict(zip(NAMES[1:], _OPENED, strict=True))
_DUCKDB = ("duckdb", "adbc_driver_sqlite", "adbc_driver_postgresql")
_NEEDS = {"database": (), "duckdb": _DUCKDB, "spark": ("pyspark", "fsspec", *_DUCKDB)}


class NoEngine(NeedsAPerson):
    """The engine that was asked for is not there; nothing was changed."""


def found(name: str, *, fall_back: bool) -> str:
    """The engine to take: the named one, or the database where that cannot be reached.

    Raises NoEngine for one nobody knows or that is not installed, and, unless it may fall back,
    NoSpark.
    """
    if name not in NAMES:
        raise NoEngine(
            _("There is no engine “%(name)s”; there are %(names)s. Nothing was changed.")
            % {"name": name, "names": ", ".join(NAMES)}
        )
    if name == "auto":
        return name
    must_be_installed(name)
    if name == "spark":
        try:
            _spark.must_be_reached()
        except _spark.NoSpark:
            if not fall_back:
                raise
            return "database"
    return name


def must_be_installed(name: str) -> None:
    """Raises NoEngine where what an engine needs is not there."""
    if not _installed(name):
        raise NoEngine(
            _(
                "The engine “%(name)s” is not installed, and nothing was changed. Type:"
                " pip install 'mickle[%(name)s]'"
            )
            % {"name": name}
        )


def openers(name: str, month: int) -> list[Opener]:
    """The engines that compute a month: the one that was asked for, or all that are worth it."""
    if name != "auto":
        return [_OPENERS[name]]
    chosen = [_OPENERS["database"]]
    # Another connection sees what is committed only: a rehearsal is not.
    if _installed("duckdb") and not connection.in_atomic_block and _is_large(month):
        chosen.append(_OPENERS["duckdb"])
    return chosen


def _installed(name: str) -> bool:
    return all(find_spec(module) for module in _NEEDS[name])


def _is_large(month: int) -> bool:
    return Nod.objects.filter(month=month)[LARGE - 1 : LARGE].exists()
