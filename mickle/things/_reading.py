"""What a page is called, by its own word and not by who nodded at it first."""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from mickle.members.models import Member
from mickle.things import _texts
from mickle.things.languages import LANGUAGES
from mickle.things.models import Thing

# Nobody can send the fetcher to many hosts at once: who adds more has them read later.
HOSTS_AN_HOUR = 10
LATER = timedelta(hours=1)
AGAIN = timedelta(days=1)
GIVEN_UP_AFTER = timedelta(days=3)
# Names of languages changed after the ids were given.
_OLD_NAMES = {"he": "iw", "id": "in"}


def when(host: str, by: Member | None, at: datetime) -> datetime:
    """When a page that is added now is to be read."""
    recent = Thing.objects.filter(added_by=by, created_at__gt=at - LATER).exclude(host=host)
    if by is not None and recent.values("host").distinct().count() >= HOSTS_AN_HOUR:
        return at + LATER
    return at


def due(at: datetime) -> QuerySet[Thing]:
    """What is to be read by now, longest wait first."""
    return Thing.objects.filter(to_read_at__lte=at).order_by("to_read_at", "id")


def note(thing: Thing, title: str, language: str, at: datetime) -> None:
    """Call a thing as its page does, unless its owner has said what it is called."""
    rows = Thing.objects.filter(id=thing.id)
    rows.update(to_read_at=None)
    undescribed = rows.filter(owner=None) | rows.filter(title="")
    if known := _language(language):
        undescribed.filter(language="").update(language=known)
    # Last: with a title it is described.
    if title := _texts.title(title):
        undescribed.update(title=title, updated_at=at)


def _language(said: str) -> str:
    """The language here that a page says it is in (`en-US`, `de`); empty for an unknown one."""
    first = said.replace("_", "-").partition("-")[0].lower()
    start = f"{_OLD_NAMES.get(first, first)}_"
    return next((code for code in LANGUAGES if code.startswith(start)), "")


def note_silence(thing: Thing, at: datetime) -> None:
    """Read it again tomorrow, for three days."""
    again = at + AGAIN if at < thing.created_at + GIVEN_UP_AFTER else None
    Thing.objects.filter(id=thing.id).update(to_read_at=again)
