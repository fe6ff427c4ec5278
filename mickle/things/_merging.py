"""Two identities that are one work: what pages say of it, what an operator decides, and its record.

A merge is for ever, takes nothing from an owner, and stands in a table with who did it and why.
"""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from mickle.members.models import Member
from mickle.things.models import Merger, Thing


def note(thing: Thing, identity: str, at: datetime) -> bool:
    """Put down that a page says it is the same as another; True when it was not known."""
    rows = Merger.objects.filter(thing=thing)
    if rows.filter(Q(identity=identity) | Q(state=Merger.State.MERGED)).exists():
        return False
    # A page that changed its mind said one thing last.
    rows.filter(state=Merger.State.SAID).delete()
    row = Merger(thing=thing, identity=identity, said_at=at)
    return bool(Merger.objects.bulk_create([row], ignore_conflicts=True)[0])


def said() -> QuerySet[Merger]:
    """What pages say and nobody has decided, where both can be merged; longest wait first."""
    there = Thing.objects.filter(identity=OuterRef("identity"), state=Thing.State.ACTIVE)
    rows = Merger.objects.filter(
        state=Merger.State.SAID, thing__state=Thing.State.ACTIVE, thing__owner=None
    )
    return rows.filter(Exists(there)).select_related("thing").order_by("said_at", "id")


def record(thing: Thing, into: Thing, by: Member | None, why: str, at: datetime) -> None:
    """Put a merge on record, for ever; what else the page said is of no use any more."""
    rows = Merger.objects.filter(thing=thing)
    rows.filter(state=Merger.State.SAID).exclude(identity=into.identity).delete()
    decided = {
        "state": Merger.State.MERGED,
        "into": into,
        "note": why,
        "decided_at": at,
        "decided_by": by,
    }
    rows.update_or_create(
        thing=thing,
        identity=into.identity,
        defaults=decided,
        create_defaults=decided | {"said_at": at},
    )


def keep_apart(merger: Merger, by: Member, at: datetime) -> bool:
    """The operator says that the two are not one; True when this call did it."""
    rows = Merger.objects.filter(id=merger.id, state=Merger.State.SAID)
    return bool(rows.update(state=Merger.State.APART, decided_at=at, decided_by=by))
