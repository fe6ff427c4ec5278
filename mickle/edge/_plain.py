"""Nods alone, on PostgreSQL: written in two messages on the loop, while it serves.

The first message begins the transaction and reads the passes, the second writes and commits. Behind
it the next batch may begin: the server has something to do while the loop answers, and the loop
while the server writes. What is rare goes the way of `_giving`, in a thread: take-backs, strangers,
pages of teams, and whatever the database refuses.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mickle.edge._database import POSTGRESQL_NOW, Database, Rows, rows
from mickle.edge._giving import SOURCE, Batch, Taken, filled
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
from mickle.edge._pipeline import COMMIT, ROLLBACK, Pipeline, Question
from mickle.lib import months
from mickle.nods import write
from mickle.passes.write import KEPT_FOR, USE

_ROWS = write.ROWS["postgresql"]
_RESOLVE = RESOLVE.replace("{rows}", _ROWS).replace(
    "%(at)s",
    """(SELECT clock_timestamp() + make_interval(secs => i.clock_offset_s)
   FROM instance_instance i WHERE i.id = 1)""",
)
_GIVE = write.GIVE_AND_COUNT.replace("{rows}", _ROWS)
_USE = USE.replace("{rows}", _ROWS)
# Where they stand in a row of what was read, behind its number.
_PASS, _SHARED = Found._fields.index("pass_id") + 1, Found._fields.index("shared") + 1


class NotPlain(Exception):
    """One of these has to go the other way."""


Done = Callable[[Taken | Exception], None]
# What a batch leaves to a thread: its rest, and who hears of it.
Rest = Callable[[Database], Taken]


def are_plain(asks: Iterable[Ask], judge: Judge) -> bool:
    """Whether there are nods only, one of them by a pass that was good of late."""
    known = False
    for ask in asks:
        if ask.take_back:
            return False
        known = known or judge.knows(ask)
    return known


class Plain:
    """One batch on its way; `sent` is called when nothing but its answer is awaited."""

    def __init__(
        self,
        pipeline: Pipeline,
        judge: Judge,
        asks: Sequence[Ask],
        *,
        sent: Callable[[], None],
        rest: Callable[[Rest], None],
        done: Done,
    ) -> None:
        self._pipeline, self._judge, self._asks = pipeline, judge, asks
        self._tell_sent, self._leave, self._done = sent, rest, done
        self._told = listed(asks)
        self._may: dict[int, Found] = {}
        self._verdicts: list[Verdict] = []
        self._month = 0

    def begin(self) -> None:
        """Begin the transaction and read the passes."""
        begin: list[Question] = [("BEGIN", {}), (write.HOLD_FENCE, {}), (POSTGRESQL_NOW, {})]
        self._ask(*begin, (_RESOLVE, {"rows": asked_rows(self._told)}), then=self._found)

    def _ask(
        self, *questions: Question, then: Callable[[list[Rows]], Taken | Exception | None]
    ) -> None:
        """What `then` makes of the answers is the end of it, unless it is None."""

        def heard(said: list[Rows] | Exception) -> None:
            try:
                result = said if isinstance(said, Exception) else then(said)
            except Exception as error:  # noqa: BLE001 - whoever waits hears of it
                # Nobody knows what the transaction holds.
                self._pipeline.fail(error)
                result = error
            if result is not None:
                self._done(result)

        self._pipeline.ask(*questions, heard=heard)

    def _found(self, said: list[Rows]) -> None:
        ((offset_s, closed, clock),) = said[2]
        if any(one[_PASS] and one[_SHARED] for one in said[3]):
            self._undo(NotPlain())
            return
        at = datetime.fromtimestamp(float(clock) + offset_s, UTC)
        self._month = max(months.of(at), closed + 1)
        found = read(said[3], self._told)
        self._may, self._verdicts = self._judge.decide(self._asks, found, at)
        self._judge.remember(self._asks, self._may)
        if self._may:
            self._write(at)
        else:
            self._undo(Taken(self._verdicts, counted=False))

    def _undo(self, result: Taken | Exception) -> None:
        self._ask(ROLLBACK, then=lambda _said: result)
        self._tell_sent()

    def _write(self, at: datetime) -> None:
        given: dict[str, Any] = {"rows": rows(giving(self._may, self._asks, at)), "at": at}
        used = {"rows": rows(using(self._may, self._asks)), "day": at.toordinal()}
        self._ask(
            (_GIVE, given | {"source": SOURCE}),
            (_USE, used | {"at": at, "until": at + KEPT_FOR}),
            COMMIT,
            then=self._written,
        )
        self._tell_sent()

    def _written(self, said: list[Rows]) -> Taken | None:
        nods = [one for one in said[0] if one[1] is not None]
        new = {(member, thing): month for month, member, thing, _none in nods}
        totals = {thing: total for _none, member, thing, total in said[0] if member is None}
        asked = {(who.member_id, who.thing_id) for who in self._may.values()}
        every = len(asked) == len(self._may) and len(new) == len(asked)
        if not every or any(thing not in totals for _member, thing in asked):
            self._leave(lambda database: self._stand(database, new, totals))
            return None
        for place, who in self._may.items():
            month = new[who.member_id, who.thing_id]
            self._verdicts[place] = Verdict("", True, month, who.thing_id)
        return Taken(filled(self._verdicts, self._may, totals), counted=True)

    def _stand(
        self, database: Database, new: Mapping[tuple[int, int], int], totals: dict[int, int]
    ) -> Taken:
        """What stands there of those that are not new, and counts that did not change."""
        batch, counted = Batch(database, self._judge), bool(totals)
        batch.stand(self._asks, self._may, self._verdicts, new, self._month)
        batch.add_totals(totals, self._verdicts)
        return Taken(filled(self._verdicts, self._may, totals), counted)
