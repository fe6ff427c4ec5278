"""A settled month as Parquet files, sorted by member, from which it can be computed again.

They are written to a new folder, read back, compared with the books and computed once more; only
then does the month have an archive. What stopped half way has none. Extra `mickle[duckdb]`.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.lib import files, leftovers, months
from mickle.lib.errors import NeedsAPerson
from mickle.nods.models import Past
from mickle.settlement import _at_hand, _duckdb, _engine, _others
from mickle.settlement._engine import Result
from mickle.settlement.models import Archive, Run

MANIFEST = "month.json"


class NoArchive(NeedsAPerson):
    """A month cannot be archived, or its archive is not what was written."""


class _File(NamedTuple):
    """One file: what it holds, with the types, from where, and in which order."""

    columns: str
    select: str
    order: str


@dataclass(frozen=True)
class Archived:
    """What the archive of a month holds."""

    month: int
    folder: str
    rows: dict[str, int]
    size_bytes: int
    result_sha256: str


def write(*, month: int, at: datetime, anew: bool = False) -> Archived:
    """Archive a settled month, once; one that has an archive is only looked at.

    `anew` takes another archive for it, in the place of the settings, as long as all its nods are
    in the database: for one that was lost, or is to lie elsewhere. Nothing is done to that one.
    Raises NoArchive, with nothing changed but files nobody refers to.
    """
    run = Run.objects.filter(month=month, stage=Run.Stage.DONE).first()
    name = months.text(month)
    if run is None:
        raise NoArchive(
            _("%(month)s is not settled, so it cannot be archived. Nothing was changed.")
            % {"month": name}
        )
    kept = Archive.objects.filter(month=month).first()
    if kept is not None:
        if not anew:
            return check(month=month)
        _check_all_here(month)
    if not settings.ARCHIVE:
        raise NoArchive(
            _(
                "There is no place for archives, and nothing was changed. Say where with"
                " MICKLE_ARCHIVE: a folder, or an object store."
            )
        )
    _at_hand.must_be_installed("duckdb")
    _duckdb.remove_left()
    folder = f"{settings.ARCHIVE}/{name}-{uuid4().hex[:12]}"
    with leftovers.folder(Path(settings.DATA_DIR), elsewhere=folder):
        return _new(run, folder, at, instead_of=kept)


def _check_all_here(month: int) -> None:
    """Raise NoArchive where nods have left: nothing but their archive has them."""
    if Past.objects.filter(month=month).exists():
        raise NoArchive(
            _(
                "Nods of %(month)s have left for its archive, so there can be no other. Nothing was"
                " changed: bring that one back from a copy, or the nods with mickle nods-return."
            )
            % {"month": months.text(month)}
        )


def _new(run: Run, folder: str, at: datetime, *, instead_of: Archive | None) -> Archived:
    """Write the archive of a month to a new folder; what fails leaves none.

    Of two who write at once one has written it, and the other looks at that.
    """
    try:
        with _others.told(partial(_not_written, folder)):
            sha256 = _written(run, folder)
            files.keep(folder)
            row = Archive(month=run.month, folder=folder, manifest_sha256=sha256, at=at)
            done = _checked(row)
    except BaseException:
        files.discard(folder)
        raise
    if not _noted(row, instead_of):
        files.discard(folder)
        return check(month=run.month)
    return done


def _noted(row: Archive, instead_of: Archive | None) -> bool:
    """Put an archive on record, unless another is; whether it is this one."""
    mine = Archive.objects.filter(month=row.month, folder=row.folder)
    try:
        _note(row, instead_of)
    except (DatabaseError, NoArchive):
        # Where it cannot be asked it may be on record, and the files stay.
        if not mine.exists():
            files.discard(row.folder)
        raise
    return mine.exists()


def _note(row: Archive, instead_of: Archive | None) -> None:
    if instead_of is None:
        Archive.objects.bulk_create([row], ignore_conflicts=True)
        return
    with transaction.atomic():
        # What left while it was written is in the other one alone.
        _check_all_here(row.month)
        facts = {"folder": row.folder, "manifest_sha256": row.manifest_sha256, "at": row.at}
        Archive.objects.filter(month=row.month, folder=instead_of.folder).update(**facts)


def missing() -> list[int]:
    """The settled months that have no archive, where there is a place for one."""
    if not settings.ARCHIVE:
        return []
    done = Run.objects.filter(stage=Run.Stage.DONE).exclude(
        month__in=Archive.objects.values("month")
    )
    return list(done.order_by("month").values_list("month", flat=True))


def check(*, month: int) -> Archived:
    """Read the archive of a month and compute it again; raises NoArchive where it is not whole."""
    row = Archive.objects.filter(month=month).first()
    if row is None:
        raise NoArchive(_("%(month)s has no archive.") % {"month": months.text(month)})
    _at_hand.must_be_installed("duckdb")
    with _others.told(partial(_not_read, row)):
        return _checked(row)


def nods_of(
    month: int, left: Mapping[int, int], *, columns: str = "weight, given_at, void"
) -> list[tuple[Any, ...]]:
    """The nods of members that have left, so many of each: member, thing, and these columns.

    In this order; instants are UTC and do not say so. Raises NoArchive where they cannot be read,
    or are not as many: whoever reads a few does not hash the file.
    """
    row = Archive.objects.filter(month=month).first()
    if row is None:
        raise NoArchive(_("%(month)s has no archive.") % {"month": months.text(month)})
    try:
        with _others.told(partial(_away, month)):
            found = _nods(row, min(left) - 1, max(left), columns)
    except (_at_hand.NoEngine, files.NoStore) as error:
        raise _away(month, str(error)) from error
    # Between them may be members whose nods are in the table.
    theirs = [nod for nod in found if nod[0] in left]
    if dict(Counter(nod[0] for nod in theirs)) != dict(left):
        raise differs(month)
    return theirs


def differs(month: int) -> NoArchive:
    """What to raise where the nods in the archive of a month cannot be those that were written."""
    return _broken(month, f"{Archive.objects.get(month=month).folder}/nods.parquet")


def _nods(row: Archive, after: int, upto: int, columns: str) -> list[tuple[Any, ...]]:
    _at_hand.must_be_installed("duckdb")
    with _duckdb.empty() as there:
        _duckdb.reach(there, row.folder, make=False)
        source = _duckdb.parquet(f"{row.folder}/nods.parquet")
        try:
            found: list[tuple[Any, ...]] = there.execute(
                f"SELECT member, thing, {columns} FROM {source}"
                f" WHERE member > {after:d} AND member <= {upto:d} AND month = {row.month:d}"
                # No others are instants for Python.
                " AND given_at BETWEEN TIMESTAMP '0001-01-02' AND TIMESTAMP '9999-12-30'"
                " ORDER BY member, thing"
            ).fetchall()
        except ValueError as error:
            # What is wrong, in a text that is none.
            raise differs(row.month) from error
    return found


def _contents(month: int) -> dict[str, _File]:
    """What is kept of a month, each as a SELECT on the books."""
    at = "at AT TIME ZONE 'UTC'" if connection.vendor == "postgresql" else "at"
    return {
        "nods": _File(
            "month BIGINT, member BIGINT, thing BIGINT, weight BIGINT,"
            " given_at TIMESTAMP, source VARCHAR, void VARCHAR, evidence BIGINT",
            "SELECT month, member_id AS member, thing_id AS thing, weight,"
            f" {at} AS given_at, source, void, evidence FROM nods_nod WHERE month = {month:d}",
            "member, thing",
        ),
        "spends": _File(
            "member BIGINT, spend BIGINT, charity BIGINT",
            "SELECT member_id AS member, amount_micros AS spend, charity_id AS charity"
            f" FROM settlement_spend WHERE month = {month:d}",
            "member",
        ),
        "things": _File(
            "thing BIGINT, owner BIGINT",
            f"SELECT n.thing AS thing, o.owner_id AS owner FROM (SELECT DISTINCT thing_id AS thing"
            f" FROM nods_nod WHERE month = {month:d}) n LEFT JOIN settlement_owned o"
            f" ON o.month = {month:d} AND o.thing_id = n.thing AND o.receives",
            "thing",
        ),
    }


def _written(run: Run, folder: str) -> str:
    """Write all files of a month, read them back, compare; the SHA-256 of what describes them."""
    facts: dict[str, Any] = {
        "month": months.text(run.month),
        "fee_basis_points": instance.fee_basis_points(run.month),
        "engine": run.engine,
        "result_sha256": run.result_sha256,
        "files": {},
    }
    with _duckdb.empty() as there, _duckdb.books() as books:
        _duckdb.reach(there, folder)
        for name, (columns, select, order) in _contents(run.month).items():
            path = f"{folder}/{name}.parquet"
            cast = ", ".join(
                f"CAST({column} AS {kind}) AS {column}"
                for column, kind in (one.split(" ") for one in columns.split(", "))
            )
            ordered = f"SELECT * FROM ({select}) q ORDER BY {order}"
            into = f"COPY (SELECT {cast} FROM stream) TO {_duckdb.quoted(path)} (FORMAT parquet)"
            _duckdb.read(there, books, into, ordered)
            _duckdb.read(there, books, f"CREATE TABLE said AS {_sum(cast, 'stream')}", ordered)
            kept = there.execute(_sum("*", _duckdb.parquet(path))).fetchone()
            if kept != there.execute("SELECT * FROM said").fetchone():
                raise _broken(run.month, path)
            there.execute("DROP TABLE said")
            facts["files"][f"{name}.parquet"] = {"rows": kept[0], "sha256": _hash(path)[0]}
    text = json.dumps(facts, indent=1).encode()
    with files.opened(f"{folder}/{MANIFEST}", "wb") as file:
        file.write(text)
    return hashlib.sha256(text).hexdigest()


def _sum(columns: str, source: str) -> str:
    """How many rows there are, and a sum over all their values that does not know their order."""
    return (
        f"SELECT count(*), coalesce(sum(hash(CAST(q AS VARCHAR))), 0)"
        f" FROM (SELECT {columns} FROM {source}) q"
    )


def _hash(path: str) -> tuple[str, int]:
    """The SHA-256 of a file and its size in bytes."""
    digest, size = hashlib.sha256(), 0
    with files.opened(path, "rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
            size += len(part)
    return digest.hexdigest(), size


def _checked(row: Archive) -> Archived:
    """Every file is what was written, and the month computed from them is what was posted."""
    with files.opened(f"{row.folder}/{MANIFEST}", "rb") as file:
        text = file.read()
    if hashlib.sha256(text).hexdigest() != row.manifest_sha256:
        raise _broken(row.month, f"{row.folder}/{MANIFEST}")
    facts, size = json.loads(text), 0
    for name, said in facts["files"].items():
        sha256, length = _hash(f"{row.folder}/{name}")
        size += length
        if sha256 != said["sha256"]:
            raise _broken(row.month, f"{row.folder}/{name}")
    again = _again(row, facts)
    posted = Run.objects.get(month=row.month).result_sha256
    if not again.sha256 == posted == facts["result_sha256"]:
        raise NoArchive(
            _(
                "%(month)s computed again from %(folder)s is not what was posted. The books were"
                " not changed: restore the folder from a copy, and run mickle audit."
            )
            % {"month": months.text(row.month), "folder": row.folder}
        )
    rows = {name.removesuffix(".parquet"): said["rows"] for name, said in facts["files"].items()}
    return Archived(row.month, row.folder, rows, size, posted)


def _again(row: Archive, facts: dict[str, Any]) -> Result:
    """The month computed from its files alone."""
    with _opened(row) as there:
        taken_in = there.execute("SELECT coalesce(sum(spend), 0) FROM s_spend").fetchone()[0]
        there.execute(f"CREATE VIEW s_rate AS SELECT {int(facts['fee_basis_points']):d} AS bp")
        return _engine.run(_duckdb.DuckDB(there), row.month, int(taken_in))


@contextmanager
def _opened(row: Archive) -> Iterator[Any]:
    """A database of DuckDB that reads the files of a month under the names of the texts."""
    views = {
        "s_nod": ("nods", "month, member, thing, weight", "void = ''"),
        "s_spend": ("spends", "member, spend", "charity IS NULL"),
        "s_thing": ("things", "thing, owner", "TRUE"),
    }
    with _duckdb.empty() as there:
        _duckdb.reach(there, row.folder, make=False)
        for view, (name, columns, where) in views.items():
            source = _duckdb.parquet(f"{row.folder}/{name}.parquet")
            there.execute(f"CREATE VIEW {view} AS SELECT {columns} FROM {source} WHERE {where}")
        yield there


def _not_written(folder: str, why: str) -> NoArchive:
    return NoArchive(
        _("The archive cannot be written to %(folder)s, and nothing was changed: %(error)s")
        % {"folder": folder, "error": why}
    )


def _not_read(row: Archive, why: str) -> NoArchive:
    return NoArchive(
        _(
            "The archive of %(month)s cannot be read (%(error)s). The books were not changed:"
            " see whether %(folder)s is there. If it is lost: mickle archive %(month)s --anew"
        )
        % {"month": months.text(row.month), "error": why, "folder": row.folder}
    )


def _away(month: int, why: str) -> NoArchive:
    return NoArchive(
        _(
            "The nods of %(month)s are in its archive, and that cannot be read now: %(error)s."
            " Nothing was changed: let %(folder)s be read again."
        )
        % {
            "month": months.text(month),
            "error": why.rstrip(". "),
            "folder": Archive.objects.filter(month=month).values_list("folder", flat=True).first(),
        }
    )


def _broken(month: int, path: str) -> NoArchive:
    return NoArchive(
        _(
            "The archive of %(month)s is not what was written: %(path)s differs. The books were not"
            " changed: restore the file from a copy. If there is none: mickle archive %(month)s"
            " --anew"
        )
        % {"month": months.text(month), "path": path}
    )
