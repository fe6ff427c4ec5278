"""Money as integers of a millionth, and the arithmetic of the split. Never a float."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.utils.formats import get_format
from django.utils.translation import gettext as _

from mickle.lib.errors import Refused

MICROS = 1_000_000
EXPONENT = 6
# Amounts beyond this are refused everywhere, in Python and by a CHECK in each table.
LIMIT_MICROS = 10**15
BASIS = 10_000
WHOLE_PERCENT = 100

_AMOUNT = re.compile(r"(?P<whole>[0-9]{1,9})(?:[.,](?P<part>[0-9]{0,6}))?", re.ASCII)


class BadAmount(Refused):
    """The text is no amount of money of the instance's currency."""


def parse(text: str, decimals: int = 2) -> int:
    """Micros of what a person typed: `"12.50"` or `"12,5"` is 12500000.

    Raises BadAmount unless the text is digits with at most `decimals` places.
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise BadAmount(_("“%(text)s” is not an amount. Type for example 12.50.") % {"text": text})
    part = match["part"] or ""
    if len(part) > decimals:
        if decimals == 0:
            raise BadAmount(_("Whole units only, for example 500."))
        example = typed(12_500_000, decimals)
        raise BadAmount(_("Whole cents, for example %(example)s.") % {"example": example})
    return int(match["whole"]) * MICROS + int(part.ljust(EXPONENT, "0"))


def whole_minor(micros: int, decimals: int = 2) -> int:
    """The part of an amount that whole minor units (cents, yen, fils) can pay, in micros."""
    minor: int = 10 ** (EXPONENT - decimals)
    return micros - micros % minor


def plain(micros: int, decimals: int = 2) -> str:
    """Decimal text, rounded towards zero: 416667 is `"0.41"`."""
    sign, digits = ("-" if micros < 0 else ""), str(abs(micros)).rjust(EXPONENT + 1, "0")
    whole, part = digits[:-EXPONENT], digits[-EXPONENT:][:decimals]
    text = f"{whole}.{part}" if decimals else whole
    return text if not text.strip("0.") else sign + text


def typed(micros: int, decimals: int = 2) -> str:
    """The same as people of the language in use type it: `"0,41"` in German."""
    return plain(micros, decimals).replace(".", str(get_format("DECIMAL_SEPARATOR")))


def exact(micros: int) -> str:
    """Decimal text with all six places: 416667 is `"0.416667"`."""
    return plain(micros, EXPONENT)


def trimmed(micros: int, decimals: int = 2) -> str:
    """Exact text with the currency's places at least: `"12.50"`, `"0.416667"`."""
    whole, _dot, part = exact(micros).partition(".")
    part = part.rstrip("0").ljust(decimals, "0")
    return f"{whole}.{part}" if part else whole


def fee(gross_micros: int, basis_points: int) -> int:
    """`floor(gross * basis_points / 10000)` without leaving 64 bits on the way."""
    whole, rest = divmod(gross_micros, BASIS)
    return whole * basis_points + rest * basis_points // BASIS


def share_out(spend_micros: int, things: Iterable[int] | Mapping[int, int]) -> dict[int, int]:
    """Shares of a spend by thing id, each by its weight where a mapping says one; they sum to it.

    Each is rounded down and the micros left over go to the largest remainders, then the lowest ids.
    """
    weights = things if isinstance(things, Mapping) else dict.fromkeys(things, 1)
    total = sum(weights.values())
    # There are thousands of things and few weights.
    parts = {weight: divmod(spend_micros * weight, total) for weight in set(weights.values())}
    shares: dict[int, int] = {}
    rest: dict[int, list[int]] = defaultdict(list)
    for thing in sorted(weights):
        shares[thing], remainder = parts[weights[thing]]
        rest[remainder].append(thing)
    left = spend_micros - sum(shares.values())
    for remainder in sorted(rest, reverse=True):
        for thing in rest[remainder][:left]:
            shares[thing] += 1
        left = max(left - len(rest[remainder]), 0)
    return shares


def team_parts(net_micros: int, percents: Mapping[int, int]) -> dict[int, int]:
    """Parts of a net amount by member id, as `weighed_parts` cuts them.

    The percents must sum to 100.
    """
    if sum(percents.values()) != WHOLE_PERCENT or min(percents.values()) < 1:
        raise ValueError("the percents of a team sum to 100 and are 1 or more each")
    return weighed_parts(net_micros, percents)


def weighed_parts(amount_micros: int, weights: Mapping[int, int]) -> dict[int, int]:
    """Parts of an amount by member id, each by its weight; they sum to it.

    Each is rounded down, and micros left over go to the larger weight, then the lower id.
    """
    total = sum(weights.values())
    parts = {member: amount_micros * weight // total for member, weight in weights.items()}
    left = amount_micros - sum(parts.values())
    for member in sorted(weights, key=lambda one: (-weights[one], one))[:left]:
        parts[member] += 1
    return parts
