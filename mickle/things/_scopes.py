"""What one proof covers: which things belong to a host, to a path below it, or to an account."""

from datetime import datetime

from django.db import connection, transaction
from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat, Left, Length, Substr
from django.db.models.lookups import Exact

from mickle.instance import instance
from mickle.lib import shared_hosts, urls
from mickle.members.models import Member
from mickle.things import _makers
from mickle.things.models import SCOPE_SEGMENTS, Scope, Thing

LIVING = (Thing.State.ACTIVE, Thing.State.TAKEN_DOWN)
# What may follow the text of a scope in an identity that lies below it.
_BELOW = ("/", "?", "#")
_HOST_LOCKS = 11
# Who gives or takes a place holds it shared, who adds things by the million alone.
_MANY_LOCK = 13


def hold(of: Thing | Scope) -> None:
    """Let a thing that is added and a proof that covers it see each other; until the end.

    They meet at a host, or in the account that made the thing there or elsewhere. On SQLite the
    writer's own lock does this already.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for name in filter(None, (of.host, of.maker)):
                cursor.execute(
                    "SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_HOST_LOCKS, name]
                )


def hold_all() -> None:
    """Let things that are added in bulk and every proof see each other; until the end.

    Before anything else of the deed: one who waits for it holds nothing the deed waits for.
    """
    instance.hold_owners()
    _hold_many("pg_advisory_xact_lock")


def hold_one(scope: Scope) -> None:
    """Give or take a place while nobody adds anything there; until the end."""
    _hold_many("pg_advisory_xact_lock_shared")
    hold(scope)


def _hold_many(function: str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s)", [_MANY_LOCK])


def covering(thing: Thing) -> Scope | None:
    """The narrowest scope a thing lies in, whether or not somebody has it now."""
    texts = _texts_above(thing.identity)
    rows = Scope.objects.filter(text__in=texts).select_related("owner")
    place = max(rows, key=lambda row: len(row.text), default=None)
    handle = None
    if thing.maker:
        handle = Scope.objects.filter(maker=thing.maker).select_related("owner").first()
    # Of an account's pages elsewhere whoever shows the very place knows more.
    if handle is not None and (place is None or f"{handle.text}/".startswith(f"{place.text}/")):
        return handle
    if place is not None and place.kind == Scope.Kind.HANDLE:
        return place if thing.identity == urls.VERSION + place.text else None
    return place


def _texts_above(identity: str) -> list[str]:
    """`v1:host/a/b?c` lies in `host`, `host/a` and `host/a/b`, as far as that is one party's."""
    place = identity.removeprefix(urls.VERSION)
    for mark in ("?", "#"):
        place = place.partition(mark)[0]
    host, *segments = place.rstrip("/").split("/")
    theirs = shared_hosts.tenant(host, "/" + "/".join(segments))
    texts = [
        "/".join((host, *segments[:count]))
        for count in range(min(len(segments), SCOPE_SEGMENTS) + 1)
    ]
    return [text for text in texts if theirs and f"{text}/".startswith(f"{theirs}/")]


def within(scope: Scope) -> QuerySet[Thing]:
    """The things a scope covers and no narrower one does."""
    covered = Q(id__in=[])
    if scope.maker:
        covered |= Q(maker=scope.maker)
    if scope.kind == Scope.Kind.HANDLE:
        covered |= Q(identity=urls.VERSION + scope.text, host=scope.host)
    elif scope.kind == Scope.Kind.PATH:
        covered |= Q(host=scope.host) & _lies_in(urls.VERSION + scope.text)
    else:
        rows = Thing.objects.filter(host=scope.host)
        covered = Q(host=scope.host) & ~Q(id__in=_of_persons(rows, scope))
    return Thing.objects.filter(covered).filter(~Exists(_narrower(scope)))


