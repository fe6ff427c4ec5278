"""The door of the room: find, add, describe, own, refuse, take down, merge."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.lib import urls
from mickle.lib.errors import Refused
from mickle.members.models import Member
from mickle.things import _adding, _makers, _merging, _reading, _scopes, _search, _texts
from mickle.things._adding import NewThing
from mickle.things.languages import LANGUAGES
from mickle.things.models import (
    DESCRIPTION_CHARACTERS,
    NOTE_CHARACTERS,
    TITLE_CHARACTERS,
    Merger,
    Scope,
    Thing,
)

__all__ = ["NewThing"]

_CATEGORIES = tuple(Thing.Category.values)
_DESCRIBED = frozenset({"title", "description", "category", "language", "tags", "hidden"})


class BadText(Refused):
    """A title, description, category, language or tag that cannot be kept."""


class IdTaken(Refused):
    """Another thing has this number already."""


class AlreadyOwned(Refused):
    """The thing belongs to another member."""


class NotOwnable(Refused):
    """The thing was refused for ever or merged, so nobody can own it."""


class Final(Refused):
    """A refusal or a merge is for ever."""


class CannotMerge(Refused):
    """Merging would take something from an owner, or go in a circle."""


def look(*, url: str, title: str = "") -> Thing:
    """The thing at an address, or an unsaved one as it would be added; raises BadUrl.

    The title is made fit to be shown, and only an unsaved one has it.
    """
    found = urls.admit(url)
    known = _known(found.identity)
    if known is not None:
        return known
    row = _adding.fresh(found)
    row.title = _texts.title(title)
    return row


def find(*, url: str) -> Thing | None:
    """The thing at an address (of a merged one its target), or None; raises BadUrl."""
    return _known(urls.identify(url).identity)


def matching(words: str) -> list[int]:
    """Ids of the things with each of the words in title, description or address, newest first.

    A word finds what begins with it; a whole address finds its thing alone.
    """
    try:
        known = _known(urls.identify(words).identity)
    except urls.BadUrl:
        known = None
    return _search.matching(words) if known is None else [known.id]


def _known(identity: str) -> Thing | None:
    rows = Thing.objects.select_related("owner", "merged_into__owner")
    row = rows.filter(identity=identity).first()
    return row.merged_into if row is not None and row.merged_into is not None else row


def find_or_add(
    *,
    url: str,
    at: datetime,
    title: str = "",
    description: str = "",
    category: str = Thing.Category.REST,
    language: str = "",
    tags: Sequence[str] = (),
    hidden: bool = False,
    added_by: Member | None = None,
    thing_id: int | None = None,
    read: bool = True,
) -> Thing:
    """The one thing at an address, made when it is new; a known one is not described anew.

    Its page is read later for a title if `read`. Raises BadUrl, BadText, or IdTaken (`thing_id`).
    """
    identity = urls.admit(url)
    known = _known(identity.identity)
    if known is not None:
        return known
    _check_kind(category, language)
    row = _adding.fresh(identity)
    row.title, row.description = _texts.title(title), _texts.description(description)
    row.category, row.language, row.tags = category, language, _texts.tags(tags)
    row.hidden, row.added_by, row.created_at, row.id = hidden, added_by, at, thing_id
    row.to_read_at = _reading.when(row.host, added_by, at) if read else None
    with transaction.atomic():
        _scopes.hold(row)
        # Of two who add at once one row is written.
        Thing.objects.bulk_create([row], ignore_conflicts=True)
        found = _known(identity.identity)
        if found is None:
            raise IdTaken(_id_taken(thing_id))
        _scopes.cover(found)
        _adding.write_tags(found.id, found.tags)
        if thing_id is not None:
            _adding.advance_ids()
    return found


def _id_taken(thing_id: object) -> str:
    return _("Another page has the number %(id)s here. Nothing was added.") % {"id": thing_id}


def bulk_add(rows: Iterable[NewThing]) -> list[int]:
    """Add many described things in chunks; the ids of their things in the order of the rows.

    A known thing stays as it is. Raises BadUrl, BadText or IdTaken; called in a transaction.
    """
    _scopes.hold_all()
    ids: list[int] = []
    for chunk in _adding.chunks(rows):
        for row in chunk:
            _check_kind(row.category, row.language)
        found = _adding.insert(chunk)
        missing = next((row for row, one in zip(chunk, found, strict=True) if one is None), None)
        if missing is not None:
            raise IdTaken(_id_taken(missing.thing_id))
        ids += [one for one in found if one is not None]
    _adding.advance_ids()
    _scopes.cover_all()
    return ids


def _check_kind(category: object, language: object) -> None:
    if category not in _CATEGORIES:
        raise BadText(
            _("“%(given)s” is no category. Choose one of: %(known)s.")
            % {"given": category, "known": ", ".join(_CATEGORIES)}
        )
    if language and language not in LANGUAGES:
        raise BadText(
            _("“%(given)s” is no language known here. Write it like en_GB.") % {"given": language}
        )


def describe(*, thing: Thing, at: datetime, **fields: Any) -> Thing:
    """Change title, description, category, language, tags or hidden; raises BadText."""
    if not fields.keys() <= _DESCRIBED:
        raise ValueError(f"{sorted(fields.keys() - _DESCRIBED)} cannot be described")
    _check_kind(fields.get("category", thing.category), fields.get("language", thing.language))
    values: dict[str, Any] = fields | {"updated_at": at}
    if "title" in fields:
        values["title"] = _within(_texts.line(fields["title"]), TITLE_CHARACTERS)
    if "description" in fields:
        values["description"] = _within(_texts.lines(fields["description"]), DESCRIPTION_CHARACTERS)
    with transaction.atomic():
        if "tags" in fields:
            values["tags"] = _texts.tags(fields["tags"])
            _adding.replace_tags(thing.id, values["tags"])
        Thing.objects.filter(id=thing.id).update(**values)
    return Thing.objects.select_related("owner").get(id=thing.id)


def _within(text: str, limit: int) -> str:
    if len(text) > limit:
        raise BadText(
            _("This text is %(length)s characters long; up to %(limit)s fit. Nothing was changed.")
            % {"length": len(text), "limit": limit}
        )
    return text


def to_read(at: datetime) -> QuerySet[Thing]:
    """The things whose pages are to be read by now for what they are called."""
    return _reading.due(at)


def note_read(*, thing: Thing, title: str, language: str, at: datetime) -> None:
    """What a page calls itself; what an owner has said stays."""
    _reading.note(thing, title, language, at)


def note_silence(*, thing: Thing, at: datetime) -> None:
    """A page did not answer: it is read again tomorrow, for three days."""
    _reading.note_silence(thing, at)


def set_owner(*, thing: Thing, owner: Member | None, at: datetime) -> Thing:
    """Give a thing without an owner to a member, or with None make it ownerless.

    Raises AlreadyOwned when another member has it, NotOwnable when nobody can.
    """
    rows = Thing.objects.filter(id=thing.id)
    free = Q() if owner is None else Q(state__in=_scopes.LIVING) & (Q(owner=None) | Q(owner=owner))
    with transaction.atomic():
        instance.hold_owners()
        changed = rows.filter(free).update(owner=owner, scope=None, updated_at=at)
    if not changed:
        if rows.get().state in _scopes.LIVING:
            raise AlreadyOwned(
                _("Another member has shown that this is theirs. Nothing was changed.")
            )
        raise NotOwnable(
            _("This was refused or merged, so nobody can own it. Nothing was changed.")
        )
    return rows.select_related("owner").get()


def hold_place(*, host: str, maker: str = "") -> None:
    """Let nobody else add, give or take what lies there, until the transaction ends.

    Called after `instance.hold_owners`.
    """
    _scopes.hold_one(Scope(host=host, maker=maker))


def give_scope(
    *, kind: str, text: str, host: str, owner: Member, at: datetime, maker: str = ""
) -> Scope:
    """Give a member all that one proof covers: what is there without an owner, and what comes.

    `maker` names the account whose things a handle covers, as `Thing.maker` does.

    Raises AlreadyOwned when another member has shown that the same is theirs.
    """
    scope = _scopes.give(kind=kind, text=text, host=host, owner=owner, at=at, maker=maker)
    if scope is None:
        raise AlreadyOwned(_("Another member has shown that this is theirs. Nothing was changed."))
    return scope


def withdraw_scope(*, text: str, at: datetime) -> int:
    """Leave all that one proof covered without an owner; returns how many things that were.

    What was earned stays; what comes is set aside. Narrower proofs keep what is theirs.
    """
    return _scopes.withdraw(text=text, at=at)


def were_added_before(*, maker: str, host: str, at: datetime) -> bool:
    """Whether something an account made was added before an instant; `host` is its site's."""
    _makers.learn(host, maker=maker)
    return Thing.objects.filter(maker=maker, created_at__lt=at).exists()


