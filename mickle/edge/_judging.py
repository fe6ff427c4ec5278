"""Who may nod: what is asked of the writer, what is read of it, and the verdict. Asks nobody.

A pass is read in the same transaction that writes, so that one taken back a moment ago gives
nothing.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple

from mickle.edge import _clock
from mickle.edge._database import Rows, rows
from mickle.lib import months
from mickle.lib.buckets import Buckets

KNOWN_AT_MOST = 50_000

# Each ask once for every secret that came with it; a pass is for the host of the page asked for.
RESOLVE = """
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


class Found(NamedTuple):
    """What is known of an ask: its pass, whose it is, and what was asked for; as `RESOLVE` reads.

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


class Judge:
    """Says who may, by what was read of their passes; the same for each batch of a process."""

    def __init__(self, *, a_day: int, members: Buckets) -> None:
        self._a_day, self._members = a_day, members
        # The secrets that were good of late.
        self._known: set[str] = set()

    def knows(self, ask: Ask) -> bool:
        """Whether it has a secret that was good of late."""
        return any(secret in self._known for secret in ask.secrets)

    def decide(
        self,
        asks: Sequence[Ask],
        found: Iterable[tuple[int, Found]],
        at: datetime,
        partners: Collection[tuple[int, int]] = (),
        *,
        strangers: bool = False,
    ) -> tuple[dict[int, Found], list[Verdict]]:
        """Who may, by place; and the refusals. `partners` have a part of what they ask for.

        Of `strangers` it is asked only whether any may, and nothing is taken from their buckets.
        """
        verdicts = [Verdict("no-pass")] * len(asks)
        may: dict[int, Found] = {}
        given: Counter[int] = Counter()
        for place, one in found:
            if place in may:
                continue
            back, room = asks[place].take_back, self._a_day - given[one.pass_id]
            partner = (place, one.member_id) in partners
            reason = one.refusal(take_back=back, today=at.toordinal(), room=room, partner=partner)
            if not reason and not (strangers or self._members.take(one.member_id, _clock.now())):
                reason = "limit"
            if not reason:
                may[place] = one
                given[one.pass_id] += not back
            elif reason != "no-pass" and verdicts[place].reason in _NOT_HERE:
                # Of several passes the one that came furthest says why not.
                verdicts[place] = Verdict(reason)
        return may, verdicts

    def remember(self, asks: Sequence[Ask], may: Iterable[int]) -> None:
        """Know those by their secrets next time."""
        if len(self._known) > KNOWN_AT_MOST:
            self._known.clear()
        for place in may:
            self._known.update(asks[place].secrets)


Told = Sequence[tuple[int, str, int | None, str]]


def listed(asks: Sequence[Ask]) -> Told:
    """Each ask once for every secret, with its place in front."""
    return [
        (place, secret, ask.thing_id, ask.identity)
        for place, ask in enumerate(asks)
        for secret in ask.secrets
    ]


def asked_rows(told: Told) -> str:
    """What `RESOLVE` reads: the same, numbered."""
    return rows([(row, *one[1:]) for row, one in enumerate(told)])


def read(found: Rows, told: Told) -> list[tuple[int, Found]]:
    """What was found of each, with its place; the secrets of one ask as they came."""
    # The database keeps the order anyway and does not say so.
    found.sort(key=itemgetter(0))
    return [(told[facts[0]][0], Found._make(facts[1:])) for facts in found]


def giving(
    may: Mapping[int, Found], asks: Sequence[Ask], at: datetime
) -> list[tuple[int, int, int, str, int]]:
    """The rows of the nods that are given."""
    month = months.of(at)
    return sorted(
        (who.member_id, who.thing_id, month, asks[place].key, asks[place].evidence)
        for place, who in may.items()
        if not asks[place].take_back
    )


def using(may: Mapping[int, Found], asks: Sequence[Ask]) -> list[tuple[int, int]]:
    """The rows of the passes that were used: how many nods each gave."""
    given = {who.pass_id: 0 for who in may.values()}
    for place, who in may.items():
        given[who.pass_id] += not asks[place].take_back
    return sorted(given.items())
