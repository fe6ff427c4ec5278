"""Programs that nod for a member: made, seen and taken back in one place."""

import json
import re
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mickle.instance import instance
from mickle.lib.errors import Refused
from mickle.programs import programs
from mickle.programs.models import NAME_CHARACTERS
from mickle.web import access, paths
from mickle.web.access import MemberRequest

# As many digits as fit into every key.
_NUMBER = re.compile(r"[0-9]{1,18}")
_EXAMPLE = {"url": "https://example.org/essay"}


class ProgramForm(forms.Form):
    """What a member calls a program."""

    name = forms.CharField(
        label=gettext_lazy("What is the program called?"),
        max_length=NAME_CHARACTERS,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("For you to know it by later: my feed reader."),
    )


@access.member_only
@access.form_page
def all_programs(request: MemberRequest) -> HttpResponse:
    """List the programs, make the token of a new one, take one back."""
    if request.method != "POST":
        return _page(request, ProgramForm())
    if request.POST.get("deed") == "revoke":
        return _revoke(request)
    form = ProgramForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    try:
        token = programs.make(
            member=request.user, name=form.cleaned_data["name"], at=instance.now()
        )
    except Refused as refused:
        form.add_error("name", str(refused))
        return _page(request, form)
    # The token stands in this one answer, in no address and in no session; sent again, the form
    # finds its name taken.
    return _page(request, ProgramForm(), token)


def _page(request: MemberRequest, form: ProgramForm, token: str = "") -> HttpResponse:
    context: dict[str, Any] = {
        "listed": programs.listed(member=request.user),
        "form": form,
        "most": programs.AT_MOST,
    }
    if token:
        context["made"] = {"token": token, "line": _curl(request, token)}
    return render(request, "giving/programs.html", context)


def _curl(request: HttpRequest, token: str) -> str:
    """A first nod, to be pasted into a terminal."""
    return (
        f"curl {paths.base(request)}/api/v1/nods \\\n"
        f'  -H "Authorization: Bearer {token}" \\\n'
        f'  -H "Content-Type: application/json" \\\n'
        f"  -d '{json.dumps(_EXAMPLE)}'"
    )


def _revoke(request: MemberRequest) -> HttpResponse:
    number = request.POST.get("program", "")
    if _NUMBER.fullmatch(number) and programs.revoke(member=request.user, program_id=int(number)):
        messages.info(request, _("Taken back. This program can do nothing for you any more."))
    else:
        messages.info(request, _("This was gone already. Nothing was changed."))
    return paths.see_other("programs")