def lay_there_before(place: Scope, *, at: datetime) -> bool:
    """Whether something of a place that need not be on record was added before an instant."""
    return _scopes.within(place).filter(created_at__lt=at).exists()


def refuse(*, thing: Thing, at: datetime) -> bool:
    """The maker wants no nods, for ever; True when this call did it."""
    return _move(thing, _scopes.LIVING, Thing.State.REFUSED, at)


def take_down(*, thing: Thing, at: datetime) -> bool:
    """Hide a thing from lists and nods by the operator's decision; True when this call did it."""
    return _move(thing, (Thing.State.ACTIVE,), Thing.State.TAKEN_DOWN, at)


def put_back(*, thing: Thing, at: datetime) -> bool:
    """Undo a take-down; True when this call did it."""
    return _move(thing, (Thing.State.TAKEN_DOWN,), Thing.State.ACTIVE, at)


def _move(thing: Thing, before: Sequence[str], after: str, at: datetime) -> bool:
    rows = Thing.objects.filter(id=thing.id)
    with transaction.atomic():
        instance.hold_owners()
        if rows.filter(state__in=before).update(state=after, updated_at=at):
            return True
    if rows.get().state != after:
        raise Final(_("This was refused or merged for ever. Nothing was changed."))
    return False


def note_same(*, thing: Thing, url: str, at: datetime) -> bool:
    """What a page says it is the same as, for an operator to decide; True when that is news.

    The page of `url` has agreed. Not where the two may not be one party's, or are one already.
    """
    here, there = urls.identify(thing.url), urls.identify(url)
    if here.identity == there.identity or not urls.one_party(here, there):
        return False
    return _merging.note(thing, there.identity, at)


