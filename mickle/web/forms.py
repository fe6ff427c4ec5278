"""Forms: what a person typed, as the verbs of the rooms want it."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from mickle.claims import proofs
from mickle.lib import money
from mickle.lib.errors import Refused
from mickle.lib.urls import BadUrl
from mickle.members import members
from mickle.members.models import Charity
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.providers import sepa
from mickle.things.languages import LANGUAGES
from mickle.web import wording

# A name with a dot in it, then a port, a path, or nothing: no other scheme, and no address of mail.
_BEGINS_WITH_A_HOST = re.compile(r"[^\s/?#:@]+\.[^\s/?#:@]+(?::[0-9]+)?(?:[/?#]|$)")


class MoneyField(forms.CharField):
    """An amount typed as decimal text; its value is micros."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"inputmode": "decimal", "autocomplete": "off"}
        super().__init__(max_length=20, widget=forms.TextInput(attrs=attrs), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Micros in the initial data are shown as decimal text."""
        return wording.typed(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        """Micros of the text; None for an empty optional field."""
        text = super().clean(value)
        if not text:
            return None
        try:
            return money.parse(text, settings.CURRENCY_DECIMALS)
        except Refused as refused:
            raise forms.ValidationError(str(refused)) from refused


class AddressField(forms.CharField):
    """An address of the web as people type it: without https:// before its host, too."""

    def __init__(self, *, begins: bool = False, **kwargs: Any) -> None:
        """The one that a page `begins` with is typed into at once."""
        attrs: dict[str, Any] = {"inputmode": "url", "autocomplete": "url"}
        if begins:
            attrs["autofocus"] = True
        super().__init__(max_length=4_000, widget=forms.TextInput(attrs=attrs), **kwargs)

    def to_python(self, value: Any) -> Any:
        """The text, with a scheme where it begins with the name of a host."""
        text = super().to_python(value) or ""
        return f"https://{text}" if _BEGINS_WITH_A_HOST.match(text) else text


class ClaimForm(forms.Form):
    """A claim, with what an operator can check."""

    note = forms.CharField(
        label=_("How can it be seen?"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "For example: “My e-mail address stands in the imprint.” "
            "Whoever runs this instance looks at it before anything is paid out."
        ),
    )


class RefusableForm(forms.Form):
    """A form whose verb may refuse: the sentence stands at the field it is about."""

    # Exceptions by the field they are about; any other stands above the form.
    refusals: ClassVar[dict[type[Refused], str]] = {}

    def refuse(self, refused: Refused) -> None:
        """Show a refusal."""
        field = next(
            (name for kind, name in self.refusals.items() if isinstance(refused, kind)), None
        )
        self.add_error(field, str(refused))


class ProofForm(RefusableForm):
    """A place of one's own, and the way to show it."""

    refusals: ClassVar[dict[type[Refused], str]] = {
        BadUrl: "url",
        proofs.NotOnePlace: "url",
        proofs.BadMethod: "method",
    }

    url = AddressField(
        label=_("Web address"),
        help_text=_("Of your site, or of your own part of one that many people share."),
    )
    method = forms.ChoiceField(label=_("How can it be seen?"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, ways: Mapping[str, object], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["method"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(name, str(said)) for name, said in ways.items()]


class TopUpForm(forms.Form):
    """How much to top up."""

    amount = MoneyField(label=_("Amount"), help_text=_("Whole cents, for example 12.50."))

    def __init__(self, *args: Any, room: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.room = room

    def clean_amount(self) -> int:
        """More than nothing, and no more than fits."""
        amount = int(self.cleaned_data["amount"])
        if amount <= 0:
            raise forms.ValidationError(_("The amount has to be more than nothing."))
        if amount > self.room:
            limit = wording.amount(settings.FUNDS_MAX_MICROS)
            raise forms.ValidationError(
                _("Funds go up to %(limit)s. Choose less."), params={"limit": limit}
            )
        return amount


class RefundForm(RefusableForm):
    """Funds back at par, to the account they came from."""

    refusals: ClassVar[dict[type[Refused], str]] = {
        sepa.BadIban: "iban",
        sepa.BadName: "holder_name",
        payouts.NotRefundable: "amount",
        payouts.BadAmount: "amount",
    }

    amount = MoneyField(label=_("Amount"))
    iban = forms.CharField(label=_("IBAN"), max_length=50)
    holder_name = forms.CharField(label=_("Account holder"), max_length=140)
    key = forms.CharField(widget=forms.HiddenInput, max_length=32)


class AccountForm(RefusableForm):
    """Where earnings go."""

    refusals: ClassVar[dict[type[Refused], str]] = {
        sepa.BadIban: "iban",
        sepa.BadName: "holder_name",
        payouts.BelowMinimum: "minimum",
        payouts.BadAmount: "minimum",
    }

    holder_name = forms.CharField(
        label=_("Account holder"), max_length=140, help_text=_("As your bank knows you.")
    )
    iban = forms.CharField(
        label=_("IBAN"), max_length=50, help_text=_("For example DE02 1203 0000 0000 2020 51.")
    )
    minimum = MoneyField(
        label=_("Withdraw from"),
        required=False,
        help_text=_("Nothing smaller can be withdrawn. Leave it as it is if you are not sure."),
    )


class WithdrawForm(RefusableForm):
    """How much of what was earned."""

    refusals: ClassVar[dict[type[Refused], str]] = {
        payouts.AboveBalance: "amount",
        payouts.BelowMinimum: "amount",
        payouts.BadAmount: "amount",
    }

    amount = MoneyField(label=_("Amount"))
    key = forms.CharField(widget=forms.HiddenInput, max_length=32)


class ThingForm(RefusableForm):
    """What stands in the catalogue about a page or work."""

    title = forms.CharField(label=_("Title"), max_length=300)
    description = forms.CharField(
        label=_("In a sentence or two"),
        max_length=2_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    category = forms.ChoiceField(label=_("Category"))
    language = forms.ChoiceField(label=_("Language"), required=False)
    tags = forms.CharField(
        label=_("Tags"), max_length=400, required=False, help_text=_("Words with commas between.")
    )
    hidden = forms.BooleanField(
        label=_("Leave it out of the catalogue"),
        required=False,
        help_text=_("Its button works all the same."),
    )

    def __init__(self, *args: Any, categories: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer("category", list(categories.items()))
        named = sorted((wording.language(code), code) for code in LANGUAGES)
        known = [(code, name) for name, code in named]
        self._offer("language", [("", str(_("not said"))), *known])

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def described(self) -> dict[str, Any]:
        """The fields as the room of things takes them."""
        values = dict(self.cleaned_data)
        values["tags"] = [tag.strip() for tag in values["tags"].split(",") if tag.strip()]
        return values


class AddThingForm(ThingForm):
    """A page or work of one's own, with its address."""

    refusals: ClassVar[dict[type[Refused], str]] = {BadUrl: "url"}

    url = AddressField(label=_("Web address"), begins=True)
    note = forms.CharField(
        label=_("How can it be seen that it is yours?"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Whoever runs this instance looks at it before anything is paid out."),
    )
    field_order = [  # noqa: RUF012 - Django asks for an attribute of the instance
        "url",
        "title",
        "description",
        "category",
        "language",
    ]


class BudgetForm(RefusableForm):
    """What a member gives a month."""

    refusals: ClassVar[dict[type[Refused], str]] = {
        members.BadBudget: "amount",
        members.BadCharity: "charity",
    }

    amount = MoneyField(label=_("Your coin, each month"))
    paused = forms.BooleanField(
        label=_("Pause"),
        required=False,
        help_text=_("Nods are kept, nothing is spent, nothing goes to charity."),
    )
    charity = forms.ModelChoiceField(
        label=_("Without a nod, it goes to"), queryset=Charity.objects.none(), required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        listed = Charity.objects.filter(listed=True).order_by("name")
        # In arrears a month without a nod gives nothing.
        if in_arrears := settings.MODE == "arrears":
            self.fields["paused"].help_text = _("Nods are kept, and nothing is asked for.")
        if listed.exists() and not in_arrears:
            field = self.fields["charity"]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset, field.empty_label = listed, None
        else:
            del self.fields["charity"]


class ProfileForm(forms.Form):
    """What others may read about a member."""

    name = forms.CharField(label=_("Name others see"), max_length=120, required=False)
    about = forms.CharField(
        label=_("About you"),
        max_length=1_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    url = forms.URLField(
        label=_("Your web address"), max_length=500, required=False, assume_scheme="https"
    )
    public_nods = forms.BooleanField(
        label=_("Others may see what I nod at"),
        required=False,
        help_text=_("Never how much, and never your budget."),
    )


class CloseForm(RefusableForm):
    """Closing an account: what becomes of open nods and of the money."""

    refusals: ClassVar[dict[type[Refused], str]] = {
        sepa.BadIban: "iban",
        sepa.BadName: "holder_name",
    }

    open_nods = forms.ChoiceField(
        label=_("This month’s nods"),
        widget=forms.RadioSelect,
        choices=[
            ("settle", _("count one last time, at the end of this month")),
            ("take_back", _("are taken back now")),
        ],
        initial="settle",
    )
    iban = forms.CharField(
        label=_("IBAN"), max_length=50, required=False, help_text=_("Where what is left goes.")
    )
    holder_name = forms.CharField(label=_("Account holder"), max_length=140, required=False)
    sure = forms.BooleanField(label=_("Yes, close my account for good"))


class BookForm(RefusableForm):
    """One line of the bank's statement."""

    refusals: ClassVar[dict[type[Refused], str]] = {
        payins.BadAmount: "amount",
        payins.BookedDifferently: "key",
    }

    amount = MoneyField(label=_("Amount"))
    reference = forms.CharField(
        label=_("Reference"),
        max_length=140,
        required=False,
        help_text=_("As the payer wrote it. Without a known one the money waits to be assigned."),
    )
    payer_name = forms.CharField(label=_("Payer"), max_length=140, required=False)
    payer_account = forms.CharField(label=_("Payer’s IBAN"), max_length=50, required=False)
    received_date = forms.DateField(
        label=_("Received on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    key = forms.CharField(
        label=_("The bank’s own number of this line"),
        max_length=80,
        help_text=_("The same number is never booked twice."),
    )

    def booked(self) -> dict[str, Any]:
        """The fields as the room of payins takes them."""
        values = dict(self.cleaned_data)
        values["amount_micros"] = values.pop("amount")
        return values


class SendBackForm(RefusableForm):
    """Where money of nobody known goes back to."""

    refusals: ClassVar[dict[type[Refused], str]] = {
        sepa.BadIban: "iban",
        sepa.BadName: "holder_name",
    }

    holder_name = forms.CharField(label=_("Account holder"), max_length=140)
    iban = forms.CharField(label=_("IBAN"), max_length=50)


class CharityForm(RefusableForm):
    """An organisation on the list."""

    refusals: ClassVar[dict[type[Refused], str]] = {sepa.BadIban: "iban"}

    name = forms.CharField(label=_("Name"), max_length=70)
    slug = forms.SlugField(
        label=_("Short name"), max_length=60, help_text=_("Small letters, digits and hyphens.")
    )
    url = forms.URLField(
        label=_("Web address"), max_length=500, required=False, assume_scheme="https"
    )
    iban = forms.CharField(
        label=_("IBAN"),
        max_length=50,
        required=False,
        help_text=_("Without one it is given money and cannot be paid yet."),
    )
    is_default = forms.BooleanField(label=_("For everybody who chose none"), required=False)


class ClockForm(RefusableForm):
    """Where to move the clock of a demo or test instance."""

    to = forms.DateTimeField(
        label=_("Move it forward to (UTC)"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
