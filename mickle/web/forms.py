"""Forms: what a person typed, as the verbs of the rooms want it."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from mickle.lib import money
from mickle.lib.errors import Refused


class MoneyField(forms.CharField):
    """An amount typed as decimal text; its value is micros."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"inputmode": "decimal", "autocomplete": "off"}
        super().__init__(max_length=20, widget=forms.TextInput(attrs=attrs), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Micros in the initial data are shown as decimal text."""
        return money.plain(value, settings.CURRENCY_DECIMALS) if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        """Micros of the text; None for an empty optional field."""
        text = super().clean(value)
        if not text:
            return None
        try:
            return money.parse(text, settings.CURRENCY_DECIMALS)
        except Refused as refused:
            raise forms.ValidationError(str(refused)) from refused


class LinkForm(forms.Form):
    """Any address of the web."""

    url = forms.CharField(
        label=_("Web address"),
        max_length=4_000,
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "url", "autofocus": True}),
        help_text=_("Of a page, a channel, a project, a person: anything good with an address."),
    )


class ClaimForm(forms.Form):
    """"This is mine", with what an operator can check."""

    note = forms.CharField(
        label=_("How can it be seen?"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "For example: “My e-mail address stands in the imprint.” "
            "Whoever runs this instance looks at it before anything is paid out."
        ),
    )
