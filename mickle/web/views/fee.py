"""The operator's page of the fee: what it is, what is announced, and announcing a new one."""

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mickle.instance import instance
from mickle.instance.models import FeeRate
from mickle.lib import money, months
from mickle.lib.errors import Refused
from mickle.lib.money import BASIS, MICROS
from mickle.web import access, paths, wording
from mickle.web.access import MemberRequest
from mickle.web.forms import RefusableForm

# From two whole months' notice follows the third month after the open one.
NOTICE_MONTHS = 3


class PercentField(forms.CharField):
    """A percentage with up to two decimals; its value is hundredths of a percent."""

    def clean(self, value: Any) -> int:
        """Hundredths of a percent of the text."""
        text = super().clean(value).removesuffix("%").strip()
        try:
            hundredths = money.parse(text) * 100 // MICROS
        except money.BadAmount as bad:
            raise forms.ValidationError(_("A percentage has up to two decimals: 12.5.")) from bad
        if hundredths > BASIS:
            raise forms.ValidationError(_("A fee is at most 100 %."))
        return hundredths


class MonthField(forms.CharField):
    """A month as 2026-11; its value is the month's number."""

    def prepare_value(self, value: Any) -> Any:
        """A month in the initial data is shown as text."""
        return months.text(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> int:
        """The month of the text."""
        text = super().clean(value)
        try:
            return months.parse(text)
        except months.BadMonth as bad:
            raise forms.ValidationError(str(bad)) from bad


class FeeForm(RefusableForm):
    """A new fee, and the month it begins with."""

    refusals: ClassVar[dict[type[Refused], str]] = {instance.FeeRefused: "from_month"}

    percent = PercentField(
        label=gettext_lazy("New fee in percent"),
        max_length=10,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text=gettext_lazy("Up to two decimals, for example 12.5."),
    )
    from_month = MonthField(
        label=gettext_lazy("From this month on"),
        max_length=7,
        widget=forms.TextInput(attrs={"type": "month", "placeholder": "2026-11"}),
    )


@access.operator_only
@access.form_page
def fee(request: MemberRequest) -> HttpResponse:
    """A new rate begins with a month, and people know of it two whole months before."""
    current = instance.open_month()
    form = FeeForm(request.POST or None, initial={"from_month": current + NOTICE_MONTHS})
    if request.method == "POST" and form.is_valid():
        try:
            rate = instance.announce_fee(
                from_month=form.cleaned_data["from_month"],
                basis_points=form.cleaned_data["percent"],
                at=instance.now(),
            )
        except Refused as refused:
            form.refuse(refused)
        else:
            names = {
                "fee": wording.percent(rate.basis_points),
                "month": wording.month_name(rate.from_month),
            }
            messages.info(request, _("Announced: %(fee)s from %(month)s on.") % names)
            return paths.see_other("fee")
    context = {
        "form": form,
        "current": current,
        "announced": FeeRate.objects.filter(from_month__gt=current).order_by("from_month"),
    }
    return render(request, "operator/fee.html", context)
