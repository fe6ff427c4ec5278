"""Computes a frozen month: the portable texts on whatever engines are at hand, and the check.

Nothing is written that others see, so nobody waits however long it takes.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import resources
from pathlib import Path

from django.conf import settings
from django.db.models import Sum
from django.utils.translation import gettext as _

from mickle.lib import months
from mickle.lib.errors import NeedsAPerson
from mickle.settlement import _database, _others
from mickle.settlement._protocol import Engine, Input, Opener
from mickle.settlement.models import Spend

# What the texts give, in order: each is kept, so that the next ones read it; its key and columns.
TEXTS = {
    "split": ("member", "member, n, total, slice, rem, cut_remainder, cut_thing"),
    "line": ("thing", "thing, owner, nods, gross, fee"),
    "member_debit": ("member", "member, waiting"),
    "owner_credit": ("owner", "owner, gross, fee"),
}
# The columns of a split under the names the texts read.
SPLIT = (
    "month, member_id AS member, total_weight AS total, slice_micros AS slice, rem,"
    " cut_remainder, cut_thing"
)
# What a result is known by: its splits and its lines in order of their keys.
_CANONICAL = (
    "SELECT member, n, total, slice, rem, cut_remainder, cut_thing FROM s_split ORDER BY member",
    "SELECT thing, COALESCE(owner, 0), nods, gross, fee FROM s_line ORDER BY thing",
)
_SUMS = """
SELECT (SELECT COUNT(*) FROM s_split),
       (SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM s_split),
       (SELECT COUNT(*) FROM s_line),
       (SELECT CAST(COALESCE(SUM(total * slice + rem), 0) AS BIGINT) FROM s_split),
       (SELECT CAST(COALESCE(SUM(gross), 0) AS BIGINT) FROM s_line),
       (SELECT CAST(COALESCE(SUM(waiting), 0) AS BIGINT) FROM s_member_debit),
       (SELECT CAST(COALESCE(SUM(gross), 0) AS BIGINT) FROM s_owner_credit),
       (SELECT CAST(COALESCE(SUM(fee), 0) AS BIGINT) FROM s_owner_credit)
"""


class DoesNotAddUp(AssertionError):
    """A result that is no split of what was taken in; nothing of it was posted."""


class EnginesDiffer(NeedsAPerson):
    """Two engines came to different results; nothing was posted, and both were written down."""


class NotComputed(NeedsAPerson):
    """An engine failed on the way; nothing was posted."""


@dataclass(frozen=True)
class Result:
    """What a frozen month comes to, before it is posted; amounts in micros."""

    engine: str
    sha256: str
    splits: int
    nods: int
    lines: int
    spent_micros: int
    waiting_micros: int
    paid_micros: int
    fee_micros: int


@cache
def text(name: str) -> str:
    """One of the portable SQL texts beside this file."""
    return (resources.files("mickle.settlement") / f"{name}.sql").read_text(encoding="utf-8")


def compute(month: int, basis_points: int, openers: Sequence[Opener]) -> Result:
    """Compute a frozen month into s_split, s_line, s_member_debit and s_owner_credit; check it.

    The tables belong to this connection, until `_database.forget`. What the first engine says is
    kept, and every other has to say the same. Raises DoesNotAddUp, EnginesDiffer and NotComputed.
    """
    _database.forget()
    taken_in = spent(month)
    found: list[Result] = []
    for opened in openers:
        failed = _others.told(partial(_not_computed, month))
        with failed, opened(inputs(month, basis_points)) as engine:
            result = run(engine, month, taken_in)
            if not found:
                _database.bring(engine, month, {f"s_{name}": said for name, said in TEXTS.items()})
            elif result.sha256 != found[0].sha256:
                raise _differ(month, found[0], engine)
            found.append(result)
    names = ", ".join(result.engine for result in found)
    return replace(found[0], engine=names)


def inputs(month: int, basis_points: int) -> dict[str, Input]:
    """What the texts read of a frozen month."""
    return {
        "s_nod": Input(
            "month, member, thing, weight",
            "SELECT month, member_id AS member, thing_id AS thing, weight FROM nods_nod"
            f" WHERE month = {month:d} AND void = ''",
        ),
        "s_spend": Input(
            "member, spend",
            "SELECT member_id AS member, amount_micros AS spend FROM settlement_spend"
            f" WHERE month = {month:d} AND charity_id IS NULL",
        ),
        "s_thing": Input(
            "thing, owner",
            "SELECT t.id AS thing, o.owner_id AS owner FROM things_thing t"
            " LEFT JOIN settlement_owned o"
            f" ON o.month = {month:d} AND o.thing_id = t.id AND o.receives",
        ),
        "s_rate": Input("bp", f"SELECT {basis_points:d} AS bp"),
    }


def spent(month: int) -> int:
    """Micros that were taken in for the things of a month."""
    spends = Spend.objects.filter(month=month, charity=None).aggregate(sum=Sum("amount_micros"))
    return spends["sum"] or 0


def run(engine: Engine, month: int, taken_in: int) -> Result:
    """Compute a month on an engine; raises DoesNotAddUp unless all that was taken in is there."""
    for name, (key, _columns) in TEXTS.items():
        engine.keep(f"s_{name}", f"SELECT {month:d} AS month, q.* FROM ({text(name)}) q", key=key)
        if name == "split":
            engine.view("s_share", text("share"))
    (sums,) = next(engine.rows(_SUMS))
    splits, nods, lines, cut, gross, waiting, paid, fee = (int(figure or 0) for figure in sums)
    if not taken_in == cut == gross == waiting + paid:
        raise DoesNotAddUp(
            f"{taken_in} micros were taken in, {cut} split, {gross} are in lines,"
            f" {waiting} wait and {paid} are for owners, says {engine.name}"
        )
    digest = hashlib.sha256()
    for part in canonical(engine):
        digest.update(part)
    return Result(engine.name, digest.hexdigest(), splits, nods, lines, cut, waiting, paid, fee)


def canonical(engine: Engine) -> Iterator[bytes]:
    """The result as text: splits and lines in order of their keys, a row a line."""
    for select in _CANONICAL:
        for rows in engine.rows(select):
            yield "".join(" ".join(map(str, row)) + "\n" for row in rows).encode()
        yield b"\n"


def _not_computed(month: int, why: str) -> NotComputed:
    return NotComputed(
        _(
            "%(month)s could not be computed (%(error)s). Nothing of it was posted and nothing is"
            " lost: settle it again when that is put right, or on another engine, such as with"
            " --engine database."
        )
        % {"month": months.text(month), "error": why}
    )


def _differ(month: int, first: Result, other: Engine) -> EnginesDiffer:
    folder = Path(settings.DATA_DIR) / "differences"
    folder.mkdir(exist_ok=True)
    for name, engine in ((first.engine, _database.Database()), (other.name, other)):
        path = folder / f"{months.text(month)} {name}.txt"
        with path.open("wb") as file:
            file.writelines(canonical(engine))
    return EnginesDiffer(
        _(
            "%(one)s and %(other)s came to different results for %(month)s, so nothing was posted"
            " and no money moved. Both results are in %(folder)s: compare them and report it."
        )
        % {
            "one": first.engine,
            "other": other.name,
            "month": months.text(month),
            "folder": folder,
        }
    )
