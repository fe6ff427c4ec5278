"""Nods by group commit: all who wait are written in one transaction, and answered when it is safe.

A batch is decided, written, counted and told in a handful of statements, whatever its size; what
the members may do is read in the same transaction that writes, so that a pass taken back a moment
ago gives nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from mickle.edge._database import Database, rows
from mickle.edge._judging import (
    RESOLVE,
    Ask,
    Found,
    Judge,
    Verdict,
    asked_rows,
    giving,
    listed,
    read,
    using,
)
from mickle.lib import months
from mickle.nods import write
from mickle.passes.write import KEPT_FOR, USE
from mickle.teams.asking import PARTNERS

SOURCE = "button"

_PARTNERS = PARTNERS.replace(
    "{asked}",
    """
SELECT CAST(value->>0 AS BIGINT) AS place, CAST(value->>1 AS BIGINT) AS thing,
       CAST(value->>2 AS BIGINT) AS member
FROM {rows}""",
)
# SQLite takes an index for some rows only where the statement says the same words as the index.
_KEYED = """
SELECT month, thing_id FROM nods_nod
WHERE member_id = %(member)s AND key = %(key)s AND NOT (key = '')
"""
_TOTALS = """
SELECT c.thing_id, c.total FROM nods_count c
WHERE c.thing_id IN (SELECT CAST(value->>0 AS BIGINT) FROM {rows})
"""
_HELD = """
SELECT 1 FROM nods_nod
WHERE member_id = %(member)s AND thing_id = %(thing)s AND month = %(month)s
"""
_LEAVING = "SELECT 1 FROM members_member WHERE id = %(member)s AND closing_at IS NOT NULL"


class Taken(NamedTuple):
    """What a batch came to: an answer each, and whether counts changed."""

    verdicts: list[Verdict]
    counted: bool


class Batch:
    """Writes asks together, on the connection of one thread."""

    def __init__(self, database: Database, judge: Judge) -> None:
        self._database, self._judge = database, judge

    def write(self, asks: Sequence[Ask], joining: Callable[[], Sequence[Ask]] = tuple) -> Taken:
        """All in one transaction; raises what the database raises, and then nothing is written.

        `joining` says once the transaction has begun who is in it, too; they come last.
        Where all are strangers that may not, nothing is locked: they cost a reader's time only.
        """
        if not any(map(self._judge.knows, asks)):
            at, closed = self._database.now()
            month = max(months.of(at), closed + 1)
            may, verdicts = self._decide(asks, at, month, strangers=True)
            if not may:
                return Taken(verdicts, counted=False)
        with self._database.writing() as (at, closed):
            asks = [*asks, *joining()]
            month = max(months.of(at), closed + 1)
            may, verdicts = self._decide(asks, at, month)
            self._judge.remember(asks, may)
            back = [place for place in may if asks[place].take_back]
            if back:
                # Who gives holds the members with the nods.
                self._database.hold_members(sorted({who.member_id for who in may.values()}))
            new = self._give(may, asks, at)
            self.stand(asks, may, verdicts, new, month)
            gone = self._take_back(may, back, month)
            for place in back:
                verdicts[place] = _taken_back(may[place], month, there=place in gone)
            # After the nods, as everybody does who changes both.
            totals = self._count(list(new), may, gone, month)
            self._use(may, asks, at)
            counted = bool(totals)
            if counted:
                self._database.tell()
            self.add_totals(totals, verdicts)
        return Taken(filled(verdicts, may, totals), counted)

    def stand(
        self,
        asks: Sequence[Ask],
        may: Mapping[int, Found],
        verdicts: list[Verdict],
        new: Mapping[tuple[int, int], int],
        month: int,
    ) -> None:
        """Put in what became of each nod: the first for a thing is new, the others stand."""
        left = dict(new)
        for place, who in may.items():
            if not asks[place].take_back:
                verdicts[place] = self._given(asks[place], who, left, month)

    def _decide(
        self, asks: Sequence[Ask], at: datetime, month: int, *, strangers: bool = False
    ) -> tuple[dict[int, Found], list[Verdict]]:
        """Who may, by place; and the refusals."""
        told = listed(asks)
        names = {"rows": asked_rows(told), "at": self._database.instant(at)}
        found = read(self._database.query(RESOLVE, names), told)
        partners = self._partners(found, month)
        return self._judge.decide(asks, found, at, partners, strangers=strangers)

    def _partners(self, found: Iterable[tuple[int, Found]], month: int) -> set[tuple[int, int]]:
        """Of the asks by place, the members who have a part of the thing through a team."""
        shared = [
            (place, one.thing_id, one.member_id)
            for place, one in found
            if one.pass_id and one.shared
        ]
        if not shared:
            return set()
        names = {"rows": rows(shared), "month": month}
        return {(place, member) for place, member in self._database.query(_PARTNERS, names)}

    def _give(
        self, may: Mapping[int, Found], asks: Sequence[Ask], at: datetime
    ) -> dict[tuple[int, int], int]:
        """Insert the nods: the month of each new one, by member and thing."""
        given = giving(may, asks, at)
        if not given:
            return {}
        names = {"rows": rows(given), "at": self._database.instant(at), "source": SOURCE}
        written = self._database.give(names)
        return {(member, thing): in_month for in_month, member, thing in written}

    def _given(self, ask: Ask, who: Found, new: dict[tuple[int, int], int], month: int) -> Verdict:
        in_month = new.pop((who.member_id, who.thing_id), None)
        if in_month is not None:
            return Verdict("", True, in_month, who.thing_id)
        if ask.key:
            names = {"member": who.member_id, "key": ask.key}
            for before, thing_id in self._database.query(_KEYED, names):
                return Verdict("", False, before, thing_id)
        names = {"member": who.member_id, "thing": who.thing_id, "month": month}
        if self._database.query(_HELD, names):
            return Verdict("", False, month, who.thing_id)
        # Not new and not there: the member began to leave since it was asked, or took it back.
        leaving = bool(self._database.query(_LEAVING, {"member": who.member_id}))
        return Verdict("leaving" if leaving else "later")

    def _take_back(
        self, may: Mapping[int, Found], back: Sequence[int], month: int
    ) -> dict[int, list[int]]:
        """Delete nods, in the order in which they are given: by place the things they stood at."""
        gone: dict[int, list[int]] = {}
        for place in sorted(back, key=lambda place: (may[place].member_id, may[place].thing_id)):
            who = may[place]
            names = {"member": who.member_id, "thing": who.thing_id, "month": month}
            # Of two at once one finds the row gone, and counts nothing.
            if found := self._database.query(write.TAKE_BACK, names):
                gone[place] = sorted(thing_id for _member, thing_id in found)
        return gone

    def _count(
        self,
        given: Sequence[tuple[int, int]],
        may: Mapping[int, Found],
        gone: Mapping[int, Sequence[int]],
        month: int,
    ) -> dict[int, int]:
        """Count what was given and what is gone: the totals of those things."""
        query = self._database.query
        if gone:
            things = {thing for _member, thing in given}.union(*gone.values())
            self._database.hold_counts(sorted(things))
        totals: dict[int, int] = dict(query(write.COUNT_UP, {"rows": rows(given)})) if given else {}
        for place, things_of in gone.items():
            for thing_id in things_of:
                names = {"member": may[place].member_id, "thing": thing_id, "month": month}
                totals.update(query(write.COUNT_DOWN, names))
        return totals

    def _use(self, may: Mapping[int, Found], asks: Sequence[Ask], at: datetime) -> None:
        if may:
            instant = self._database.instant
            names = {"at": instant(at), "until": instant(at + KEPT_FOR), "day": at.toordinal()}
            self._database.query(USE, {"rows": rows(using(may, asks)), **names})

    def add_totals(self, totals: dict[int, int], verdicts: Iterable[Verdict]) -> None:
        """Read the totals of things that are asked for and were not counted just now."""
        things = {one.thing_id for one in verdicts if one.thing_id} - totals.keys()
        if things:
            names = {"rows": rows([[one] for one in sorted(things)])}
            totals.update(self._database.query(_TOTALS, names))


def _taken_back(who: Found, month: int, *, there: bool) -> Verdict:
    if there:
        return Verdict("", False, month, who.thing_id)
    return Verdict("no-nod", thing_id=who.thing_id)


def filled(
    verdicts: Sequence[Verdict], may: Mapping[int, Found], totals: Mapping[int, int]
) -> list[Verdict]:
    """The verdicts with the counts as they are now, and the passes that were used."""
    return [
        Verdict(
            reason,
            new,
            month,
            thing_id,
            totals.get(thing_id, 0),
            may[place].secret if place in may else "",
        )
        for place, (reason, new, month, thing_id, _total, _secret) in enumerate(verdicts)
    ]
