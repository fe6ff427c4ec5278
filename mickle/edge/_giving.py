"""Nods by group commit: all who wait are written in one transaction, and answered when it is safe.

A batch is decided, written, counted and told in a handful of statements, whatever its size; what
the members may do is read in the same transaction that writes, so that a pass taken back a moment
ago gives nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple

from mickle.edge import _clock
from mickle.edge._database import Database, rows
from mickle.lib import months
from mickle.lib.buckets import Buckets
from mickle.nods import write
from mickle.passes.write import KEPT_FOR, USE
from mickle.teams.asking import PARTNERS

SOURCE = "button"
KNOWN_AT_MOST = 50_000

# Each ask once for every secret that came with it; a pass is for the host of the page asked for.
_RESOLVE = """
SELECT g.row, g.token, p.id, p.member_id, p.site = x.host, p.day, p.used,
       x.id, t.id, t.state, t.owner_id, m.closing_at IS NOT NULL,
       EXISTS (SELECT 1 FROM teams_putin k WHERE k.keeper_id = t.owner_id)
FROM (SELECT CAST(value->>0 AS BIGINT) AS row, value->>1 AS token,
             CAST(value->>2 AS BIGINT) AS thing, value->>3 AS identity
      FROM {rows}) g
LEFT JOIN passes_sitepass p
  ON p.token_hash = g.token AND NOT (p.token_hash = '') AND p.expires_at > %(at)s
LEFT JOIN members_member m ON m.id = p.member_id
LEFT JOIN things_thing x
  ON x.id = COALESCE(g.thing, (SELECT y.id FROM things_thing y WHERE y.identity = g.identity))
