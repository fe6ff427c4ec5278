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
