"""The look in templates: {% load look %}. Money, coins, pies, charts, the current page."""

from collections.abc import Iterable
from datetime import datetime

from django import template
from django.conf import settings
from django.forms import BoundField
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from mickle.lib import money as amounts
from mickle.lib import months
from mickle.lib.money import MICROS
from mickle.providers import sepa
from mickle.web import drawing, missing, nodding, wording

register = template.Library()

# Letters of a value that fit on the hub of a pie at their full size.
_HUB_HOLDS = 6


@register.filter
def money(micros: int) -> SafeString:
    """{{ 416667|money }} is <data value="416667">€0.41</data>."""
    return wording.amount_tag(micros)


@register.filter
def plain_money(micros: int) -> str:
    """The same without markup, for attributes and sentences."""
    return wording.amount(micros)


@register.filter
def exact(micros: int) -> SafeString:
    """All six places, for statements and proofs."""
    return wording.exact_tag(micros)


@register.filter
def published(micros: int | None) -> SafeString:
    """An amount with all its places, or a dash where it is withheld."""
    return SafeString("–") if micros is None else wording.exact_tag(micros)


@register.filter
def published_money(micros: int | None) -> SafeString:
    """The same with minor units only."""
    return SafeString("–") if micros is None else wording.amount_tag(micros)


@register.filter
def number(value: int) -> str:
    """A count with the language's separators."""
    return wording.number(value)


@register.filter
def percent(basis_points: int) -> str:
    """A rate: {{ 1000|percent }} is 10 %."""
    return wording.percent(basis_points)


@register.filter
def month(value: int) -> str:
    """The name of a month with its year."""
    return wording.month_name(value)


@register.filter
def month_only(value: int) -> str:
    """The name of a month without its year."""
    return wording.month_name(value, beside=value)


@register.filter
def month_code(value: int) -> str:
    """2026-11, as it stands in addresses."""
    return months.text(value)


@register.filter
def instant(value: datetime) -> SafeString:
    """An instant with UTC behind it, inside <time>."""
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), wording.instant(value))


@register.filter
def day(value: datetime) -> str:
    """A day without its clock."""
    return wording.day(value)


@register.filter
def near_day(value: datetime) -> str:
    """A day without its year, for a deadline that is near."""
    return wording.day_of_year(value)


@register.simple_tag
def coin() -> SafeString:
    """The mark: a coin with a slice pushed out."""
    return SafeString(drawing.COIN)


@register.simple_tag
def pie(
    states: Iterable[str], label: str, *, value: str = "", sub: str = "", numbered: bool = True
) -> SafeString:
    """A coin cut into slices, one state each; the hub holds one value."""
    listed = list(states)
    return format_html(
        '<svg class="pie" viewBox="-100 -100 200 200" role="img" aria-label="{}">'
        '<path class="rim" d="{}"/>{}{}{}</svg>',
        label,
        drawing.RIM,
        SafeString(drawing.slices(listed)),
        SafeString(drawing.numbers(listed) if numbered else ""),
        _hub(value, sub),
    )


def _hub(value: str, sub: str) -> SafeString:
    if not value:
        return SafeString("")
    return format_html(
        '<circle class="hub" r="31"/><text class="{}" y="3">{}</text>'
        '<text class="sub" y="14">{}</text>',
        "val long" if len(value) > _HUB_HOLDS else "val",
        value,
        sub,
    )


@register.simple_tag
def whole_coin(label: str, value: str, sub: str = "") -> SafeString:
    """A coin nothing was nodded with yet: its value on its face."""
    return format_html(
        '<svg class="pie" viewBox="-100 -100 200 200" role="img" aria-label="{}">'
        '<path class="rim" d="{}"/><circle class="face" r="86"/><circle class="ring" r="77"/>'
        '<text class="val whole" y="8">{}</text><text class="sub whole" y="28">{}</text></svg>',
        label,
        drawing.RIM,
        value,
        sub,
    )


@register.simple_tag
def empty_coin(label: str) -> SafeString:
    """A dashed ring: no funds, or nothing here."""
    return format_html(
        '<svg class="pie" viewBox="-100 -100 200 200" role="img" aria-label="{}">'
        '<path class="rim" d="{}"/><circle class="ring none" r="77"/></svg>',
        label,
        drawing.RIM,
    )


