"""Money, months and instants as text in the language of the page."""

from datetime import datetime
from decimal import Decimal

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, format_decimal
from django.conf import settings
from django.utils import formats, translation
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from mickle.lib import money, months
from mickle.things.languages import LANGUAGES

MINUS = "\u2212"


def locale() -> Locale:
    """The page's language as babel names it; English where babel does not know it."""
    try:
        return Locale.parse(translation.get_language() or "en", sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def amount(micros: int, *, short: bool = False) -> str:
    """An amount as people of this language write it, rounded towards zero: 416667 is "€0.41".

    The short form leaves the minor units out where they are nought: "€5".
    """
    value = Decimal(money.plain(micros, settings.CURRENCY_DECIMALS))
    text = str(format_currency(abs(value), settings.CURRENCY, locale=locale()))
    if short and value == value.to_integral_value():
        text = str(
            format_currency(
                abs(value),
                settings.CURRENCY,
                _whole_pattern(),
                locale=locale(),
                currency_digits=False,
            )
        )
    return MINUS + text if value < 0 else text


def _whole_pattern() -> str:
    """The language's pattern for money without its decimals."""
    pattern = str(locale().currency_formats["standard"].pattern)
    return pattern.replace(".00", "")


def amount_tag(micros: int) -> SafeString:
    """An amount inside <data>, so that it is isolated left to right and readable by machines."""
    return format_html('<data value="{}">{}</data>', micros, amount(micros))


def exact_tag(micros: int) -> SafeString:
    """An amount with all six places; the ones beyond the minor unit stand smaller."""
    text = amount(micros)
    if micros < 0 and not text.startswith(MINUS):
        text = MINUS + text
    end = max(i for i, letter in enumerate(text) if letter.isdigit()) + 1
    rest = money.exact(micros).partition(".")[2][settings.CURRENCY_DECIMALS :]
    return format_html(
        '<data value="{}">{}<span class="micro">{}</span>{}</data>',
        micros,
        text[:end],
        rest,
        text[end:],
    )


def typed(micros: int) -> str:
    """An amount as people of this language type it, without its sign of currency."""
    return money.typed(micros, settings.CURRENCY_DECIMALS)


def number(value: int) -> str:
    """A count with the separators of the language: 2310 is "2,310"."""
    return str(format_decimal(value, locale=locale()))


def percent(basis_points: int) -> str:
    """A rate as text: 1000 is "10 %", 1250 is "12.5 %"."""
    value = Decimal(basis_points) / 100
    return f"{format_decimal(value, locale=locale())} %"


def month_name(month: int, beside: int | None = None) -> str:
    """The name of a month, with its year unless the month beside it has the same."""
    form = "F" if beside is not None and beside // 12 == month // 12 else "F Y"
    return str(formats.date_format(months.start(month), form))


def instant(at: datetime) -> str:
    """An instant with its zone behind it, as in 1 December 2026, 00:00 UTC."""
    return _("%(day)s, %(time)s UTC") % {"day": day(at), "time": f"{at:%H:%M}"}


def day(at: datetime) -> str:
    """A day in the order of the language, as in 1 December 2026."""
    return str(formats.date_format(at, "j F Y" if locale().language == "en" else "DATE_FORMAT"))


def day_of_year(at: datetime) -> str:
    """A day without its year, for deadlines that are near."""
    return str(formats.date_format(at, "j F" if locale().language == "en" else "j. F"))


def language(code: str) -> str:
    """The name of a thing's language in the language of the page: de_DE is "German"."""
    # Two ids are older than the ones babel knows: Hebrew and Indonesian.
    current = {"iw": "he", "in": "id"}.get(code[:2], code[:2])
    return str(locale().languages.get(current, LANGUAGES.get(code, code)))


def month_short(month: int) -> str:
    """The short name of a month, for the foot of a chart."""
    return str(formats.date_format(months.start(month), "M"))


def unknown_deed() -> str:
    """What is said to a form that was sent without one of its buttons."""
    return _("Press one of the buttons. Nothing was changed.")
