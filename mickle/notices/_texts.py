"""What the mails say, in the language that is switched on. Plain text, one paragraph a line."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mickle.lib import months
from mickle.notices import _words
from mickle.notices._facts import Asked, Facts, Idle, Settled, Short
from mickle.notices._teams import Question, Questions
from mickle.notices.models import Kind, Topic
from mickle.settlement import settlement
from mickle.settlement.settlement import IDLE_MONTHS_KEPT, OwnerStatement, Share, Statement

_SHOWN = 5
# What became of nods that were put off.
_LATER = ("waiting", "returned", "released")


@dataclass(frozen=True)
class Text:
    """Subject and body of a mail."""

    subject: str
    body: str


def text(facts: Facts, *, kind: Kind, month: int, stop_url: str) -> Text:
    """The mail about these facts."""
    if isinstance(facts, Short):
        subject, lines = _short(facts, kind, month)
    elif isinstance(facts, Idle):
        subject, lines = _idle(facts, kind, month)
    elif isinstance(facts, Asked):
        subject, lines = _asked(facts, kind, month)
    elif isinstance(facts, Questions):
        subject, lines = _questions(facts.all)
    else:
        subject, lines = _settled(facts, month)
    # What follows "-- " is taken for a signature, so an answer does not quote it.
    lines.append("-- \n" + _foot(kind, stop_url))
    return Text(_words.line(subject), "\n\n".join(line for line in lines if line) + "\n")


def _url(name: str, *args: object) -> str:
    """The address of a page; empty where the instance was not told its own."""
    return settings.BASE_URL + reverse(name, args=args) if settings.BASE_URL else ""


def _names(month: int, **more: object) -> dict[str, object]:
    until: datetime = settlement.grace_ends(month)
    return {"month": _words.month(month), "until": _words.instant(until), **more}


def _short(facts: Short, kind: Kind, month: int) -> tuple[str, list[str]]:
    names = _names(
        month,
        n=facts.nods,
        budget=_words.amount(facts.budget_micros),
        left=_words.amount(facts.left_micros),
    )
    if facts.left_micros <= 0:
        subject = ngettext(
            "%(n)s nod of %(month)s pays nothing yet",
            "%(n)s nods of %(month)s pay nothing yet",
            facts.nods,
        )
        what = ngettext(
            "You gave %(n)s nod in %(month)s, and there is nothing to give on your account: it "
            "pays nothing unless you top up.",
            "You gave %(n)s nods in %(month)s, and there is nothing to give on your account: they "
            "pay nothing unless you top up.",
            facts.nods,
        )
    else:
        subject = _("%(month)s: %(left)s of %(budget)s is there")
        what = ngettext(
            "You gave %(n)s nod in %(month)s. Your budget is %(budget)s, and you have %(left)s to "
            "give: the rest pays nothing unless you top up.",
            "You gave %(n)s nods in %(month)s. Your budget is %(budget)s, and you have %(left)s to "
            "give: the rest pays nothing unless you top up.",
            facts.nods,
        )
    if facts.back_micros:
        what += " " + _("Of that, %(back)s was set aside six months ago and comes back now.")
        names["back"] = _words.amount(facts.back_micros)
    if kind == Kind.CLOSE:
        when = _("The month has ended. What arrives until %(until)s still counts for it.")
    else:
        when = _("What arrives until %(until)s still counts for %(month)s.")
    return subject % names, [what % names, when % names, _url("top-up")]


def _idle(facts: Idle, kind: Kind, month: int) -> tuple[str, list[str]]:
    names = _names(
        month,
        end=_words.instant(months.end(month)),
        amount=_words.amount(facts.amount_micros),
        charity=_words.line(facts.charity.name),
    )
    if kind == Kind.CLOSE:
        subject = _("%(month)s: %(amount)s goes to %(charity)s")
        lines = [
            _("%(month)s ended without a nod of yours."),
            _(
                "When it is settled, from %(until)s on, %(amount)s of what you have to give goes "
                "to %(charity)s, as you gave no nod. You need not do anything."
            ),
        ]
        return subject % names, [line % names for line in lines] + [_url("settings")]
    subject = _("No nod of yours in %(month)s yet") % names
    lines = []
    if facts.kept == IDLE_MONTHS_KEPT:
        kept = _("You gave no nod in the last %(n)s months, and your money stayed with you.")
        lines.append(kept % {"n": facts.kept})
    elif facts.kept:
        lines.append(_("You gave no nod in the last %(n)s months.") % {"n": facts.kept})
    tell = _(
        "Unless you give a nod before %(end)s, %(amount)s of what you have to give goes to "
        "%(charity)s. One nod, at anything, is enough to keep it for what you like."
    )
    return subject, [*lines, tell % names, _url("add-link")]


def _settled(facts: Settled, month: int) -> tuple[str, list[str]]:
    name = {"month": _words.month(month)}
    lines = [*_gave(facts.gave, name), *_received(facts.received, name)]
    if facts.gave.spend_micros and (whole := _url("statement", month)):
        lines.append(_("The whole statement, share by share:") + "\n" + whole)
    if facts.received.lines and (revenue := _url("revenue")):
        lines.append(_("What your pages brought in:") + "\n" + revenue)
    return _("Your statement of %(month)s") % name, lines


def _gave(gave: Statement, name: dict[str, str]) -> list[str]:
    if gave.charity is not None:
        names = name | {
            "amount": _words.amount(gave.spend_micros),
            "charity": _words.line(gave.charity.name),
        }
        told = _("You gave %(amount)s in %(month)s. It went to %(charity)s, as you gave no nod.")
        return [told % names]
    if not gave.spend_micros:
        return []
    # In arrears what was put off is none of what was given.
    put_off = _LATER if gave.arrears else ()
    counting = [share for share in gave.shares if share.state not in ("void", *put_off)]
    names = name | {"amount": _words.amount(gave.spend_micros), "n": str(len(counting))}
    told = ngettext(
        "You gave %(amount)s in %(month)s, to %(n)s page:",
        "You gave %(amount)s in %(month)s, to %(n)s pages:",
        len(counting),
    )
    lines = [told % names, "\n".join(_top(counting))]
    if gave.due_micros:
        due = _("%(amount)s of it is due and not paid yet.")
        lines.append(due % {"amount": _words.amount(gave.due_micros)})
    if gave.arrears:
        waits = _(
            "%(amount)s more is charged only if its makers claim their page within six months."
        )
    else:
        waits = _(
            "%(amount)s of it is set aside: nobody may receive it yet, and it stays yours until "
            "somebody may."
        )
    if gave.waiting_micros:
        lines.append(waits % {"amount": _words.amount(gave.waiting_micros)})
    return lines


def _top(shares: list[Share]) -> list[str]:
    """The largest shares, one a line, and how many more there are."""
    largest = sorted(shares, key=lambda share: (-share.amount_micros, share.thing.id))
    lines = [
        f"  {_words.amount(share.amount_micros)}  {_words.line(str(share.thing))}"
        for share in largest[:_SHOWN]
    ]
    more = len(shares) - _SHOWN
    if more > 0:
        told = ngettext("  and %(n)s more", "  and %(n)s more", more)
        lines.append(told % {"n": more})
    return lines


def _received(received: OwnerStatement, name: dict[str, str]) -> list[str]:
    if not received.lines:
        return []
    count = sum(line.nods for line in received.lines)
    told = ngettext(
        "Your pages received %(gross)s for %(n)s nod of %(month)s. The fee was %(fee)s, and "
        "%(net)s is yours.",
        "Your pages received %(gross)s for %(n)s nods of %(month)s. The fee was %(fee)s, and "
        "%(net)s is yours.",
        count,
    )
    names = name | {
        "n": str(count),
        "gross": _words.amount(received.gross_micros),
        "fee": _words.amount(received.fee_micros),
        "net": _words.amount(received.net_micros),
    }
    return [told % names]


def _asked(facts: Asked, kind: Kind, month: int) -> tuple[str, list[str]]:
    names = {
        "month": _words.month(month),
        "amount": _words.amount(facts.amount_micros),
        "until": _words.instant(facts.until),
    }
    if kind.asks == 1:
        subject = _("%(month)s: %(amount)s to pay")
    elif facts.tries_left:
        subject = _("%(month)s: %(amount)s to pay, once more")
    else:
        subject = _("%(month)s: %(amount)s to pay, for the last time")
    what = _(
        "Your nods of %(month)s come to %(amount)s, with what was carried on from before. It goes "
        "to the makers of what you nodded at as soon as it is there."
    )
    if facts.tries_left:
        when = _("We ask again after %(until)s.")
    else:
        when = _(
            "What is not there by %(until)s is not asked for again: these nods pay nothing then, "
            "and you owe nothing."
        )
    how = _("The account, your reference and a code to scan:")
    page = _url("top-up")
    return subject % names, [what % names, when % names, f"{how}\n{page}" if page else ""]


def _questions(asked: list[Question]) -> tuple[str, list[str]]:
    subject = _("%(name)s asks you for a yes: %(team)s")
    lines = [_question(one) for one in asked[:_SHOWN]]
    if len(asked) > _SHOWN:
        lines.append(_("You are asked in more teams: they stand on your page."))
    lines.append(
        _(
            "It holds from next month on, once all who are asked have said yes. A no ends it, and "
            "without an answer nothing changes."
        )
    )
    return subject % _named(asked[0]), [*lines, _url("teams")]


def _named(one: Question) -> dict[str, str]:
    return {"name": _words.line(one.by), "team": _words.line(one.team)}


def _question(one: Question) -> str:
    names = _named(one) | {"percent": str(one.percent)}
    if one.percent:
        told = _(
            "%(name)s has proposed who gets which part of what the pages of the team %(team)s "
            "earn. Yours would be %(percent)s %%."
        )
    else:
        told = _(
            "%(name)s has proposed who gets which part of what the pages of the team %(team)s "
            "earn. You would have one through another team, or none."
        )
    return told % names


def _foot(kind: Kind, stop_url: str) -> str:
    names = {"instance": _words.line(settings.INSTANCE_NAME)}
    if kind.asks:
        why = _("%(instance)s charges you after each month for what you nodded at.")
        return f"{why % names}\n" + _("You can pause your budget in your settings.")
    if kind.topic == Topic.STATEMENTS:
        why = _("%(instance)s sends you a statement of each month.")
    elif kind.topic == Topic.TEAMS:
        why = _("%(instance)s tells you when a team asks you for a yes.")
    else:
        why = _("%(instance)s reminds you when a month would pay nothing or go to a charity.")
    if stop_url:
        end = _("No more of these:") + " " + stop_url
    else:
        end = _("You can end that in your settings.")
    return f"{why % names}\n{end}"
