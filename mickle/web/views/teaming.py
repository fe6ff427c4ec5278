"""Sharing with others: the teams one is in, what they agreed on, and what is in them."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.lib import months
from mickle.lib.errors import Refused
from mickle.members.models import Member
from mickle.teams import teams
from mickle.teams.models import Agreement, Answer, Entry, PutIn, Team
from mickle.things.models import Scope, Thing
from mickle.web import access, paths, wording
from mickle.web.access import MemberRequest
from mickle.web.team_form import TeamForm

_LISTED = 200
_SPARE_ROWS = 2
_FIRST_ROWS = 4


@dataclass(frozen=True)
class Holding:
    """Who has which part from a month on, largest first."""

    month: int
    parts: list[tuple[Member, int]]


@access.member_only
@access.form_page
def all_teams(request: MemberRequest) -> HttpResponse:
    """The teams one is in or is asked to be in, and a new one."""
    member = request.user
    first = {"who_0": member.username}
    form = TeamForm(request.POST or None, rows=_FIRST_ROWS, named=True, initial=first)
    if request.method == "POST" and form.is_valid():
        try:
            team = teams.found(
                by=member,
                name=form.cleaned_data["name"],
                percents=form.percents(),
                at=instance.now(),
            )
        except Refused as refused:
            form.refuse(refused)
        else:
            return paths.see_other("team", team.party_id)
    asked = asking(member)
    context = {"listed": teams.of(member), "asked": asked, "form": form}
    return render(request, "making/teams.html", context)


def asking(member: Member) -> list[Agreement]:
    """What waits for a yes of this member."""
    rows = Answer.objects.filter(member=member, yes_at=None, agreement__state=Agreement.State.OPEN)
    return [row.agreement for row in rows.select_related("agreement__team__party").order_by("id")]


def _mine(request: MemberRequest, team_id: int) -> Team:
    """For others it is not there."""
    return get_object_or_404(teams.of(request.user), party_id=team_id)


@access.member_only
@access.form_page
def team(request: MemberRequest, team_id: int) -> HttpResponse:
    """One team: its parts now and later, what is proposed, what is in it, and its history."""
    found, member, at = _mine(request, team_id), request.user, instance.now()
    here = instance.open_month()
    if (left := _left(found, member)) is not None and left <= here:
        return _as_it_was(request, found, left)
    now, later = (_holding(found, month) for month in (here, here + 1))
    start = _typed(later.parts or now.parts)
    form = TeamForm(
        request.POST or None, rows=len(start) // 2 + _SPARE_ROWS, named=False, initial=start
    )
    if request.method == "POST" and form.is_valid():
        try:
            teams.propose(team=found, by=member, percents=form.percents(), at=at)
        except Refused as refused:
            form.refuse(refused)
        else:
            return paths.see_other("team", team_id)
    context = {
        "team": found,
        "now": now,
        "later": later if later.parts != now.parts else None,
        "form": form,
        "proposed": _proposed(found, member),
        "inside": member.id in teams.people(team=found, month=here + 1),
        "part": member.id in teams.percents(team=found, month=here + 1),
        "waits": bool(now.parts) and not teams.receives(team=found, month=here),
        "put_in": _put_in(found, member),
        "own": _own(found, member),
        "history": [(entry, _said(entry)) for entry in teams.history(found)[:_LISTED]],
    }
    return render(request, "making/team.html", context)


def _left(found: Team, member: Member) -> int | None:
    """Since which month somebody is in it no more; None for who is asked to come."""
    if any(row.team == found for row in asking(member)):
        return None
    return teams.left_from(team=found, member=member)


def _as_it_was(request: MemberRequest, found: Team, left: int) -> HttpResponse:
    """What somebody who has left knew: what others do since is theirs."""
    history = teams.history(found, until=months.start(left))[:_LISTED]
    context = {
        "team": found,
        "now": _holding(found, left - 1),
        "left": left,
        "history": [(entry, _said(entry)) for entry in history],
    }
    return render(request, "making/team_left.html", context)


def _holding(found: Team, month: int) -> Holding:
    percents = teams.percents(team=found, month=month)
    rows = Member.objects.filter(id__in=percents)
    parts = sorted(((row, percents[row.id]) for row in rows), key=lambda one: (-one[1], one[0].id))
    return Holding(month, parts)


def _typed(parts: list[tuple[Member, int]]) -> dict[str, Any]:
    typed: dict[str, Any] = {}
    for place, (row, percent) in enumerate(parts):
        typed |= {f"who_{place}": row.username, f"percent_{place}": percent}
    return typed


def _proposed(found: Team, member: Member) -> dict[str, Any] | None:
    row = teams.open_agreement(found)
    if row is None:
        return None
    answers = list(row.answers.select_related("member").order_by("member_id"))
    return {
        "row": row,
        "parts": row.percents.select_related("party").order_by("-percent", "party_id"),
        "answers": answers,
        "asked": any(one.member_id == member.id and one.yes_at is None for one in answers),
        "may_end": any(one.member_id == member.id for one in answers),
    }


def _put_in(found: Team, member: Member) -> list[tuple[PutIn, str, bool]]:
    """What is in it: the row, its value in a form, and whether the reader may take it out."""
    keepers = Member.objects.filter(put_in__team=found).distinct().order_by("id")
    rows = [row for keeper in keepers for row in teams.kept_in(keeper) if row.team == found]
    return [(row, _value(row.thing or row.scope), row.owner_id == member.id) for row in rows]


def _value(what: Thing | Scope | None) -> str:
    return f"{'thing' if isinstance(what, Thing) else 'place'}:{what.id if what else 0}"


def _own(found: Team, member: Member) -> list[tuple[str, str]]:
    """What the reader could put in, places first."""
    inside = {_value(row.thing or row.scope) for row in teams.kept_in(member) if row.team == found}
    scopes = Scope.objects.filter(owner=member).order_by("text")[:_LISTED]
    things = Thing.objects.filter(owner=member).order_by("title", "id")[:_LISTED]
    places = [(_value(one), _("All of %(place)s") % {"place": one.display}) for one in scopes]
    named = [(_value(one), f"{one} ({one.display_host})") for one in things]
    return [(value, said) for value, said in (*places, *named) if value not in inside]


def _said(entry: Entry) -> str:
    """A line of the history in words."""
    what = entry.put_in.thing or entry.put_in.scope if entry.put_in is not None else None
    names = {
        "who": entry.by.shown_name,
        "month": wording.month_name(entry.from_month) if entry.from_month else "",
        "what": what.display if isinstance(what, Scope) else str(what or ""),
    }
    if entry.agreement is not None:
        names |= _proposal(entry.agreement)
        if entry.what == Entry.What.NO and entry.by == entry.agreement.proposed_by:
            return _("%(who)s took back what they had proposed on %(day)s") % names
    return _sentences()[Entry.What(entry.what)] % names


def _proposal(agreement: Agreement) -> dict[str, str]:
    """Who proposed which parts, and when."""
    parts = sorted(agreement.percents.all(), key=lambda one: (-one.percent, one.party_id))
    return {
        "parts": ", ".join(f"{one.party.shown_name} {one.percent}\u00a0%" for one in parts),
        "proposer": agreement.proposed_by.shown_name,
        "day": wording.day(agreement.proposed_at),
    }


def _sentences() -> dict[Entry.What, str]:
    return {
        Entry.What.FOUNDED: _("%(who)s founded the team"),
        Entry.What.PROPOSED: _("%(who)s proposed: %(parts)s"),
        Entry.What.YES: _("%(who)s said yes to what %(proposer)s proposed on %(day)s"),
        Entry.What.NO: _("%(who)s said no to what %(proposer)s proposed on %(day)s"),
        Entry.What.AGREED: _("Agreed, from %(month)s on: %(parts)s"),
        Entry.What.LEFT: _("%(who)s leaves. From %(month)s on: %(parts)s"),
        Entry.What.CLOSED: _("%(who)s closed the account. From %(month)s on: %(parts)s"),
        Entry.What.PUT_IN: _("%(who)s put in %(what)s, from %(month)s on"),
        Entry.What.TAKEN_OUT: _("%(who)s took out %(what)s, from %(month)s on"),
    }


@access.member_only
@access.write_only
def team_deed(request: MemberRequest, team_id: int) -> HttpResponse:
    """Say yes or no, leave, put something in or take it out."""
    found, member = _mine(request, team_id), request.user
    try:
        _do(request, found, member)
    except Refused as refused:
        messages.error(request, str(refused))
    return paths.see_other("team", team_id)


def _do(request: MemberRequest, found: Team, member: Member) -> None:
    deed, at = request.POST.get("deed"), instance.now()
    if deed in ("yes", "no"):
        row = get_object_or_404(
            Agreement, id=paths.number(request.POST.get("agreement", "")), team=found
        )
        teams.answer(agreement=row, member=member, yes=deed == "yes", at=at)
    elif deed == "leave":
        if request.POST.get("sure") != "yes":
            messages.error(request, _("Tick the box if you want to leave. Nothing was changed."))
            return
        teams.leave(team=found, member=member, at=at)
    elif deed == "put-in":
        teams.put_in(team=found, keeper=member, what=_what(request), at=at)
    elif deed == "take-out":
        teams.take_out(keeper=member, what=_what(request), at=at)
    else:
        messages.error(request, wording.unknown_deed())


def _what(request: MemberRequest) -> Thing | Scope:
    kind, _colon, text = request.POST.get("what", "").partition(":")
    if kind == "place":
        return get_object_or_404(Scope, id=paths.number(text))
    return get_object_or_404(Thing, id=paths.number(text))
