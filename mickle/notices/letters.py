"""The second door of the room: one polite letter a year to makers for whom something waits.

To an address their own site publishes for that, and never to a guessed one. Whoever is written to
says no with one press, for good.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMessage, get_connection
from django.db.models import Max, QuerySet, Sum
from django.urls import reverse
from django.utils import translation
from django.utils.crypto import salted_hmac
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mickle.instance import instance
from mickle.lib import urls
from mickle.lib.errors import Refused
from mickle.notices import _post, _words
from mickle.notices._post import Later, Line, Never, Unknown, Unreachable
from mickle.notices._send import NotSent
from mickle.notices.models import Letter
from mickle.settlement.models import Line as Waiting
from mickle.things.models import Thing

# Of a leap year; the table counts by calendar years.
YEAR = timedelta(days=366)
# Of fewer givers no amount is told to anybody.
GIVERS = 3
_SALT = "mickle.notices.letters"

State = Letter.State


class BadLink(Refused):
    """The address of a letter is not whole, or of another instance."""


class Waits(NamedTuple):
    """What waits for the pages of one host; `language` is that of most of it, or empty."""

    host: str
    nods: int
    micros: int
    language: str


def ready() -> bool:
    """Whether this instance writes to makers at all: no demo or test ever does."""
    wanted = settings.WRITE_TO_MAKERS and settings.FETCH and settings.BASE_URL
    return bool(wanted) and instance.here().kind == "REAL"


def next_host(at: datetime) -> Waits | None:
    """The host with the most waiting whose maker was not written to within a year; reads only."""
    if not ready():
        return None
    rows = Waiting.settled.filter(
        state=Waiting.State.WAITING, thing__owner=None, thing__state=Thing.State.ACTIVE
    )
    told = Letter.objects.filter(told_at__gt=at - YEAR) | Letter.objects.exclude(stopped_at=None)
    hosts = (
        rows.exclude(thing__host__in=told.values("host"))
        .values("thing__host")
        .annotate(micros=Sum("gross_micros"), most=Max("nods"))
        .filter(most__gte=GIVERS)
        .order_by("-micros", "thing__host")
    )
    of_each = (_waits(row["thing__host"], rows) for row in hosts.iterator())
    return next(filter(None, of_each), None)


def _waits(host: str, rows: QuerySet[Waiting]) -> Waits | None:
    """What waits for whoever has all of a host: what persons and parties have there is theirs."""
    if not _is_theirs(f"https://{host}/", host):
        return None
    pages = Thing.objects.filter(id__in=rows.filter(thing__host=host).values("thing_id"))
    whole = [id_ for id_, url in pages.values_list("id", "url") if _is_theirs(url, host)]
    own = rows.filter(thing__in=whole)
    found = own.aggregate(nods_sum=Sum("nods"), micros=Sum("gross_micros"), most=Max("nods"))
    if (found["most"] or 0) < GIVERS:
        return None
    spoken = own.exclude(thing__language="").order_by("-nods")
    language = spoken.values_list("thing__language", flat=True).first()
    return Waits(host, found["nods_sum"], found["micros"], language or "")


def _is_theirs(url: str, host: str) -> bool:
    try:
        return urls.place(urls.identify(url)) == host
    except urls.BadUrl:
        return False


def write(*, waits: Waits, address: str, at: datetime) -> bool:
    """Write to the maker at an address, or note that there is none; True when the server took it.

    One at a time: the caller sees to it. Raises NotSent when the mail server cannot be reached,
    and nothing is noted then.
    """
    marks = _marks(address) if address else []
    with_mark = Letter.objects.filter(mark__in=marks)
    known = with_mark.filter(told_at__gt=at - YEAR) | with_mark.exclude(stopped_at=None)
    if not marks or known.exists():
        _note(waits.host, None, State.NONE, at)
        return False
    line = Line(get_connection())
    try:
        # Before anything is written: a server that is away changes nothing.
        line.open()
        row = _note(waits.host, marks[0], State.CLAIMED, at)
        return _hand_over(row, waits, address, line)
    except Unreachable as why:
        raise NotSent(f"{why} Nothing is lost.") from why
    finally:
        line.close()


def _note(host: str, mark: str | None, state: State, at: datetime) -> Letter:
    return Letter.objects.create(host=host, year=at.year, mark=mark, state=state, told_at=at)


def _hand_over(row: Letter, waits: Waits, address: str, line: Line) -> bool:
    code = waits.language.partition("_")[0]
    with translation.override(_words.language(code)):
        mail = _message(row, waits, address)
    ended = State.SENT
    try:
        line.hand_over(mail)
    except Unreachable:
        row.delete()
        raise
    except (Later, Never):
        ended = State.REFUSED
    except Unknown:
        ended = State.DOUBT
    Letter.objects.filter(id=row.id).update(state=ended)
    return ended == State.SENT


def _message(row: Letter, waits: Waits, address: str) -> EmailMessage:
    names = {
        "host": _words.line(urls.display_host(waits.host)),
        "instance": _words.line(settings.INSTANCE_NAME),
        "n": str(waits.nods),
        "amount": _words.amount(waits.micros),
    }
    there = f"{reverse('prove')}?{urlencode({'url': f'https://{waits.host}/'})}"
    stop_url = settings.BASE_URL + reverse("letter-stop", args=[token(row)])
    lines = [
        ngettext(
            "People here said thank you for pages of %(host)s %(n)s time, and %(amount)s is set "
            "aside for whoever makes them.",
            "People here said thank you for pages of %(host)s %(n)s times, and %(amount)s is set "
            "aside for whoever makes them.",
            waits.nods,
        ),
        _(
            "At %(instance)s each member gives a small sum a month, shared equally among all they "
            "liked. You have no account here, owe nothing, and nothing happens unless you want it: "
            "what is not claimed goes back to those who gave it."
        ),
        _(
            "To receive it, or to refuse it for ever, show that the site is yours. It takes a "
            "minute:"
        ),
    ]
    foot = _(
        "%(host)s publishes this address for such mail; none was guessed, and it is not kept. One "
        "comes in a year at most. None any more:"
    )
    told = [line % names for line in lines]
    told[-1] += f"\n{settings.BASE_URL}{there}"
    body = "\n\n".join([*told, f"-- \n{foot % names}\n{stop_url}"]) + "\n"
    subject = _("%(amount)s waits for the makers of %(host)s") % names
    return _post.letter(f"letter.{row.id}", subject, body, address, stop_url)


def _marks(address: str) -> list[str]:
    """Digests nobody without the key of this instance can compare an address with.

    The first is by the key of now, the others by those before it: who said no said it for good.
    """
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    told = address.strip().lower()
    return [salted_hmac(_SALT, told, secret=key, algorithm="sha256").hexdigest() for key in keys]


def token(row: Letter) -> str:
    """What the address in a letter carries to end such letters."""
    return signing.dumps(row.id, salt=_SALT)


def read(text: str) -> Letter:
    """The letter an address is of; raises BadLink."""
    try:
        return Letter.objects.get(id=signing.loads(text, salt=_SALT))
    except (signing.BadSignature, Letter.DoesNotExist, ValueError, TypeError) as error:
        raise BadLink(_("This link is not whole. Nothing was changed.")) from error


def stop(*, letter: Letter, at: datetime) -> None:
    """Write to this address no more, for whatever host; asking twice is asking once."""
    Letter.objects.filter(id=letter.id, stopped_at=None).update(stopped_at=at)
