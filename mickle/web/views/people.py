"""A member as others see them: what they say of themselves, their pages, and nods made public."""

from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from mickle.instance import instance
from mickle.members.models import Member
from mickle.nods.models import Nod
from mickle.things.models import Scope, Thing
from mickle.web import access, rows

_PAGES_SHOWN = 200
_NODS_SHOWN = 50
# Besides the open one.
_MONTHS_SHOWN = 12


@access.read_page
def profile(request: HttpRequest, username: str) -> HttpResponse:
    """Never when somebody nodded, how much they give, or their budget; for all the same page."""
    member = get_object_or_404(Member, username__iexact=username, closed_at=None, is_team=False)
    if member.username != username:
        return redirect("profile", member.username)
    visible = Thing.objects.filter(state=Thing.State.ACTIVE, hidden=False).select_related("owner")
    owned = visible.filter(owner=member).order_by("title", "id")
    context = {
        "member": member,
        "shown": Scope.objects.filter(owner=member).order_by("text")[:_PAGES_SHOWN],
        "owned": rows.of(owned[:_PAGES_SHOWN], request.user),
        "nodded": rows.of(_nodded_by(member), request.user) if member.public_nods else None,
    }
    return render(request, "front/profile.html", context)


def _nodded_by(member: Member) -> list[Thing]:
    """What the member nodded at, each once, the newest first."""
    here = instance.here()
    # The key of nods begins with the month, so naming the months keeps the whole table unread; what
    # is older may have left it.
    last = instance.open_month()
    known = range(max(here.first_month, last - _MONTHS_SHOWN), last + 1)
    newest = (
        Nod.objects.filter(
            month__in=known,
            member=member,
            void__in=["", "LATER"],
            thing__state=Thing.State.ACTIVE,
            thing__hidden=False,
        )
        .values("thing_id")
        .annotate(last=Max("at"))
        .order_by("-last", "-thing_id")
    )
    ids = [row["thing_id"] for row in newest[:_NODS_SHOWN]]
    found = Thing.objects.select_related("owner").in_bulk(ids)
    return [found[thing_id] for thing_id in ids]