LEFT JOIN things_thing t ON t.id = COALESCE(x.merged_into_id, x.id)
"""
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


# What a pass says of a page it has nothing to do with.
_NOT_HERE = ("no-pass", "other-site")


class Ask(NamedTuple):
    """What somebody with a pass wants; `secrets` are hashed, the thing is named in one way."""

    secrets: tuple[str, ...]
    thing_id: int | None
    identity: str
    key: str = ""
    evidence: int = 0
    take_back: bool = False


class Verdict(NamedTuple):
    """What became of it; `reason` is empty when the nod stands (or, taken back, stands no more)."""

    reason: str = ""
    new: bool = False
    month: int = 0
    thing_id: int = 0
    total: int = 0
    secret: str = ""


class _Found(NamedTuple):
    """What is known of an ask: its pass, whose it is, and what was asked for; as `_RESOLVE` reads.

    Where there is no pass, or no such thing, its own columns are None.
    """

    secret: str
    pass_id: int
    member_id: int
    fits: bool
    day: int
    used: int
    asked_id: int | None
    thing_id: int
    state: str
    owner_id: int | None
    leaving: bool
    shared: bool

    def refusal(self, *, take_back: bool, today: int, room: int, partner: bool) -> str:
        """Why the ask may not be done, or an empty text; `room` is what is left of a day's nods.

        `partner` says that the member has a part of it through a team.
        What was given may be taken back, whoever owns it by now and however much was given today.
        """
        if not self.pass_id:
            return "no-pass"
        if self.asked_id is not None and not self.fits:
            return "other-site"
        if take_back:
            return "unknown" if self.asked_id is None else ""
        if self.leaving:
            return "leaving"
        spent = self.used if self.day == today else 0
        return "limit" if spent >= room else self._closed(partner=partner)

    def _closed(self, *, partner: bool) -> str:
        """Why nobody, or not this member, may nod at what was asked for."""
        if self.asked_id is None:
            return "unknown"
        if partner or self.owner_id == self.member_id:
            return "own"
        return "" if self.state == "ACTIVE" else "refused"


class Taken(NamedTuple):
    """What a batch came to: an answer each, and whether counts changed."""

    verdicts: list[Verdict]
    counted: bool


class Batch:
    """Writes asks together, on the connection of one thread."""

    def __init__(
        self, database: Database, *, a_day: int, members: Buckets, known: set[str]
    ) -> None:
        """`known` keeps the secrets that were good of late, from one batch to the next."""
        self._database, self._a_day, self._members = database, a_day, members
        self._known = known

    def write(self, asks: Sequence[Ask], joining: Callable[[], Sequence[Ask]] = tuple) -> Taken:
        """All in one transaction; raises what the database raises, and then nothing is written.

        `joining` says once the transaction has begun who is in it, too; they come last.
        Where all are strangers that may not, nothing is locked: they cost a reader's time only.
        """
        if not any(secret in self._known for ask in asks for secret in ask.secrets):
            at, closed = self._database.now()
            month = max(months.of(at), closed + 1)
            may, verdicts = self._decide(asks, at, month, Buckets(a_second=0, burst=0))
            if not may:
                return Taken(verdicts, counted=False)
        with self._database.writing() as (at, closed):
            asks = [*asks, *joining()]
            month = max(months.of(at), closed + 1)
            may, verdicts = self._decide(asks, at, month, self._members)
            self._remember(asks, may)
            back = [place for place in may if asks[place].take_back]
            if back:
                # Who gives holds the members with the nods.
                self._database.hold_members(sorted({who.member_id for who in may.values()}))
            new = self._give(may, asks, at)
            given = list(new)
            for place, who in may.items():
                if not asks[place].take_back:
                    verdicts[place] = self._given(asks[place], who, new, month)
            gone = self._take_back(may, back, month)
            for place in back:
                verdicts[place] = _taken_back(may[place], month, there=place in gone)
            # After the nods, as everybody does who changes both.
            totals = self._count(given, may, gone, month)
            self._use(may, asks, at)
            counted = bool(totals)
            if counted:
                self._database.tell()
            self._add_totals(totals, verdicts)
        return Taken([_filled(n, one, may, totals) for n, one in enumerate(verdicts)], counted)

    def _remember(self, asks: Sequence[Ask], may: Iterable[int]) -> None:
        if len(self._known) > KNOWN_AT_MOST:
            self._known.clear()
        for place in may:
            self._known.update(asks[place].secrets)

    def _decide(
        self, asks: Sequence[Ask], at: datetime, month: int, members: Buckets
    ) -> tuple[dict[int, _Found], list[Verdict]]:
        """Who may, by place; and the refusals."""
        told = [(place, secret) for place, ask in enumerate(asks) for secret in ask.secrets]
        listed = [
            (row, secret, asks[place].thing_id, asks[place].identity)
            for row, (place, secret) in enumerate(told)
        ]
        found = self._database.query(
            _RESOLVE, {"rows": rows(listed), "at": self._database.instant(at)}
        )
        # In the order they came with, which the database keeps anyway and does not say so.
        found.sort(key=itemgetter(0))
        known = [(told[facts[0]][0], _Found._make(facts[1:])) for facts in found]
        partners = self._partners(known, month)
        verdicts = [Verdict("no-pass")] * len(asks)
        may: dict[int, _Found] = {}
        given: Counter[int] = Counter()
        for place, one in known:
            if place in may:
                continue
            back, room = asks[place].take_back, self._a_day - given[one.pass_id]
            partner = (place, one.member_id) in partners
            reason = one.refusal(take_back=back, today=at.toordinal(), room=room, partner=partner)
            if not reason and not members.take(one.member_id, _clock.now()):
                reason = "limit"
            if not reason:
                may[place] = one
                given[one.pass_id] += not back
            elif reason != "no-pass" and verdicts[place].reason in _NOT_HERE:
                # Of several passes the one that came furthest says why not.
                verdicts[place] = Verdict(reason)
        return may, verdicts

    def _partners(self, found: Iterable[tuple[int, _Found]], month: int) -> set[tuple[int, int]]:
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
        self, may: Mapping[int, _Found], asks: Sequence[Ask], at: datetime
    ) -> dict[tuple[int, int], int]:
        """Insert the nods: the month of each new one, by member and thing."""
        month = months.of(at)
        given = sorted(
            (who.member_id, who.thing_id, month, asks[place].key, asks[place].evidence)
            for place, who in may.items()
            if not asks[place].take_back
        )
        if not given:
            return {}
        names = {"rows": rows(given), "at": self._database.instant(at), "source": SOURCE}
        written = self._database.give(names)
        return {(member, thing): in_month for in_month, member, thing in written}

    def _given(self, ask: Ask, who: _Found, new: dict[tuple[int, int], int], month: int) -> Verdict:
        in_month = new.pop((who.member_id, who.thing_id), None)
        if in_month is not None:
            return Verdict("", True, in_month, who.thing_id)
        if ask.key:
            names = {"member": who.member_id, "key": ask.key}
            for before, thing_id in self._database.query(_KEYED, names):
                return Verdict("", False, before, thing_id)
        names = {"member": who.member_id, "thing": who.thing_id, "month": month}
        stands = bool(self._database.query(_HELD, names))
        # Not new and not there: the member began to leave since it was asked.
        reason = "" if stands else "leaving"
        return Verdict(reason, False, month, who.thing_id)

    def _take_back(
        self, may: Mapping[int, _Found], back: Sequence[int], month: int
    ) -> dict[int, int]:
        """Delete nods, in the order in which they are given: by place the thing it stood at."""
        gone: dict[int, int] = {}
        for place in sorted(back, key=lambda place: (may[place].member_id, may[place].thing_id)):
            who = may[place]
            # Given before a merge, a nod stands at what was merged until the freeze.
            for thing_id in dict.fromkeys((who.thing_id, who.asked_id)):
                names = {"member": who.member_id, "thing": thing_id, "month": month}
                # Of two at once one finds the row gone, and counts nothing.
                if thing_id is not None and self._database.query(write.TAKE_BACK, names):
                    gone[place] = thing_id
                    break
        return gone

    def _count(
        self,
        given: Sequence[tuple[int, int]],
        may: Mapping[int, _Found],
        gone: Mapping[int, int],
        month: int,
    ) -> dict[int, int]:
        """Count what was given and what is gone: the totals of those things."""
        query = self._database.query
        if gone:
            things = {thing for _member, thing in given} | set(gone.values())
            self._database.hold_counts(sorted(things))
        totals: dict[int, int] = dict(query(write.COUNT_UP, {"rows": rows(given)})) if given else {}
        for place, thing_id in gone.items():
            names = {"member": may[place].member_id, "thing": thing_id, "month": month}
            totals.update(query(write.COUNT_DOWN, names))
        return totals

    def _use(self, may: Mapping[int, _Found], asks: Sequence[Ask], at: datetime) -> None:
        given = {who.pass_id: 0 for who in may.values()}
        for place, who in may.items():
            given[who.pass_id] += not asks[place].take_back
        if given:
            self._database.query(
                USE,
                {
                    "rows": rows(sorted(given.items())),
                    "at": self._database.instant(at),
                    "until": self._database.instant(at + KEPT_FOR),
                    "day": at.toordinal(),
                },
            )

    def _add_totals(self, totals: dict[int, int], verdicts: Iterable[Verdict]) -> None:
        """Read the totals of things that are asked for and were not counted just now."""
        things = {one.thing_id for one in verdicts if one.thing_id} - totals.keys()
        if things:
            names = {"rows": rows([[one] for one in sorted(things)])}
            totals.update(self._database.query(_TOTALS, names))


def _taken_back(who: _Found, month: int, *, there: bool) -> Verdict:
    if there:
        return Verdict("", False, month, who.thing_id)
    return Verdict("no-nod", thing_id=who.thing_id)


def _filled(
    place: int, verdict: Verdict, may: Mapping[int, _Found], totals: Mapping[int, int]
) -> Verdict:
    """The verdict with the count as it is now, and the pass that was used."""
    reason, new, month, thing_id, _total, _secret = verdict
    secret = may[place].secret if place in may else ""
    return Verdict(reason, new, month, thing_id, totals.get(thing_id, 0), secret)
