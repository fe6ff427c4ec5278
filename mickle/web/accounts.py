"""Sign-up and sign-in by e-mail and a mailed code, on django-allauth's flows."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import LoginForm, SignupForm
from allauth.account.models import EmailAddress
from allauth.core import context
from allauth.utils import build_absolute_uri
from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.validators import MaxLengthValidator
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mickle.instance import instance
from mickle.lib.errors import Refused
from mickle.members import members
from mickle.members.models import EMAIL_CHARACTERS, Invite, Member
from mickle.web import languages, nodding, paths

SHOWN_CODE = "shown_code"


class Adapter(DefaultAccountAdapter):
    """Where allauth's flows meet the rooms: joining, mail, and a nod kept until sign-in."""

    error_messages = {  # noqa: RUF012 - allauth's own shape of a class attribute
        **DefaultAccountAdapter.error_messages,
        "incorrect_code": gettext_lazy(
            "This is not the code of the newest mail. Compare it, or ask for a new one."
        ),
        "email_password_mismatch": gettext_lazy(
            "E-mail address and password do not belong together. "
            "Leave the password empty and a code is mailed to you."
        ),
        "too_many_login_attempts": gettext_lazy(
            "Too many wrong tries. Wait five minutes, then try again."
        ),
        "rate_limited": gettext_lazy(
            "Too many requests in a short time. Wait a minute; after many, an hour."
        ),
        "account_inactive": gettext_lazy("This account is closed."),
    }

    def save_user(
        self, _request: HttpRequest, _user: Member, form: BaseForm, **_options: object
    ) -> Member:
        """Let the person join, by their invitation where one is needed."""
        with transaction.atomic():
            if "invite" in form.cleaned_data:
                members.use_invite(form.cleaned_data["invite"])
            return members.join(email=form.cleaned_data["email"], at=instance.now())

    def pre_login(self, request: HttpRequest, user: Member, **kwargs: Any) -> HttpResponse | None:
        """Vouch for the address of a member whom the operator or a described world brought in."""
        if not EmailAddress.objects.filter(user=user).exists():
            EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return response

    def post_login(self, request: HttpRequest, user: Member, **kwargs: Any) -> HttpResponse:
        """Complete the nod that was kept for this person, else go where they wanted."""
        request.session.pop(SHOWN_CODE, None)
        response: HttpResponse = super().post_login(request, user, **kwargs)
        thing_id = nodding.complete_parked(request)
        if thing_id is not None:
            response = paths.see_other("nod-done", thing_id)
        if user.language in dict(settings.LANGUAGES):
            languages.keep(response, user.language)
        return response

    def is_safe_url(self, url: str | None) -> bool:
        """Only paths of ours; allauth's own look fails at some addresses."""
        return paths.is_ours(url or "")

    def send_mail(self, template_prefix: str, email: str, names: dict[str, Any]) -> None:
        """Send it; a demo or test instance also shows the code, but never an operator's."""
        super().send_mail(template_prefix, email, names)
        if "code" in names and may_show_code(email):
            self.request.session[SHOWN_CODE] = names["code"]

    def send_account_already_exists_mail(self, email: str) -> None:
        """Tell the person by mail only: the page answers a known address like an unknown one."""
        signin_url = build_absolute_uri(self.request, reverse("account_login"))
        self.send_mail("account/email/account_already_exists", email, {"signin_url": signin_url})

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Say errors only: the pages say what happened themselves."""
        level = args[1] if len(args) > 1 else kwargs.get("level")
        if level == messages.ERROR:
            super().add_message(*args, **kwargs)


def may_show_code(email: str) -> bool:
    """Whether the page may show a mailed code: nothing here is real, and it opens no till."""
    if instance.here().is_real:
        return False
    return not Member.objects.filter(email__iexact=email, is_operator=True).exists()


class SignUpForm(SignupForm):
    """E-mail, and an invitation where sign-up is by invitation."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail")
        self.fields["email"].widget.attrs = {"autocomplete": "email", "autofocus": True}
        self.fields["email"].validators.append(MaxLengthValidator(EMAIL_CHARACTERS))
        self.fields["email"].help_text = _("A code goes there. There is no password to think of.")
        if settings.SIGN_UP == "invite":
            self.fields["invite"] = forms.CharField(
                label=_("Invitation"),
                max_length=40,
                initial=context.request.GET.get("invite", ""),
                help_text=_("The code somebody gave you."),
            )

    def clean_invite(self) -> str:
        """Refuse an unknown code at its field; the last use is decided by the database later."""
        code = str(self.cleaned_data["invite"]).strip()
        if not Invite.objects.filter(code=code, uses_left__gt=0).exists():
            raise forms.ValidationError(
                _("This invitation is unknown or used up. Ask for a new one, or for a place below.")
            )
        return code

    def try_save(self, request: HttpRequest) -> tuple[Member | None, HttpResponse | None]:
        """Save the member; where somebody was quicker with the same code, say so."""
        try:
            saved: tuple[Member | None, HttpResponse | None] = super().try_save(request)
        except Refused as refused:
            messages.error(request, str(refused))
            return None, paths.see_other("account_signup")
        return saved


class SignInForm(LoginForm):
    """E-mail, and a password for those who have one; without it a code is mailed."""

    def _setup_password_field(self) -> None:
        self.fields["login"].label = _("E-mail")
        self.fields["login"].widget.attrs = {"autocomplete": "email", "autofocus": True}
        password = self.fields["password"]
        password.required = False
        password.label = _("Password")
        password.widget.attrs = {"autocomplete": "current-password"}
        password.help_text = _("Only if you have one. Without it a code is mailed to you.")