def _narrower(scope: Scope) -> QuerySet[Scope]:
    """The scopes that reach into a thing which lies in this one; for an account also elsewhere."""
    rows = Scope.objects.filter(host=OuterRef("host")).exclude(id=scope.id)
    below = _begins("text", scope.text + "/")
    if scope.maker:
        below |= ~Q(host=scope.host)
    reached = (
        rows.filter(below)
        .annotate(head=Concat(Value(urls.VERSION), F("text"), output_field=CharField()))
        .annotate(reach=Substr(OuterRef("identity"), 1, Length("head") + 1))
    )
    return reached.filter(
        Q(kind=Scope.Kind.HOST)
        | Q(head=OuterRef("identity"))
        | Q(reach__in=[Concat(F("head"), Value(mark)) for mark in _BELOW])
    )


def _of_persons(rows: QuerySet[Thing], scope: Scope) -> list[int]:
    """The things of a host that are one person's there (`/~bob`), and not the host's."""
    heads = (f"{urls.VERSION}{scope.host}/~", f"{urls.VERSION}{scope.host}/@")
    named = rows.filter(_begins("identity", heads[0]) | _begins("identity", heads[1]))
    return [
        id_
        for id_, identity in named.values_list("id", "identity").iterator()
        if scope.text not in _texts_above(identity)
    ]


def _lies_in(head: str) -> Q:
    below = [_begins("identity", head + mark) for mark in _BELOW]
    return Q(identity=head) | below[0] | below[1] | below[2]


def _begins(field: str, text: str) -> Q:
    """Whether a column begins with a text, capitals told apart, as SQLite's LIKE does not."""
    return Q(Exact(Left(field, len(text)), text))


def give(
    *, kind: str, text: str, host: str, owner: Member, at: datetime, maker: str = ""
) -> Scope | None:
    """Make a member the owner of a scope and of every thing in it that has none.

    None when another member has the scope; nothing was changed then. Who has a path and shows its
    account too has both.
    """
    with transaction.atomic():
        instance.hold_owners()
        fresh = Scope(kind=kind, text=text, host=host, maker=maker, since_at=at)
        hold_one(fresh)
        if maker:
            _makers.learn(host, maker=maker)
        Scope.objects.bulk_create([fresh], ignore_conflicts=True)
        rows = Scope.objects.filter(text=text)
        taken = rows.filter(owner=None).update(owner=owner, kind=kind, maker=maker, since_at=at)
        taken = taken or rows.filter(owner=owner).update(since_at=at)
        if not taken:
            return None
        if kind != Scope.Kind.HANDLE:
            rows.update(kind=kind)
        if maker:
            rows.update(maker=maker)
        scope = rows.get()
        free = within(scope).filter(owner=None, state__in=LIVING)
        free.update(owner=owner, scope=scope, updated_at=at)
        return scope


def withdraw(*, text: str, at: datetime) -> int:
    """Leave a scope without an owner, and what was had by it; returns how many things."""
    with transaction.atomic():
        instance.hold_owners()
        scope = Scope.objects.filter(text=text).first()
        if scope is None:
            return 0
        hold_one(scope)
        Scope.objects.filter(id=scope.id).update(owner=None, since_at=at)
        return Thing.objects.filter(scope=scope).update(owner=None, scope=None, updated_at=at)


def cover(thing: Thing) -> None:
    """Give a thing just added to who has shown that all of its place is theirs.

    The caller holds it.
    """
    scope = covering(thing)
    if scope is not None and scope.owner is not None:
        rows = Thing.objects.filter(id=thing.id, owner=None, state__in=LIVING)
        if rows.update(owner=scope.owner, scope=scope):
            thing.owner, thing.scope = scope.owner, scope


def cover_all() -> None:
    """Cover things that were added in bulk; scopes are few, so each is asked for what it covers.

    The caller holds them all.
    """
    for scope in Scope.objects.exclude(owner=None):
        free = within(scope).filter(owner=None, state__in=LIVING)
        free.update(owner=scope.owner_id, scope=scope)
