"""The operator's page of pages that are one work under two addresses."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mickle.instance import instance
from mickle.lib import urls
from mickle.lib.errors import Refused
from mickle.lib.urls import BadUrl
from mickle.members.models import Member
from mickle.settlement import settlement
from mickle.things import things
from mickle.things.models import Merger, Thing
from mickle.web import access, paths, wording
from mickle.web.access import MemberRequest
from mickle.web.forms import AddressField

_LISTED = 30


class TwoForm(forms.Form):
    """Two addresses of one work."""

    page = AddressField(label=gettext_lazy("This page"))
    same = AddressField(label=gettext_lazy("is the same work as"))

    def _found(self, name: str) -> Thing:
        try:
            thing = things.find(url=self.cleaned_data[name])
        except BadUrl as refused:
            raise forms.ValidationError(str(refused)) from refused
        if thing is None:
            raise forms.ValidationError(_("Nobody has nodded at this address here yet."))
        return thing

    def clean_page(self) -> Thing:
        """The thing at the first address."""
        return self._found("page")

    def clean_same(self) -> Thing:
        """The thing at the second address."""
        return self._found("same")


@access.operator_only
@access.read_page
def same(request: MemberRequest) -> HttpResponse:
    """What pages say is one work, two addresses to merge, and what was merged, by whom and why."""
    asked = bool(request.GET.keys() & {"page", "same"})
    form = TwoForm(request.GET if asked else None)
    decided = Merger.objects.exclude(state=Merger.State.SAID)
    context = {
        "form": form,
        "two": asked and form.is_valid() and _two(**form.cleaned_data),
        "said": [
            _two(row.thing, _target(row)) | {"row": row} for row in things.said_same()[:_LISTED]
        ],
        "decided": decided.select_related("thing", "into", "decided_by").order_by("-decided_at")[
            :_LISTED
        ],
    }
    return render(request, "operator/same.html", context)


def _target(row: Merger) -> Thing:
    return Thing.objects.select_related("owner").get(identity=row.identity)


def _two(page: Thing, same: Thing) -> dict[str, Any]:
    """Two things as they would be merged, with what speaks against it."""
    one_party = urls.one_party(urls.identify(page.url), urls.identify(same.url))
    return {"page": page, "same": same, "strangers": not one_party}


@access.operator_only
@access.write_only
def merge(request: MemberRequest) -> HttpResponse:
    """Merge one thing into another, for ever; what waits is released where somebody may receive."""
    page, into = (_asked(request, name) for name in ("page", "same"))
    note = request.POST.get("note", "").strip()
    if note:
        _merge(request, page, into, note)
    else:
        messages.error(request, _("Say how it can be seen. Nothing was changed."))
    return paths.see_other("operator-same")


def _asked(request: MemberRequest, name: str) -> Thing:
    return get_object_or_404(Thing, id=paths.number(request.POST.get(name, "")))


@access.operator_only
@access.write_only
def decide(request: MemberRequest, merger_id: int) -> HttpResponse:
    """Merge what a page says is one work, or keep the two apart."""
    row = get_object_or_404(things.said_same(), id=merger_id)
    deed = request.POST.get("deed")
    if deed == "merge":
        _merge(request, row.thing, _target(row), _("The page itself says so."))
    elif deed == "apart":
        things.keep_apart(merger=row, by=request.user, at=instance.now())
    else:
        messages.error(request, wording.unknown_deed())
    return paths.see_other("operator-same")


def _merge(request: MemberRequest, page: Thing, into: Thing, note: str) -> None:
    at = instance.now()
    by: Member = request.user
    try:
        with transaction.atomic():
            instance.hold_owners()
            things.merge(thing=page, into=into, by=by, note=note, at=at)
            settlement.release(thing=into, at=at)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.info(request, _("Merged. Nods at either address are nods at the one that stays."))
