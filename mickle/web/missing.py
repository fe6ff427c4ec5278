"""What to type into a field left empty or mistyped, by its name, in our forms and allauth's."""

from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

_SENTENCES = {
    "amount": gettext_lazy("Type an amount, for example 12.50."),
    "category": gettext_lazy("Choose a category."),
    "charity": gettext_lazy("Choose a charity."),
    "code": gettext_lazy("Type the code that the mail says."),
    "email": gettext_lazy("Type an e-mail address, such as name@example.org."),
    "from_month": gettext_lazy("Choose the month it begins with."),
    "holder_name": gettext_lazy("Type whose account it is, as the bank knows them."),
    "iban": gettext_lazy("Type the IBAN, for example DE02 1203 0000 0000 2020 51."),
    "invite": gettext_lazy("Type the code that somebody gave you."),
    "key": gettext_lazy(
        "Type the bank’s own number of this line; it keeps it from counting twice."
    ),
    "kind": gettext_lazy("Choose what this instance is for."),
    "login": gettext_lazy("Type your e-mail address."),
    "method": gettext_lazy("Choose one of the ways."),
    "name": gettext_lazy("Type a name."),
    "note": gettext_lazy("Say in a sentence how it can be seen that it is yours."),
    "open_nods": gettext_lazy("Choose what becomes of this month’s nods."),
    "percent": gettext_lazy("Type a percentage, for example 12.5."),
    "slug": gettext_lazy("Type a short name, for example sea-rescue."),
    "sure": gettext_lazy("Tick the box if you are sure."),
    "title": gettext_lazy("Type a title."),
    "to": gettext_lazy("Type a day and a time."),
    "url": gettext_lazy("Type a web address, for example example.org/page."),
}

_MISTYPED = {
    "email": gettext_lazy("This is not an e-mail address. It looks like name@example.org."),
    "login": gettext_lazy("This is not an e-mail address. It looks like name@example.org."),
    "percent": gettext_lazy("Type a whole percentage, for example 50."),
    "received_date": gettext_lazy("Type a day, for example 2026-11-30."),
    "slug": gettext_lazy("Small letters, digits and hyphens only, for example sea-rescue."),
    "to": _SENTENCES["to"],
    "url": gettext_lazy("This is not a web address. An example: https://example.com/page."),
}


def knows(name: str) -> bool:
    """Whether a field of this name has a sentence of its own."""
    return name in _SENTENCES


def mistyped(name: str) -> str:
    """What to type where Django alone saw that it is none; the parts of a team are numbered."""
    return str(_MISTYPED.get(name.rstrip("_0123456789"), ""))


def problems(field: BoundField) -> list[str]:
    """What is wrong with a field; where nothing was typed, what to type."""
    found = []
    for error in field.errors.as_data():
        if error.code == "required":
            found.append(str(_SENTENCES.get(field.name) or _("Type something here.")))
        elif error.code == "invalid" and mistyped(field.name):
            found.append(mistyped(field.name))
        else:
            found += map(str, error)
    return found