def said_same() -> QuerySet[Merger]:
    """What pages say is one work and nobody has decided, longest wait first."""
    return _merging.said()


def keep_apart(*, merger: Merger, by: Member, at: datetime) -> bool:
    """Decide that two pages are not one work; True when this call did it."""
    return _merging.keep_apart(merger, by, at)


def merge(
    *, thing: Thing, into: Thing, at: datetime, by: Member | None = None, note: str = ""
) -> Thing:
    """Make an unowned thing the same as another one, for ever and on record; returns the other.

    Raises CannotMerge when the thing has an owner (merge the other way round) or either is not
    active. What was merged into it before points to the new target, so a step is always one.
    """
    if thing.id == into.id:
        raise CannotMerge(_("This is the same page already. Nothing was changed."))
    why = _within(_texts.line(note), NOTE_CHARACTERS)
    with transaction.atomic():
        instance.hold_owners()
        # Locked in the order of ids, so that two opposite merges wait instead of crossing.
        rows = Thing.objects.select_for_update(of=("self",)).order_by("id")
        states = {row.id: row for row in rows.filter(id__in=(thing.id, into.id))}
        source, target = states[thing.id], states[into.id]
        if source.owner_id is not None:
            raise CannotMerge(_("This has an owner; merge the other page into it instead."))
        if {source.state, target.state} != {Thing.State.ACTIVE}:
            raise CannotMerge(_("Only pages that can get nods are merged. Nothing was changed."))
        Thing.objects.filter(Q(id=source.id) | Q(merged_into=source)).update(
            state=Thing.State.MERGED, merged_into=target, updated_at=at
        )
        _merging.record(source, target, by, why, at)
    return target