@register.simple_tag
def bars(chart: list[drawing.Bar], labelled_by: str, unit: str = "") -> SafeString:
    """The plot of a bar chart: percent across, real pixels for text. `unit` is "money" or ""."""
    step_unit = MICROS if unit == "money" else 1
    peak = max((bar.value for bar in chart), default=0)
    top, step = drawing.nice_top(-(-peak // step_unit))
    text = _money_step if unit == "money" else wording.number
    lines = [
        drawing.Line(percent=100 - 100 * value / top, text=text(value))
        for value in range(step, top + 1, step)
    ]
    placed = drawing.columns(chart, top * step_unit)
    return format_html(
        '<div class="plot" role="img" aria-labelledby="{}"><svg height="212">'
        '<svg y="20" width="100%" height="160">{}'
        '<line class="base" x2="100%" y1="100%" y2="100%"/></svg></svg>'
        '<svg class="bars" height="212"><svg y="20" width="100%" height="160">{}</svg></svg></div>',
        labelled_by,
        format_html_join(
            "",
            '<line x2="100%" y1="{0}%" y2="{0}%"/><text y="{0}%" dy="-4">{1}</text>',
            ((round(line.percent, 1), line.text) for line in lines),
        ),
        format_html_join("", "{}", ((_column(one, unit),) for one in placed)),
    )


def _money_step(value: int) -> str:
    return wording.amount(value * MICROS, short=True)


def _column(one: drawing.Column, unit: str) -> SafeString:
    shown = wording.amount(one.bar.value) if unit == "money" else wording.number(one.bar.value)
    peak = format_html(
        '<text class="mid peak" x="{}%" y="{}%" dy="-7">{}</text>', one.middle, one.y, shown
    )
    return format_html(
        '<rect class="{}" x="{}%" width="{}%" y="{}%" height="{}%"/>{}'
        '<text class="{}" x="{}%" y="100%" dy="22">{}</text>',
        f"b {one.bar.kind}".strip(),
        one.x,
        one.width,
        one.y,
        one.height,
        peak if one.peak else "",
        "mid wide-only" if one.bar.wide_only else "mid",
        one.middle,
        one.bar.label,
    )


@register.simple_tag(takes_context=True)
def current(context: template.Context, *names: str) -> SafeString:
    """aria-current="page" when the page shown is one of these URL names."""
    match = getattr(context.get("request"), "resolver_match", None)
    here = match is not None and match.url_name in names
    return SafeString(' aria-current="page"' if here else "")


@register.filter
def round_money(micros: int) -> str:
    """An amount without its cents where they are nought, for sentences: €5."""
    return wording.amount(micros, short=True)


@register.filter
def negative(micros: int) -> int:
    """The other sign, for what leaves."""
    return -micros


@register.filter
def month_start(value: int) -> datetime:
    """The first instant of a month."""
    return months.start(value)


@register.filter
def month_end(value: int) -> datetime:
    """The first instant after a month."""
    return months.end(value)


@register.filter
def pay_until(value: int) -> datetime:
    """Until when money still counts for a month: the last day of the grace after it."""
    return nodding.pay_until(value)


@register.filter
def days_left(value: int, now: datetime) -> int:
    """Days until a month ends, counting the one that has begun."""
    return max((months.end(value) - now).days + 1, 1)


@register.filter
def iban(number: str) -> str:
    """An account number in groups of four."""
    return sepa.groups(number)


@register.filter
def typed(micros: int) -> str:
    """An amount as a person would type it, for addresses and hidden fields."""
    return wording.typed(micros)


@register.filter
def plain_exact(micros: int) -> str:
    """All six places without markup."""
    return f"{six(micros)} {settings.CURRENCY}"


@register.filter
def language_name(code: str) -> str:
    """The name of a thing's language."""
    return wording.language(code)


@register.filter
def six(micros: int) -> str:
    """The bare figure with all six places, for a proof: 0.000000."""
    return amounts.typed(micros, amounts.EXPONENT)


@register.filter
def problems(field: BoundField) -> list[str]:
    """What is wrong with a field of a form, in sentences."""
    return missing.problems(field)
