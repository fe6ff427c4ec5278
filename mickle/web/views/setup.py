"""The first person: the one-time link of `mickle run` makes them the operator."""

from django import forms
from django.contrib.auth import login
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from mickle.instance import instance
from mickle.instance.models import Instance
from mickle.lib.errors import Refused
from mickle.members import members
from mickle.members.models import Member
from mickle.web import access, paths

_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


class SetupForm(forms.Form):
    """Who runs the instance, and what kind it is."""

    email = forms.EmailField(
        label=_("Your e-mail"),
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True}),
        help_text=_("You sign in with it. Nothing is mailed to it now."),
    )
    name = forms.CharField(label=_("Your name"), max_length=120, required=False)
    kind = forms.ChoiceField(
        label=_("What is this instance for?"),
        widget=forms.RadioSelect,
        choices=[
            ("DEMO", _("Trying it out: play money, and a clock you can move")),
            ("REAL", _("Real money")),
        ],
        initial="DEMO",
    )


@access.form_page
def setup(request: HttpRequest, token: str) -> HttpResponse:
    """Good for one person: afterwards there is nothing at this address."""
    if not instance.knows_setup_token(token):
        raise Http404
    # Members have put real money in, and a demo stays one for good.
    decided = not instance.here().is_real or Member.objects.exists()
    form = SetupForm(request.POST or None)
    if decided:
        del form.fields["kind"]
    if request.method == "POST" and form.is_valid():
        try:
            return _become_operator(request, token, form)
        except Refused as refused:
            form.add_error("email", str(refused))
    return render(request, "setup/setup.html", {"form": form, "decided": decided})


def _become_operator(request: HttpRequest, token: str, form: SetupForm) -> HttpResponse:
    with transaction.atomic():
        if not instance.use_setup_token(token):
            raise Http404
        if form.cleaned_data.get("kind") == Instance.Kind.DEMO:
            instance.become(Instance.Kind.DEMO)
        member = members.join(
            email=form.cleaned_data["email"],
            name=form.cleaned_data["name"],
            at=instance.now(),
            is_operator=True,
        )
    login(request, member, backend=_BACKEND)
    return paths.see_other("operator-months")
