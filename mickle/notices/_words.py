"""Amounts, days and months in a mail, in the language that is switched on."""

from datetime import datetime
from decimal import Decimal

from babel import Locale
from babel.numbers import format_currency
from django.conf import settings
from django.utils import formats, translation
from django.utils.translation import gettext as _

from mickle.lib import money, months

_LINE_LENGTH = 120


def language(code: str) -> str:
    """The member's language where Mickle speaks it, else the instance's."""
    return code if code in dict(settings.LANGUAGES) else str(settings.LANGUAGE_CODE)


def _locale() -> Locale:
    return Locale.parse(translation.get_language() or "en", sep="-")


def amount(micros: int) -> str:
    """An amount exactly as the books have it: €5.00, €0.416667."""
    value = Decimal(money.exact(micros))
    places = max(settings.CURRENCY_DECIMALS, -int(value.normalize().as_tuple().exponent))
    text: str = format_currency(
        round(value, places),
        settings.CURRENCY,
        locale=_locale(),
        currency_digits=False,
        decimal_quantization=False,
    )
    # A no-break space breaks where plain text is shown in another encoding.
    return text.replace("\xa0", " ")


def month(number: int) -> str:
    """November 2026."""
    return str(formats.date_format(months.start(number), "F Y"))


def instant(at: datetime) -> str:
    """1 December 2026, 00:00 UTC."""
    form = "j F Y" if _locale().language == "en" else "DATE_FORMAT"
    return _("%(day)s, %(time)s UTC") % {
        "day": formats.date_format(at, form),
        "time": f"{at:%H:%M}",
    }


def line(text: str) -> str:
    """Somebody's own words as one line without anything that could pass for another."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    # A subject that holds an encoded word is shown as what is in that.
    folded = " ".join(shown.replace("=?", "= ?").split())
    return folded if len(folded) <= _LINE_LENGTH else folded[: _LINE_LENGTH - 1] + "…"
