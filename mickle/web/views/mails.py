"""Which mails a member gets, and the address in a mail that ends such mails."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt

from mickle.instance import instance
from mickle.lib import urls
from mickle.members.models import Member
from mickle.notices import letters, notices
from mickle.notices.models import Topic
from mickle.web import access
from mickle.web.access import MemberRequest


class MailForm(forms.Form):
    """Which mails a member gets besides those that guard the account."""

    reminders = forms.BooleanField(
        label=gettext_lazy("Remind me"),
        required=False,
        help_text=gettext_lazy(
            "Before a month ends and at its end: if what you nodded at would get nothing, or a "
            "charity everything."
        ),
    )
    statements = forms.BooleanField(
        label=gettext_lazy("Mail me my statement"),
        required=False,
        help_text=gettext_lazy("Once a month is settled: what you gave and what you earned."),
    )
    teams = forms.BooleanField(
        label=gettext_lazy("Mail me when a team asks me"),
        required=False,
        help_text=gettext_lazy("Once a day at most: who asks you to share pages, and your part."),
    )


_FIELDS = {Topic.REMINDERS: "reminders", Topic.STATEMENTS: "statements", Topic.TEAMS: "teams"}
_ASK = {
    Topic.REMINDERS: gettext_lazy("Do you want no more reminders by mail?"),
    Topic.STATEMENTS: gettext_lazy("Do you want no more statements by mail?"),
    Topic.TEAMS: gettext_lazy("Do you want no more mails about teams?"),
}
_DONE = {
    Topic.REMINDERS: gettext_lazy("No reminder comes by mail any more."),
    Topic.STATEMENTS: gettext_lazy("No statement comes by mail any more."),
    Topic.TEAMS: gettext_lazy("No mail about teams comes any more."),
}


def form_of(member: Member, data: QueryDict | None) -> MailForm:
    """The form as the member's choice stands, or as it was sent."""
    wanted = notices.wants(member)
    start = {name: wanted[topic] for topic, name in _FIELDS.items()}
    form = MailForm(data, initial=start)
    if settings.MODE == "arrears":
        form.fields["reminders"].help_text = _(
            "After the month: what you are asked for, and again if it is not there in time."
        )
    return form


def keep(request: MemberRequest, form: MailForm) -> bool:
    """Send what is ticked and nothing else."""
    for topic, name in _FIELDS.items():
        if form.cleaned_data[name]:
            notices.hear(member=request.user, topic=topic)
        else:
            notices.silence(member=request.user, topic=topic, at=instance.now())
    messages.info(request, _("Kept. Mails that guard your account come always."))
    return True


# A mail program asks with the address alone (RFC 8058): it has no cookie to forge a request with,
# and the signature in the address is its right.
@csrf_exempt
@access.form_page
def stop(request: HttpRequest, letter: str) -> HttpResponse:
    """End one kind of mail for whoever has its address; a GET only asks."""
    try:
        member, topic = notices.read_stop(letter)
    except notices.BadLink as bad:
        return render(request, "front/mail_stop.html", {"why": str(bad)}, status=404)
    if request.method == "POST":
        notices.silence(member=member, topic=topic, at=instance.now())
    done = request.method == "POST"
    context = {"said": (_DONE if done else _ASK)[topic], "done": done}
    return render(request, "front/mail_stop.html", context)


@csrf_exempt
@access.form_page
def letter_stop(request: HttpRequest, maker_letter: str) -> HttpResponse:
    """End letters to a maker for whoever has the address of one; a GET only asks."""
    try:
        found = letters.read(maker_letter)
    except letters.BadLink as bad:
        return render(request, "front/letter_stop.html", {"why": str(bad)}, status=404)
    if request.method == "POST":
        letters.stop(letter=found, at=instance.now())
    context = {"host": urls.display_host(found.host), "done": request.method == "POST"}
    return render(request, "front/letter_stop.html", context)
